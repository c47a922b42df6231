"""`loadcenter export` and `loadcenter import`: readings into a file, and recordings of other systems from files.

Both work directly on the database, beside a control center that runs or without one: an export of years needs no log-in and no
open connection to a page, and it also works from another machine where the database is a server.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar
from zoneinfo import ZoneInfo

import typer

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.adapters.clock import SystemClock
from loadcenter.adapters.files import FORMATS
from loadcenter.adapters.files.csv_table import iso
from loadcenter.adapters.files.feeds import open_feed
from loadcenter.adapters.storage.engine import DatabaseUrlError
from loadcenter.adapters.storage.store import SqlStore, open_store
from loadcenter.apps.cli.options import AsJson, ConfigFile, Data, usable_config
from loadcenter.apps.cli.terminal import Exit, counting, fail, show
from loadcenter.apps.config import Config
from loadcenter.domain.rollups import Tier
from loadcenter.domain.topology import MAX_OUTLETS, Source
from loadcenter.services.export import Exporter, FormatMissingError, Wanted
from loadcenter.services.importing import (
    Imported,
    ImportRefusedError,
    Quantity,
    Target,
    import_feeds,
)
from loadcenter.services.ports import StoreError
from loadcenter.services.resolution import RangeError

T = TypeVar("T")
_TIERS = {"raw": None, "1m": Tier.MINUTE, "15m": Tier.QUARTER, "1h": Tier.HOUR, "1d": Tier.DAY}

Pdu = Annotated[str, typer.Argument(metavar="PDU", help="Name of a registered PDU.")]
Since = Annotated[
    str,
    typer.Option(metavar="TIME", help="First time: 2026-01-31, 2026-01-31T12:00 (of the site), or UTC ms."),
]
Until = Annotated[str, typer.Option(metavar="TIME", help="The time just after; without it, now.")]


def export(
    pdu: Pdu,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="New file, .csv or .parquet; - is CSV to stdout.")
    ],
    since: Since,
    until: Until = "",
    outlets: Annotated[str, typer.Option(help="Outlets, as 1,2,3.")] = "",
    sources: Annotated[str, typer.Option(help="Sources: main, backup or main,backup.")] = "",
    tier: Annotated[str, typer.Option(help="raw, 1m, 15m, 1h or 1d.")] = "raw",
    config: ConfigFile = None,
    data: Data = None,
) -> None:
    """Write readings or rollups of any range into a file, beside a control center that runs or without one."""
    settings = usable_config(config, data=str(data) if data else None)
    kind = "csv" if str(file) == "-" else file.suffix.lstrip(".")
    if kind not in FORMATS:
        fail(f"{file} ends neither with .csv nor with .parquet: name it so", Exit.USAGE)
    if tier not in _TIERS:
        fail(f"there is no tier '{tier}': {', '.join(_TIERS)}", Exit.USAGE)
    now_ms = SystemClock().now_ms()
    until_ms = _time_ms(until, settings) if until else now_ms
    wanted = Wanted(
        pdu, _outlets(outlets), _sources(sources), _time_ms(since, settings), until_ms, _TIERS[tier]
    )
    if not wanted.outlets and not wanted.sources:
        fail("nothing is asked for: give --outlets 1,2 or --sources main,backup", Exit.USAGE)
    if str(file) == "-":
        _ended(_export(settings, wanted, kind, sys.stdout.buffer, quiet=True))
        return
    if file.exists():
        fail(f"{file} exists already: choose another name, or move it away")
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as opened:
            _ended(_export(settings, wanted, kind, opened, quiet=False))
        part.rename(file)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror or error}")
    finally:
        part.unlink(missing_ok=True)


def import_(
    pdu: Pdu,
    outlet: Annotated[int, typer.Argument(min=1, max=MAX_OUTLETS, help="Number of the outlet.")],
    feeds: Annotated[
        list[str],
        typer.Argument(
            metavar="QUANTITY=FILE...",
            help="power_w, current_a, voltage_v or energy_kwh, each from 12.dat, feed_12.MYD, file.csv or file.csv#COLUMN.",
        ),
    ],
    time: Annotated[str, typer.Option(help="Column of the times in CSV files, a name or a number.")] = "1",
    interval_s: Annotated[
        float, typer.Option(min=0, max=3600, help="Time that a reading stands for; 0 is guessed.")
    ] = 0.0,
    since: Since = "0",
    until: Until = "",
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Bring recordings of emonCMS or from CSV files into the history of an outlet.

    Run again it adds only what is missing. Where the outlet has other readings at the same time it stops.
    """
    settings = usable_config(config, data=str(data) if data else None)
    until_ms = _time_ms(until, settings) if until else SystemClock().now_ms()
    target = Target(pdu, outlet, _time_ms(since, settings), until_ms, round(interval_s * 1000))
    done = _ended(_import(settings, target, feeds, time, quiet=as_json))
    if done.first_ms is None or done.last_ms is None:
        text = "There is nothing in that range."
    else:
        text = f"{done.rows:,} readings are imported, from {iso(done.first_ms)} to {iso(done.last_ms)}."
        text += f" {done.known_minutes:,} minutes were there already." if done.known_minutes else ""
    told = {
        "rows": done.rows,
        "known_minutes": done.known_minutes,
        "first_ms": done.first_ms,
        "last_ms": done.last_ms,
    }
    show(told, as_json=as_json, table=text)


class _NotThereError(Exception):
    """There is no such database, or no such PDU in it."""


async def _export(settings: Config, wanted: Wanted, kind: str, file: BinaryIO, *, quiet: bool) -> None:
    async with _store(settings, wanted.pdu_id) as store:
        exporter = Exporter(store, FORMATS)
        written = 0
        with counting(quiet) as progress:
            async for part in exporter.stream(wanted, exporter.formats[kind].begin(wanted.columns)):
                file.write(part)
                written += len(part)
                progress("bytes", written)


async def _import(
    settings: Config, target: Target, feeds: list[str], time_column: str, *, quiet: bool
) -> Imported:
    opened = {}
    for feed in feeds:
        name, _, place = feed.partition("=")
        if name not in set(Quantity) or not place:
            raise ImportRefusedError(
                f"'{feed}' is not understood: write QUANTITY=FILE with one of {', '.join(Quantity)}"
            )
        opened[Quantity(name)] = open_feed(place, time_column, settings.timezone)
    async with _store(settings, target.pdu_id) as store:
        with counting(quiet) as progress:
            return await import_feeds(store, target, opened, lambda rows: progress("readings", rows))


@asynccontextmanager
async def _store(settings: Config, pdu_id: str) -> AsyncIterator[SqlStore]:
    """Yield the store, which knows the PDU."""
    if not settings.database and not settings.folder.exists():
        raise _NotThereError(f"there is no database in {settings.folder}: name the right --data or --config")
    day_start = SiteCalendar(settings.timezone).day_start_ms
    async with open_store(settings.database_url, day_start=day_start) as store:
        if pdu_id not in {one.pdu_id for one in await store.devices()}:
            raise _NotThereError(
                f"no PDU '{pdu_id}' is registered: see 'loadcenter device list', or loadcenter device add {pdu_id}"
            )
        yield store


def _ended(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except (_NotThereError, ImportRefusedError, FormatMissingError) as error:
        fail(str(error))
    except RangeError as error:
        fail(str(error).replace("since_ms", "--since").replace("until_ms", "--until"), Exit.USAGE)
    except DatabaseUrlError as error:
        fail(str(error), Exit.CONFIG)
    except StoreError as error:
        fail(str(error), Exit.UNREACHABLE)


def _time_ms(text: str, settings: Config) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"'{text}' is no time: write 2026-01-31, 2026-01-31T12:00, or UTC in ms", Exit.USAGE)
    local = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(settings.timezone))
    return round(local.timestamp() * 1000)


def _outlets(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part in {str(n) for n in range(1, MAX_OUTLETS + 1)} for part in parts):
        fail(f"--outlets: numbers from 1 to {MAX_OUTLETS} with commas, as 1,2,3", Exit.USAGE)
    return sorted({int(part) for part in parts})


def _sources(text: str) -> list[Source]:
    try:
        return sorted({Source(part.strip()) for part in text.split(",") if part.strip()}, reverse=True)
    except ValueError:
        fail("--sources: main, backup or main,backup", Exit.USAGE)
