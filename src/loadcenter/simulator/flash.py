"""What a simulated device keeps without power, as a value that can be written down and read again."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct, field

from loadcenter.domain.events import Cause
from loadcenter.domain.memory import OutletMemory, PduMemory
from loadcenter.domain.protection import Latch, Trip

EVENT_RING = 256
"""Most events kept in flash, over all boots."""


class FlashError(ValueError):
    """Bytes that no device has written."""


class KeptLatch(Struct, frozen=True):
    """A latched trip."""

    trip: Trip
    measured: int = field(name="current_ma")
    limit: int = field(name="limit_ma")
    limit_ms: int


class KeptOutlet(Struct, frozen=True):
    """One outlet: what was wanted, why, and what its counter showed."""

    wanted: bool
    cause: Cause
    by: str
    locked: bool
    energy_mwh: int
    latch: KeptLatch | None = None
    heat_pct: int = 0


class KeptRecord(Struct, frozen=True):
    """An event that is not acknowledged."""

    first: int
    seq: int
    up_ms: int
    body: dict[str, object]
    lost: int | None = 0


class KeptEvents(Struct, frozen=True):
    """The events of one boot that are not acknowledged."""

    boot: int
    next_seq: int
    records: list[KeptRecord]


class Flash(Struct, frozen=True):
    """Everything that survives a loss of supply.

    Attributes:
        boot: number of the last start.
        telemetry: last telemetry number that it gave out, None when unknown.
        outlets: from outlet 1; empty in a new device.
        events: of the last boot and of those before, oldest first.
        settings: the desired settings in force, without `v`; None for the factory's.
        current: whether it was written when the device stopped. Else the counters have gone on since, unwritten.
    """

    boot: int = 0
    telemetry: int | None = None
    outlets: list[KeptOutlet] = []
    events: list[KeptEvents] = []
    settings: dict[str, object] | None = None
    current: bool = True

    def energy_mwh(self, count: int) -> list[int]:
        """Return what the counters of `count` outlets start from.

        A counter may go down only to 0 (MQTT-21), so one that is out of date begins anew.
        """
        known = [one.energy_mwh if self.current else 0 for one in self.outlets[:count]]
        return known + [0] * (count - len(known))


_decoder = msgspec.json.Decoder(Flash)


def write_flash(flash: Flash) -> bytes:
    """Return the bytes that `read_flash` reads."""
    return msgspec.json.encode(flash)


def read_flash(data: bytes) -> Flash:
    """Return what was written.

    Raises:
        FlashError: the bytes were not written by `write_flash`.
    """
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise FlashError(f"not the flash of a simulated PDU ({error}): delete it to begin anew") from error


def kept_outlets(memory: PduMemory, energy_mwh: Sequence[int]) -> list[KeptOutlet]:
    """Return the outlets as flash keeps them."""
    return [
        KeptOutlet(
            one.wanted,
            one.cause,
            one.by,
            one.locked,
            energy,
            None
            if one.latch is None
            else KeptLatch(one.latch.trip, one.latch.measured, one.latch.limit, one.latch.limit_ms),
            one.heat_pct,
        )
        for one, energy in zip(memory.outlets, energy_mwh, strict=True)
    ]


def recalled(outlets: Sequence[KeptOutlet], count: int) -> PduMemory:
    """Return the memory of a PDU with `count` outlets; what flash does not have is as new."""
    known = [
        OutletMemory(
            one.wanted,
            one.cause,
            one.by,
            None
            if one.latch is None
            else Latch(one.latch.trip, one.latch.measured, one.latch.limit, one.latch.limit_ms),
            one.locked,
            one.heat_pct,
        )
        for one in outlets[:count]
    ]
    return PduMemory(tuple(known + [OutletMemory()] * (count - len(known))))
