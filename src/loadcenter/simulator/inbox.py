"""Payloads of the contract as a device reads them. The control center's own encoder knows nothing of this module."""

import json
import re
from dataclasses import dataclass

from loadcenter.domain.commands import Do, Order, OrderError, check_order
from loadcenter.domain.topology import MAX_OUTLETS, Source
from loadcenter.simulator.encode import PAYLOAD_MAX_BYTES, VERSION

WORD_MAX = 64
NUMBER_MAX = 2**53 - 1
"""Largest whole number that every JSON reader keeps exactly."""

COUNTER_MAX = 2**32 - 1
"""Largest boot and command number of the contract."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class UnreadableError(ValueError):
    """A payload that a device cannot read; the message says why."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as far as it could be read; without an order `fault` says why."""

    id: str
    boot: int
    n: int
    exp_up_ms: int
    order: Order | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Ack:
    """What the control center has stored of one boot (MQTT-14)."""

    boot: int
    telemetry: int
    event: int


def read_object(payload: bytes) -> dict[str, object]:
    """Return the JSON object in `payload`.

    Raises:
        UnreadableError: it is too large, not an object, or of another version of the contract.
    """
    if len(payload) > PAYLOAD_MAX_BYTES:
        raise UnreadableError(f"{len(payload)} bytes, at most {PAYLOAD_MAX_BYTES} are read")
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise UnreadableError("not a JSON object")
    return fields


def check_version(fields: dict[str, object]) -> None:
    """Check that the payload is of the version that a device speaks (MQTT-3).

    Raises:
        UnreadableError: it is not; the message says which side must be updated.
    """
    version = fields.get("v")
    if type(version) is not int or version != VERSION:  # true and 1.0 equal 1 and are no versions
        newer = isinstance(version, int) and version > VERSION
        side = "the device" if newer else "the control center"
        raise UnreadableError(f"contract version {version}, this device speaks {VERSION}: update {side}")


def read_ack(payload: bytes) -> Ack:
    """Return the ack in `payload`.

    Raises:
        UnreadableError: it is not one.
    """
    fields = read_object(payload)
    check_version(fields)
    return Ack(number(fields, "boot"), number(fields, "telemetry"), number(fields, "event"))


def read_command(payload: bytes) -> Command:
    """Return the command in `payload` as far as it can be read; it is never refused here."""
    try:
        fields = read_object(payload)
    except UnreadableError as error:
        return Command("", 0, 0, 0, None, str(error))
    name = fields.get("id")
    command_id = name if isinstance(name, str) and _ID.fullmatch(name) else ""
    boot, n = _known(fields, "boot"), _known(fields, "n")
    try:
        check_version(fields)
        _check_id(name)
        number(fields, "boot", COUNTER_MAX)
        number(fields, "n", COUNTER_MAX)
        order = check_order(_order(fields))
        return Command(command_id, boot, n, number(fields, "exp_up_ms"), order)
    except (UnreadableError, OrderError) as error:
        return Command(command_id, boot, n, 0, None, str(error))


def _check_id(name: object) -> None:
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise UnreadableError(f"id is {name!r}: it must be 1 to {WORD_MAX} of A-Z, a-z, 0-9, '_' and '-'")


def number(fields: dict[str, object], name: str, highest: int = NUMBER_MAX) -> int:
    """Return a whole number, 0 to `highest`.

    Raises:
        UnreadableError: it is missing or something else.
    """
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= highest:
        raise UnreadableError(f"{name} is {str(value)[:40]!r}: it must be a whole number, 0 to {highest}")
    return value


def _known(fields: dict[str, object], name: str) -> int:
    """Return a number for the answer to a command that cannot be read in full; 0 where there is none."""
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 < value <= COUNTER_MAX else 0


def _order(fields: dict[str, object]) -> Order:
    do, source, by = fields.get("do"), fields.get("src"), fields.get("by", "")
    if not isinstance(do, str) or do not in Do._value2member_map_:
        raise UnreadableError(f"do is {do!r}: it must be one of {', '.join(Do)}")
    if source is not None and (not isinstance(source, str) or source not in Source._value2member_map_):
        raise UnreadableError(f"src is {source!r}: it must be main or backup")
    on = fields.get("on")
    if on is not None and not isinstance(on, bool):
        raise UnreadableError(f"on is {on!r}: it must be true or false")
    if not isinstance(by, str) or len(by) > WORD_MAX:
        raise UnreadableError(f"by must be a text of at most {WORD_MAX} characters")
    outlet = number(fields, "out") if "out" in fields else None
    if outlet is not None and not 1 <= outlet <= MAX_OUTLETS:
        raise UnreadableError(f"out is {outlet}: outlets count from 1 to {MAX_OUTLETS}")
    off_ms = number(fields, "off_ms") if "off_ms" in fields else None
    return Order(Do(do), outlet, on, off_ms, None if source is None else Source(source), by)
