"""`loadcenter device update`: a new program for the gateway of a PDU, over the air."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from loadcenter.apps.cli.client import Client, NotRunningError, RefusedError
from loadcenter.apps.cli.options import AsJson, ConfigFile, Data, connect, read_config
from loadcenter.apps.cli.terminal import Exit, counting, fail, show
from loadcenter.apps.gateway_build import GatewayBuildError, built_gateway, version_of
from loadcenter.apps.update_files import keep_image
from loadcenter.protocol.updating import IMAGE_MAX_BYTES

_POLL_S = 0.5
REASONS = {
    "malformed": "it does not understand the offer: it runs another version of the contract",
    "bad_signature": "the offer is not signed with its key: set it up anew with what `device add --replace` makes",
    "repeated": "it has ended an update with a later number: look at the clock of this machine",
    "too_large": "it has no room for the image",
    "bad_digest": "what it has stored is not what was sent: try again; if it repeats, its flash is worn",
}
"""What to do about each refusal (MQTT-72, MQTT-74)."""


def update(
    pdu_id: Annotated[str, typer.Argument(metavar="PDU")],
    given: Annotated[
        Path | None,
        typer.Option("--image", help="An image that is built; without it the checkout's is built."),
    ] = None,
    wait_s: Annotated[
        int, typer.Option("--wait", min=0, help="Seconds to wait for its end; it goes on without us.")
    ] = 900,
    config: ConfigFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Offer a new program to the gateway of a PDU, signed for it alone, and follow it to its end."""
    client = connect(config, data)
    folder = read_config(config, data=str(data) if data else None).folder
    version, image = _image(given)
    try:
        name = keep_image(folder, image)
        path = f"/devices/{pdu_id}/update"
        client.post(path, {"version": version, "image": name})
        ended = _follow(client, path, wait_s, quiet=as_json)
    except OSError as error:
        fail(f"the image cannot be kept in {folder}: {error}")
    except RefusedError as error:
        fail(str(error))
    except NotRunningError as error:
        fail(str(error), Exit.NOT_RUNNING)
    _tell(pdu_id, ended, as_json=as_json)


def _image(given: Path | None) -> tuple[str, bytes]:
    try:
        if given is None:
            build = built_gateway()
            return build.version, build.image.read_bytes()
        image = given.read_bytes()
    except GatewayBuildError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{given} cannot be read: {error.strerror}", Exit.USAGE)
    if not 0 < len(image) <= IMAGE_MAX_BYTES:
        fail(
            f"{given} is no image: it has {len(image):,} bytes, 1 to {IMAGE_MAX_BYTES:,} are possible",
            Exit.USAGE,
        )
    return version_of(image, "file"), image


def _follow(client: Client, path: str, wait_s: int, *, quiet: bool) -> dict[str, Any]:
    """Return the progress when the update has ended, or when the time is over."""
    deadline_s = time.monotonic() + wait_s
    with counting(quiet) as count:
        while True:
            progress: dict[str, Any] = client.get(path)
            count(f"bytes of {progress['size']:,}, {progress['stage']}", progress["taken"])
            if progress["stage"] not in ("offered", "taking", "restarting") or time.monotonic() >= deadline_s:
                return progress
            time.sleep(_POLL_S)


def _tell(pdu_id: str, progress: dict[str, Any], *, as_json: bool) -> None:
    version = progress["version"]
    match progress["stage"]:
        case "confirmed":
            show(progress, as_json=as_json, table=f"{pdu_id} runs {version}")
        case "rolled_back":
            fail(f"{version} did not come up on {pdu_id}, which runs the version before again")
        case "refused":
            fail(f"{pdu_id} refuses {version} ({progress['code']}): {REASONS.get(progress['code'], '')}")
        case "offered":
            show(
                progress,
                as_json=as_json,
                table=f"{version} is offered; {pdu_id} takes it when it is connected",
            )
        case stage:
            show(progress, as_json=as_json, table=f"{pdu_id} is {stage} {version}; it goes on by itself")
