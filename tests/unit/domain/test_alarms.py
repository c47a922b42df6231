"""Conditions follow from what a PDU reports."""

from dataclasses import replace

import pytest

from loadcenter.domain.alarms import TITLES, AlarmKind, Condition, conditions, settled
from loadcenter.domain.events import Cause, Severity
from loadcenter.domain.readings import OutletReading, SourceReading, Telemetry
from loadcenter.domain.topology import Grade, Source
from loadcenter.domain.twin import Identity, ReportedOutlet, ReportedState, Twin

NOW = 1_800_000_000_000
GOOD = {Source.MAIN: Grade.GOOD, Source.BACKUP: Grade.GOOD}
STATE = ReportedState(
    1,
    0,
    NOW,
    Source.MAIN,
    Source.MAIN,
    True,
    True,
    GOOD,
    (ReportedOutlet(1, True, Cause.PERSON_ON, "", None, False, 4_000),),
    0,
    0,
    False,
)
IDENTITY = Identity(1, "LC-4", "1.0", 4, 230_000, 50_000, 4_000, 16_000, 1_000)


def readings(**outlet: object) -> Telemetry:
    reading = OutletReading(1, True, 230_000, 1_000, 230_000, 0)
    sources = (SourceReading(Source.MAIN, 171_400, 50_000), SourceReading(Source.BACKUP, 230_000, 50_000))
    return Telemetry(NOW, 1, 1_000, Source.MAIN, True, sources, (reading._replace(**outlet),))  # type: ignore[arg-type]


def twin(state: ReportedState = STATE, **outlet: object) -> Twin:
    known = Twin("rack-1", online=True, identity=IDENTITY, state=state)
    return known.with_readings(readings(**outlet), 1, 1_000, NOW)


def found(of: Twin, now_ms: int = NOW) -> dict[AlarmKind, Condition]:
    return {condition.key.kind: condition for condition in conditions(of, now_ms)}


def test_a_healthy_pdu_has_none() -> None:
    assert found(twin()) == {}


def test_a_pdu_never_heard_has_none() -> None:
    assert found(Twin("rack-1")) == {}


def test_a_dead_bus_is_a_critical_outage() -> None:
    outage = found(twin(replace(STATE, live=False)))[AlarmKind.OUTAGE]
    assert outage.severity is Severity.CRITICAL


def test_a_bad_source_is_named_with_its_voltage_and_whether_it_feeds() -> None:
    grades = {Source.MAIN: Grade.BAD, Source.BACKUP: Grade.GOOD}
    bad = found(twin(replace(STATE, grades=grades)))[AlarmKind.SOURCE_BAD]
    assert bad.key.source is Source.MAIN
    assert bad.detail == "MAIN is outside its limits at 171 V. It is the active source."


def test_a_usable_source_at_a_good_voltage_is_no_alarm() -> None:
    grades = {Source.MAIN: Grade.GOOD, Source.BACKUP: Grade.USABLE}
    assert found(twin(replace(STATE, grades=grades))) == {}


def test_a_usable_source_at_a_voltage_that_is_not_good_is_marginal() -> None:
    grades = {Source.MAIN: Grade.USABLE, Source.BACKUP: Grade.GOOD}
    marginal = found(twin(replace(STATE, grades=grades)))[AlarmKind.VOLTAGE_MARGINAL]
    assert marginal.severity is Severity.WARNING
    assert marginal.detail == "MAIN is within the limits at which it is left, but not good at 171 V."


def test_a_latched_trip_is_critical_and_names_its_outlet() -> None:
    outlets = (ReportedOutlet(1, False, Cause.PROTECTION, "", "overcurrent", False, 4_000),)
    trip = found(twin(replace(STATE, outlets=outlets)))[AlarmKind.TRIP]
    assert (trip.key.outlet, trip.severity) == (1, Severity.CRITICAL)
    assert "overcurrent" in trip.detail


@pytest.mark.parametrize(("current_ma", "welded"), [(None, False), (200, False), (201, True), (4_000, True)])
def test_current_through_an_outlet_that_is_off_means_a_welded_relay(
    current_ma: int | None, *, welded: bool
) -> None:
    off = readings(on=False, current_ma=current_ma)
    known = twin(on=False, current_ma=0).with_readings(off, 1, 2_000, NOW)
    assert (AlarmKind.RELAY_WELDED in found(known)) is welded


def test_the_mean_of_the_second_in_which_an_outlet_was_opened_is_no_sign_of_a_welded_relay() -> None:
    opened = twin(current_ma=1_000).with_readings(readings(on=False, current_ma=600), 1, 2_000, NOW)
    assert found(opened) == {}
    again = opened.with_readings(readings(on=False, current_ma=600), 1, 2_000, NOW)  # by the other connection
    assert found(again) == {}
    later = again.with_readings(readings(on=False, current_ma=600), 1, 3_000, NOW)
    assert AlarmKind.RELAY_WELDED in found(later)


def test_a_lockout_is_a_warning() -> None:
    assert found(twin(replace(STATE, lockout=True)))[AlarmKind.TRANSFER_LOCKOUT].severity is Severity.WARNING


def test_a_silent_pdu_has_only_that_alarm_with_the_time_since() -> None:
    dead = twin(replace(STATE, live=False))
    silent = found(dead, NOW + 61_000)
    assert list(silent) == [AlarmKind.SILENT]
    assert "for 61 s" in silent[AlarmKind.SILENT].detail


def test_a_refused_contract_version_is_said_beside_the_rest() -> None:
    assert AlarmKind.VERSION in found(replace(twin(), refusal="update the device"))


@pytest.mark.parametrize("kind", [k for k in AlarmKind if k not in (AlarmKind.SILENT, AlarmKind.VERSION)])
def test_what_was_wrong_when_a_pdu_went_offline_is_neither_confirmed_nor_cleared(kind: AlarmKind) -> None:
    assert settled(twin(), kind, NOW)
    assert not settled(replace(twin(), online=False), kind, NOW)
    assert not settled(twin(), kind, NOW + 60_000)
    assert not settled(Twin("rack-1"), kind, NOW)


@pytest.mark.parametrize("kind", [AlarmKind.SILENT, AlarmKind.VERSION])
def test_a_pdu_that_is_not_known_yet_clears_no_alarm(kind: AlarmKind) -> None:
    assert not settled(Twin("rack-1"), kind, NOW)
    assert settled(twin(), kind, NOW)


def test_every_kind_has_a_title() -> None:
    assert set(TITLES) == set(AlarmKind)
