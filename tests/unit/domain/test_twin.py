"""What is known of a PDU, and how old that is."""

from dataclasses import replace

import pytest

from loadcenter.domain.events import Cause
from loadcenter.domain.readings import Quality, Telemetry
from loadcenter.domain.topology import Grade, Source
from loadcenter.domain.twin import (
    SILENT_AFTER_MS,
    STALE_AFTER_MS,
    Identity,
    ReportedOutlet,
    ReportedState,
    Twin,
    UptimeAnchor,
)

NOW = 1_800_000_000_000
IDENTITY = Identity(1, "LC-4", "1.0", 4, 230_000, 50_000, 4_000, 16_000, 1_000)
READINGS = Telemetry(NOW, 1, 1_000, Source.MAIN, True, (), ())


def state(boot: int = 1, up_ms: int = 0, **changed: object) -> ReportedState:
    grades = {Source.MAIN: Grade.GOOD, Source.BACKUP: Grade.GOOD}
    outlets = (ReportedOutlet(1, True, Cause.PERSON_ON, "ada", None, False, 4_000),)
    shown = ReportedState(
        boot, up_ms, NOW, Source.MAIN, Source.MAIN, True, True, grades, outlets, 0, 0, False
    )
    return replace(shown, **changed)  # type: ignore[arg-type]


def heard(up_ms: int = 10_000, at_ms: int = NOW, boot: int = 1) -> Twin:
    return Twin("rack-1", online=True, identity=IDENTITY).with_readings(READINGS, boot, up_ms, at_ms)


def test_nothing_is_assumed_of_a_pdu_that_was_never_heard() -> None:
    twin = Twin("rack-1")
    assert (twin.quality(NOW), twin.as_of_ms, twin.uptime_ms(NOW), twin.silent(NOW)) == (
        None,
        None,
        None,
        False,
    )
    assert twin.outlet_state(1) is None
    assert twin.outlet_reading(1) is None
    assert twin.source_reading(Source.MAIN) is None


def test_readings_are_good_for_five_seconds_then_stale() -> None:
    twin = heard()
    assert twin.quality(NOW + STALE_AFTER_MS) is Quality.GOOD
    assert twin.quality(NOW + STALE_AFTER_MS + 1) is Quality.STALE


def test_readings_of_an_offline_pdu_are_stale_at_once() -> None:
    assert replace(heard(), online=False).quality(NOW) is Quality.STALE


def test_the_age_follows_the_uptime_of_the_device_not_its_clock_and_not_the_delay() -> None:
    """A message that took 3 s on its way is 3 s old, whatever time the device believes it is."""
    twin = heard(10_000, NOW)
    twin = twin.with_readings(replace(READINGS, ts_ms=5), 1, 11_000, NOW + 4_000)
    assert twin.as_of_ms == pytest.approx(NOW + 1_000, abs=10)


def test_readings_older_than_those_shown_change_nothing() -> None:
    twin = heard(10_000)
    assert twin.with_readings(READINGS, 1, 9_000, NOW + 50) is twin


def test_readings_of_a_new_boot_are_shown_though_their_uptime_is_lower() -> None:
    twin = heard(10_000).with_readings(replace(READINGS, live=False), 2, 500, NOW + 2_000)
    assert twin.readings is not None
    assert (twin.readings.live, twin.as_of_ms) == (False, NOW + 2_000)


def test_a_straggler_of_the_boot_before_is_not_shown() -> None:
    twin = replace(heard(500, boot=2), identity=replace(IDENTITY, boot=2))
    assert twin.with_readings(replace(READINGS, live=False), 1, 99_000, NOW + 100) is twin


def test_a_device_whose_boot_counter_was_wiped_is_shown_after_its_birth() -> None:
    twin = replace(heard(500, boot=57), identity=replace(IDENTITY, boot=1))
    twin = twin.with_readings(replace(READINGS, live=False), 1, 200, NOW + 1_000)
    assert twin.readings is not None
    assert not twin.readings.live


def test_a_state_older_than_the_one_shown_changes_nothing() -> None:
    twin = Twin("rack-1").with_state(state(up_ms=500, settings_version=3))
    assert twin.with_state(state(up_ms=400)) is twin
    shown = twin.with_state(state(boot=2, up_ms=100)).state
    assert shown is not None
    assert shown.boot == 2


# ---- the anchor of uptimes -------------------------------------------------------------------------------------------


def test_the_fastest_message_is_the_best_estimate_of_when_a_boot_began() -> None:
    anchor = UptimeAnchor(1, 1_000, 5_000).sharpen(1, 4_100, 5_100 - 50)
    assert anchor.origin_ms == 950
    assert anchor.sharpen(1, 5_000, 8_000).origin_ms == pytest.approx(950, abs=4)


def test_a_new_boot_has_an_anchor_of_its_own() -> None:
    assert UptimeAnchor(1, 1_000, 5_000).sharpen(2, 100, 9_000) == UptimeAnchor(2, 8_900, 9_000)


@pytest.mark.parametrize("ppm", [-100, 0, 100, 500])
def test_a_pdu_whose_crystal_is_off_never_looks_stale_while_it_is_heard(ppm: int) -> None:
    """Without an allowance for drift a clock 50 ppm slow would look 4.3 s older each day."""
    twin = heard(0, NOW)
    for second in range(0, 3 * 86_400, 10):
        real_ms = NOW + second * 1_000
        twin = twin.with_readings(READINGS, 1, second * 1_000 * (1_000_000 - ppm) // 1_000_000, real_ms)
        assert twin.quality(real_ms) is Quality.GOOD
        assert twin.as_of_ms is not None
        assert abs(real_ms - twin.as_of_ms) < 100


def test_the_uptime_now_is_reckoned_from_the_anchor() -> None:
    assert heard(10_000, NOW).uptime_ms(NOW + 2_500) == 12_500


# ---- silence ---------------------------------------------------------------------------------------------------------


def test_fifteen_seconds_without_telemetry_are_silence() -> None:
    twin = heard()
    assert not twin.silent(NOW + SILENT_AFTER_MS)
    assert twin.silent(NOW + SILENT_AFTER_MS + 1)


def test_a_pdu_that_said_goodbye_is_silent_at_once() -> None:
    assert replace(heard(), online=False).silent(NOW)


def test_a_pdu_that_connects_and_never_sends_telemetry_is_silent_after_fifteen_seconds() -> None:
    twin = Twin("rack-1", online=True, online_since_ms=NOW, identity=IDENTITY)
    assert not twin.silent(NOW + SILENT_AFTER_MS)
    assert twin.silent(NOW + SILENT_AFTER_MS + 1)
