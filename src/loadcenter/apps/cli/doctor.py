"""`loadcenter doctor`: what is wrong with an installation, and how to mend it."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from loadcenter.adapters.calendar import SiteCalendar, TimeZoneError
from loadcenter.adapters.mqtt.link import MqttLink
from loadcenter.adapters.mqtt.options import LinkOptions
from loadcenter.adapters.mqtt.url import BrokerUrlError, parse_broker_url
from loadcenter.adapters.storage.engine import DatabaseUrlError
from loadcenter.adapters.storage.store import open_store
from loadcenter.adapters.web.static_files import View
from loadcenter.apps.cli.options import AsJson, ConfigFile, Data, read_config
from loadcenter.apps.cli.terminal import Exit, show, table
from loadcenter.apps.config import Config
from loadcenter.apps.rendezvous import find
from loadcenter.apps.server import ListenError, listen
from loadcenter.services.ports import LinkState, StoreError

_POLL_S = 0.05
_BROKER_POLLS = 100
"""A broker may take 5 s to answer; its first refusal is enough."""
_DISK_FREE_MIN = 500_000_000
"""Below this less than four weeks of one PDU at 1 Hz fit: it takes 20 MB a day (docs/operations.md)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is well, and what was seen or what to do."""

    check: str
    ok: bool
    detail: str


def doctor(config: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Say what is wrong with this installation and how to mend it."""
    settings = read_config(config, data=str(data) if data else None)
    findings = asyncio.run(examine(settings))
    rows = table("", "check", "finding")
    for one in findings:
        rows.add_row("[green]ok[/]" if one.ok else "[bold red]bad[/]", one.check, one.detail)
    show([asdict(one) for one in findings], as_json=as_json, table=rows)
    if not all(one.ok for one in findings):
        raise typer.Exit(Exit.FAILED)


async def examine(config: Config) -> list[Finding]:
    """Return all findings; a running control center is not disturbed."""
    running = find(config.folder)
    findings = [_folder(config.folder), _time_zone(config.timezone), _view()]
    if running is not None:
        findings.append(
            Finding("web server", ok=True, detail=f"runs at {running.url} (process {running.pid})")
        )
    else:
        findings.append(_port("web server", config.host, config.port))
        if not config.broker:
            findings.append(_port("embedded broker", config.mqtt_host, config.mqtt_port))
    checks: list[Callable[[Config], Awaitable[Finding]]] = [_database]
    if config.broker:
        checks.append(_broker)
    return findings + [await check(config) for check in checks]


def _folder(folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(
            "data folder", ok=False, detail=f"{folder} cannot be written: {error.strerror}; mend its rights"
        )
    free = shutil.disk_usage(folder).free
    if free < _DISK_FREE_MIN:
        return Finding("data folder", ok=False, detail=f"{folder} has {free // 10**6} MB left: make room")
    if folder.stat().st_mode & 0o077 and os.name == "posix":
        return Finding("data folder", ok=False, detail=f"others can read {folder}: chmod 700 {folder}")
    return Finding("data folder", ok=True, detail=f"{folder}, {free // 10**9} GB free")


def _time_zone(zone: str) -> Finding:
    try:
        SiteCalendar(zone)
    except TimeZoneError as error:
        return Finding("time zone", ok=False, detail=str(error))
    return Finding("time zone", ok=True, detail=zone)


def _view() -> Finding:
    if View().built:
        return Finding("view", ok=True, detail="built")
    return Finding(
        "view", ok=False, detail="not built: run 'make web' in the checkout, or install the package"
    )


def _port(check: str, host: str, port: int) -> Finding:
    with _listening(host, port) as problem:
        return Finding(check, ok=not problem, detail=problem or f"{host}:{port} is free")


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[str]:
    try:
        bound = listen(host, port)
    except ListenError as error:
        yield str(error)
    else:
        with contextlib.closing(bound):
            yield ""


async def _database(config: Config) -> Finding:
    try:
        async with open_store(config.database_url) as store:
            await store.ping()
            devices = await store.devices()
            quarantined = sum((await store.quarantine_counts()).values())
    except (StoreError, DatabaseUrlError) as error:
        return Finding("database", ok=False, detail=str(error))
    detail = f"can be written; {len(devices)} PDUs registered"
    if quarantined:
        detail += f"; {quarantined} payloads were not understood: see the table quarantine"
    return Finding("database", ok=True, detail=detail)


async def _broker(config: Config) -> Finding:
    try:
        ca_file = Path(config.broker_ca) if config.broker_ca else None
        address = parse_broker_url(config.broker, plain=config.plain, ca_file=ca_file)
    except BrokerUrlError as error:
        return Finding("broker", ok=False, detail=str(error))
    options = LinkOptions(
        client_id=f"loadcenter-doctor-{os.getpid()}", subscriptions=((f"{config.root}/v1/#", 0),)
    )
    async with MqttLink(address, options) as link:
        for _ in range(_BROKER_POLLS):
            if link.state is LinkState.UP or link.last_error:
                break
            await asyncio.sleep(_POLL_S)
        if link.state is not LinkState.UP:
            return Finding("broker", ok=False, detail=link.last_error or f"{address} does not answer")
    return Finding("broker", ok=True, detail=f"{address} lets this server in")
