"""Alarms: conditions with a life. They follow from what a PDU reports, so none is missed over a restart."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from loadcenter.domain.events import Severity
from loadcenter.domain.qualification import GOOD_PERMILLE, permille
from loadcenter.domain.quantities import from_milli
from loadcenter.domain.topology import Grade, Source
from loadcenter.domain.twin import Twin

WELDED_OVER_MA = 200
"""Current through an outlet that is off, above which its relay counts as welded (behaviour.md, section 3)."""

REOPEN_WITHIN_MS = 60_000
"""A condition that returns this soon is the same alarm again, counted, not a new one."""


class AlarmKind(StrEnum):
    """What can be wrong for a while."""

    SILENT = "silent"
    OUTAGE = "outage"
    SOURCE_BAD = "source_bad"
    VOLTAGE_MARGINAL = "voltage_marginal"
    TRIP = "trip"
    RELAY_WELDED = "relay_welded"
    TRANSFER_LOCKOUT = "transfer_lockout"
    VERSION = "version"


TITLES: dict[AlarmKind, str] = {
    AlarmKind.SILENT: "No telemetry",
    AlarmKind.OUTAGE: "Outage",
    AlarmKind.SOURCE_BAD: "Source not usable",
    AlarmKind.VOLTAGE_MARGINAL: "Voltage marginal",
    AlarmKind.TRIP: "Tripped",
    AlarmKind.RELAY_WELDED: "Relay welded",
    AlarmKind.TRANSFER_LOCKOUT: "Transfers locked out",
    AlarmKind.VERSION: "Contract version",
}


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """What makes two reports the same condition."""

    pdu_id: str
    kind: AlarmKind
    outlet: int | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Something wrong now, with one sentence that holds the numbers."""

    key: ConditionKey
    severity: Severity
    detail: str


def conditions(twin: Twin, now_ms: int) -> Iterator[Condition]:
    """Yield what is wrong with a PDU, as far as it is known; an offline PDU yields only that it is silent.

    What was wrong when it went silent is neither confirmed nor cleared: see `settled`.
    """
    if twin.refusal:
        yield Condition(ConditionKey(twin.pdu_id, AlarmKind.VERSION), Severity.WARNING, twin.refusal)
    if twin.silent(now_ms):
        as_of_ms = twin.as_of_ms
        since = "yet" if as_of_ms is None else f"for {(now_ms - as_of_ms) // 1000} s"
        yield Condition(
            ConditionKey(twin.pdu_id, AlarmKind.SILENT),
            Severity.WARNING,
            f"Nothing heard of the PDU {since}. It goes on by itself; look at its network.",
        )
        return
    yield from _of_state(twin)
    yield from _of_readings(twin)


def settled(twin: Twin, kind: AlarmKind, now_ms: int) -> bool:
    """Return whether the absence of a condition may clear its alarm: only while the PDU is heard.

    After a restart nothing is known of a PDU before its birth, which says nothing of how it is.
    """
    if kind in (AlarmKind.SILENT, AlarmKind.VERSION):
        return twin.identity is not None
    return twin.state is not None and twin.online and not twin.silent(now_ms)


def _of_state(twin: Twin) -> Iterator[Condition]:
    state = twin.state
    if state is None:
        return
    if not state.live:
        yield Condition(
            ConditionKey(twin.pdu_id, AlarmKind.OUTAGE),
            Severity.CRITICAL,
            "No usable source: the outlets are dead.",
        )
    for source, grade in state.grades.items():
        if grade is Grade.USABLE and _is_marginal(twin, source):
            yield Condition(
                ConditionKey(twin.pdu_id, AlarmKind.VOLTAGE_MARGINAL, source=source),
                Severity.WARNING,
                f"{source.value.upper()} is within the limits at which it is left, but not good"
                f"{_volts(twin, source)}.",
            )
        if grade is Grade.BAD:
            active = " It is the active source." if source is state.active else ""
            yield Condition(
                ConditionKey(twin.pdu_id, AlarmKind.SOURCE_BAD, source=source),
                Severity.WARNING,
                f"{source.value.upper()} is outside its limits{_volts(twin, source)}.{active}",
            )
    for outlet in state.outlets:
        if outlet.trip is not None:
            yield Condition(
                ConditionKey(twin.pdu_id, AlarmKind.TRIP, outlet=outlet.outlet),
                Severity.CRITICAL,
                f"Outlet {outlet.outlet} was opened by protection ({outlet.trip}) and stays off until it is reset.",
            )
    if state.lockout:
        yield Condition(
            ConditionKey(twin.pdu_id, AlarmKind.TRANSFER_LOCKOUT),
            Severity.WARNING,
            "Too many transfers within an hour: returns and manual transfers wait.",
        )


def _of_readings(twin: Twin) -> Iterator[Condition]:
    for reading in twin.readings.outlets if twin.readings else ():
        # A reading is a mean: that of the second in which an outlet was opened still holds what it carried before.
        off = not reading.on and reading.outlet in twin.off_before
        if off and reading.current_ma is not None and reading.current_ma > WELDED_OVER_MA:
            yield Condition(
                ConditionKey(twin.pdu_id, AlarmKind.RELAY_WELDED, outlet=reading.outlet),
                Severity.CRITICAL,
                f"Outlet {reading.outlet} is commanded off but carries {from_milli(reading.current_ma):.2f} A: "
                "unplug the load and replace the relay.",
            )


def _is_marginal(twin: Twin, source: Source) -> bool:
    """Return whether the voltage itself is not good; a source that has just returned is usable for 2 s as well."""
    reading = twin.source_reading(source)
    if reading is None or reading.voltage_mv is None or twin.identity is None:
        return False
    return abs(permille(reading.voltage_mv, twin.identity.nominal_voltage_mv) - 1000) > GOOD_PERMILLE


def _volts(twin: Twin, source: Source) -> str:
    reading = twin.source_reading(source)
    volts = from_milli(reading.voltage_mv) if reading else None
    return "" if volts is None else f" at {volts:.0f} V"
