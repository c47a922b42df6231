"""`loadcenter device …`: register PDUs. Works with a running control center, and on its database while none runs."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from loadcenter.adapters.clock import SystemClock
from loadcenter.adapters.mqtt.credentials import make_credentials
from loadcenter.adapters.storage.engine import DatabaseUrlError
from loadcenter.adapters.storage.store import open_store
from loadcenter.apps.cli.client import Client, NotRunningError, RefusedError
from loadcenter.apps.cli.options import AsJson, ConfigFile, Data, read_config
from loadcenter.apps.cli.terminal import Exit, fail, show, table
from loadcenter.apps.cli.updating import update
from loadcenter.apps.config import Config
from loadcenter.apps.data_folder import DataFolderError, make_folder
from loadcenter.apps.gateway_file import GatewayFile, GatewayFileError, Places, broker_for_devices
from loadcenter.apps.update_files import update_secret
from loadcenter.domain.topology import TopologyError, check_pdu_id
from loadcenter.services.ports import DeviceRow, StoreError
from loadcenter.services.updates import update_key

device = typer.Typer(no_args_is_help=True, help="Register PDUs, list them, and update their gateways.")
device.command("update")(update)


@device.command("add")
def add(
    pdu_id: Annotated[str, typer.Argument(metavar="PDU", help="1 to 32 of a-z, 0-9 and '-'.")],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Give a registered PDU a new password.")] = False,
    file: Annotated[
        Path | None, typer.Option("--file", help="Write what its gateway needs into this file.")
    ] = None,
    qr: Annotated[
        Path | None,
        typer.Option("--qr", help="Write the same as a QR code (.svg or .png) for the set-up page."),
    ] = None,
    broker: Annotated[
        str | None, typer.Option(help="mqtts://HOST:PORT of the broker, as the gateway reaches it.")
    ] = None,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Register a PDU and print its password, once; also the line for a Mosquitto password file."""
    settings = read_config(config, data=str(data) if data else None)
    places = Places(file, qr)
    try:
        check_pdu_id(pdu_id)
        places.check()
        place = broker_for_devices(settings, broker) if file or qr else None
        made = _add(settings, pdu_id, name or pdu_id, replace=replace)
        gateway = (
            GatewayFile(pdu_id, made["password"], made["update_key"], *place, settings.root)
            if place
            else None
        )
        told = places.write(gateway) if gateway else []
    except GatewayFileError as error:
        fail(str(error), Exit.USAGE)
    except TopologyError as error:
        fail(str(error), Exit.USAGE)
    except (RefusedError, NotRunningError) as error:
        fail(str(error))
    except DatabaseUrlError as error:
        fail(str(error), Exit.CONFIG)
    except (StoreError, DataFolderError) as error:
        fail(str(error), Exit.UNREACHABLE)
    text = (
        f"{pdu_id} is registered. Its MQTT user name is {pdu_id}, its password (shown this once):\n\n"
        f"    {made['password']}\n"
    )
    text += f"\nFor a Mosquitto password file:\n\n    {made['mosquitto']}\n"
    text += "".join(f"\n{line}\n" for line in told)
    show(made, as_json=as_json, table=text)


@device.command("list")
def list_devices(config: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """List the registered PDUs."""
    settings = read_config(config, data=str(data) if data else None)
    try:
        rows = asyncio.run(_list(settings))
    except DatabaseUrlError as error:
        fail(str(error), Exit.CONFIG)
    except StoreError as error:
        fail(str(error), Exit.UNREACHABLE)
    shown = table("PDU", "name")
    for row in rows:
        shown.add_row(row.pdu_id, row.name)
    items = [{"id": row.pdu_id, "name": row.name, "created_ms": row.created_ms} for row in rows]
    show(items, as_json=as_json, table=shown if rows else "No PDU is registered: loadcenter device add NAME")


def _add(settings: Config, pdu_id: str, name: str, *, replace: bool) -> dict[str, Any]:
    if _running(settings.folder):
        body = {"id": pdu_id, "name": name, "replace": replace}
        answer: dict[str, Any] = Client.of(settings.folder).post("/devices", body)
        return answer
    return asyncio.run(_add_to_store(settings, pdu_id, name, replace=replace))


def _running(folder: Path) -> bool:
    try:
        Client.of(folder)
    except NotRunningError:
        return False
    return True


async def _add_to_store(settings: Config, pdu_id: str, name: str, *, replace: bool) -> dict[str, Any]:
    make_folder(settings.folder)
    async with open_store(settings.database_url) as store:
        known = next((one for one in await store.devices() if one.pdu_id == pdu_id), None)
        if known is not None and not replace:
            raise RefusedError(
                f"'{pdu_id}' is registered; --replace gives it a new password and ends the old one"
            )
        made = make_credentials()
        labels = known.labels if known else ""
        row = DeviceRow(pdu_id, name, SystemClock().now_ms(), made.bcrypt_hash, made.mosquitto_hash, labels)
        await store.put_device(row)
    return {
        "id": pdu_id,
        "password": made.secret,
        "mosquitto": f"{pdu_id}:{made.mosquitto_hash}",
        "update_key": update_key(update_secret(settings.folder), row).hex(),
    }


async def _list(settings: Config) -> list[DeviceRow]:
    if not settings.database and not settings.folder.exists():
        return []  # nothing was ever started or registered there
    async with open_store(settings.database_url) as store:
        return sorted(await store.devices(), key=lambda row: row.pdu_id)
