"""The readings of a PDU alone, as the live page gets them: what changes each second, without what seldom does."""

import msgspec
from msgspec import Struct

from loadcenter.adapters.web.shapes import Shapes, reading_factor, shown_quality, total
from loadcenter.domain.quantities import from_milli, kwh_from_mwh
from loadcenter.domain.topology import Source
from loadcenter.domain.twin import Twin


class SourceReadings(Struct):
    """The fields of `SourceOut` that readings change."""

    source: Source
    voltage_v: float | None
    frequency_hz: float | None


class OutletReadings(Struct):
    """The fields of `OutletOut` that readings change."""

    n: int
    voltage_v: float | None
    current_a: float | None
    power_w: float | None
    power_factor: float | None
    energy_kwh: float | None
    today_kwh: float | None


class PduReadings(Struct):
    """The fields of `PduOut` that readings change."""

    id: str
    as_of_ms: int | None
    age_ms: int | None
    quality: str
    active: Source | None
    live: bool | None
    power_w: float | None
    current_a: float | None
    sources: list[SourceReadings]
    outlets: list[OutletReadings]


_encode = msgspec.json.Encoder().encode


def readings_json(shapes: Shapes, pdu_id: str) -> str:
    """Return what the readings of a PDU are now, as JSON; every field as in `Shapes.pdu`.

    Raises:
        NoSuchPduError: none of that name is registered.
    """
    twin, now_ms = shapes.fleet.twin(pdu_id), shapes.clock.now_ms()
    known, identity, as_of_ms = twin.readings or twin.state, twin.identity, twin.as_of_ms
    outlets = [_outlet(shapes, twin, n) for n in range(1, (identity.outlets if identity else 0) + 1)]
    shown = PduReadings(
        pdu_id,
        as_of_ms,
        None if as_of_ms is None else max(0, now_ms - as_of_ms),
        shown_quality(twin.quality(now_ms)),
        known.active if known else None,
        known.live if known else None,
        total([one.power_w for one in outlets]),
        total([one.current_a for one in outlets]),
        [_source(twin, source) for source in Source] if identity else [],
        outlets,
    )
    return _encode(shown).decode()


def _outlet(shapes: Shapes, twin: Twin, n: int) -> OutletReadings:
    reading = twin.outlet_reading(n)
    if reading is None or twin.readings is None:
        return OutletReadings(n, None, None, None, None, None, None)
    today_mwh = shapes.today.energy_mwh(twin.pdu_id, n, reading.energy_mwh, twin.readings.ts_ms)
    return OutletReadings(
        n,
        from_milli(reading.voltage_mv),
        from_milli(reading.current_ma),
        from_milli(reading.power_mw),
        reading_factor(reading),
        kwh_from_mwh(reading.energy_mwh),
        kwh_from_mwh(today_mwh),
    )


def _source(twin: Twin, source: Source) -> SourceReadings:
    reading = twin.source_reading(source)
    if reading is None:
        return SourceReadings(source, None, None)
    return SourceReadings(source, from_milli(reading.voltage_mv), from_milli(reading.frequency_mhz))
