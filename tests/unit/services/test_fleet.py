"""Twins follow what PDUs send on the control link."""

import logging

import pytest
from tests.fakes.builders import (
    START_MS,
    Center,
    birth,
    gap,
    payload,
    result,
    running,
    state,
    status,
    telemetry,
    up,
)
from tests.fakes.clock import settle

from loadcenter.domain.readings import Quality
from loadcenter.domain.topology import Source
from loadcenter.services.announce import PduChanged
from loadcenter.services.fleet import NoSuchPduError
from loadcenter.services.ports import Message


def urgent(center: Center) -> list[bool]:
    return [one.urgent for one in center.said if isinstance(one, PduChanged)]


async def test_a_pdu_is_known_by_what_it_reports_at_connect(center: Center) -> None:
    await center.greet()
    twin = center.fleet.twin("rack-1")
    assert twin.online
    assert twin.identity is not None
    assert (twin.identity.model, twin.identity.outlets) == ("LC-4", 2)
    assert twin.state is not None
    assert twin.state.grades[Source.BACKUP] == "good"
    assert twin.quality(center.clock.now_ms()) is Quality.GOOD


async def test_a_birth_is_answered_with_the_positions_and_the_time(center: Center) -> None:
    await center.hear("birth", birth(boot=3))
    assert center.sent("ack") == [{"v": 1, "boot": 3, "telemetry": 0, "event": 0}]
    assert center.sent("time") == [{"v": 1, "ts_ms": START_MS}]


async def test_connected_pdus_are_told_the_time_each_hour(center: Center) -> None:
    await center.greet()
    await center.registry.add("rack-2", "")
    async with running(center.fleet.run_time):
        await center.clock.advance(3_600_000)
    assert [one["ts_ms"] for one in center.sent("time")] == [START_MS, START_MS + 3_600_000]
    assert center.sent("time", "rack-2") == []


async def test_a_pdu_registered_while_the_time_is_told_disturbs_nothing(center: Center) -> None:
    await center.greet()

    async def register_meanwhile() -> None:
        while True:
            await center.clock.sleep_ms(3_600_000)
            for number in range(20):
                await center.registry.add(f"new-{number}", "")

    async with running(center.fleet.run_time, register_meanwhile):
        await center.clock.advance(3_600_000)
    assert len(center.fleet.twins()) == 21


# ---- versions (MQTT-3, MQTT-26) --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("min_v", "max_v", "side"), [(2, 3, "update the control center"), (0, 0, "update the device")]
)
async def test_a_device_of_another_contract_version_is_told_apart_by_the_side_to_update(
    center: Center, min_v: int, max_v: int, side: str
) -> None:
    await center.hear("birth", birth(min_v=min_v, max_v=max_v))
    twin = center.fleet.twin("rack-1")
    assert side in twin.refusal
    assert twin.identity is None
    assert center.sent("ack") == []
    assert center.fleet.counts.refused == {"unknown_version": 1}


async def test_the_refusal_ends_with_a_birth_that_is_understood(center: Center) -> None:
    await center.hear("birth", birth(min_v=2, max_v=2))
    await center.hear("birth", birth(min_v=1, max_v=2))
    assert center.fleet.twin("rack-1").refusal == ""


# ---- online and offline ------------------------------------------------------------------------------------------------


async def test_the_will_takes_a_pdu_offline_and_its_readings_stale(center: Center) -> None:
    await center.greet()
    await center.hear("status", status("offline"))
    twin = center.fleet.twin("rack-1")
    assert not twin.online
    assert twin.quality(center.clock.now_ms()) is Quality.STALE
    assert urgent(center)[-1]


async def test_telemetry_shows_that_a_pdu_is_connected(center: Center) -> None:
    await center.hear("telemetry", telemetry(1))
    assert center.fleet.twin("rack-1").online


async def test_without_the_broker_nobody_counts_as_connected(center: Center) -> None:
    await center.greet()
    center.fleet.lost_link()
    assert not center.fleet.twin("rack-1").online


async def test_what_the_broker_retains_is_read_at_connect(center: Center) -> None:
    for leaf, body in (("birth", birth()), ("state", state()), ("status", status("online"))):
        center.broker.publish(up("rack-1", leaf), body, retain=True)
    async with running(center.fleet.run):
        center.broker.stop()
        center.broker.start()
        await settle()
    twin = center.fleet.twin("rack-1")
    assert twin.online
    assert twin.identity is not None
    assert twin.readings is None


@pytest.mark.parametrize("leaf", ["telemetry", "result"])
async def test_what_must_never_be_retained_is_no_news_when_it_is(center: Center, leaf: str) -> None:
    body = telemetry(1) if leaf == "telemetry" else result("c-1", "confirmed")
    await center.hear(leaf, body, retained=True)
    assert center.fleet.twin("rack-1").readings is None


async def test_a_cleared_retained_message_says_nothing(center: Center) -> None:
    await center.greet()
    before = center.fleet.twin("rack-1")
    for leaf in ("birth", "state", "status"):
        await center.hear(leaf, b"")
    assert center.fleet.twin("rack-1") == before
    assert center.fleet.counts.refused == {}


# ---- state and readings ------------------------------------------------------------------------------------------------


async def test_a_state_that_comes_late_does_not_replace_a_newer_one(center: Center) -> None:
    await center.hear("state", state(up_ms=900, settings=4))
    await center.hear("state", state(up_ms=800, settings=3))
    shown = center.fleet.twin("rack-1").state
    assert shown is not None
    assert shown.settings_version == 4


async def test_a_change_of_state_is_urgent_and_readings_are_not(center: Center) -> None:
    await center.greet()
    center.said.clear()
    await center.hear("telemetry", telemetry(2))
    await center.hear("state", state(up_ms=300, live=False))
    assert urgent(center) == [False, True]


async def test_the_same_state_again_is_no_news(center: Center) -> None:
    await center.greet()
    center.said.clear()
    await center.hear("status", status("online"))
    assert center.said == []


@pytest.mark.parametrize("body", [telemetry(6, first=1), gap(6, first=1)], ids=["thinned", "gap"])
async def test_records_that_stand_for_a_span_are_history_not_news(center: Center, body: bytes) -> None:
    await center.hear("telemetry", body)
    assert center.fleet.twin("rack-1").readings is None


async def test_records_sent_again_do_not_turn_the_page_back(center: Center) -> None:
    await center.hear("telemetry", telemetry(50))
    await center.hear("telemetry", telemetry(10, live=False))
    shown = center.fleet.twin("rack-1").readings
    assert shown is not None
    assert shown.live


async def test_the_start_of_a_boot_is_reckoned_from_its_live_readings(center: Center) -> None:
    assert center.fleet.uptime_origin("rack-1", 1) is None
    center.clock.skew_ms += 10_000
    await center.hear("telemetry", telemetry(10, ts_ms=None))
    assert center.fleet.uptime_origin("rack-1", 1) == START_MS


async def test_setting_the_clock_of_this_machine_forward_makes_no_pdu_stale(center: Center) -> None:
    """A small computer without a battery starts in the past and hears the time some seconds later."""
    await center.greet(seq=1)
    center.clock.skew_ms += 86_400_000
    await center.clock.advance(1_000)
    await center.hear("telemetry", telemetry(2))
    twin = center.fleet.twin("rack-1")
    assert twin.quality(center.clock.now_ms()) is Quality.GOOD
    assert twin.uptime_ms(center.clock.now_ms()) == pytest.approx(2_000, abs=5)


# ---- what is not understood ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        (up("rack-1", "state"), b"{", "unreadable"),
        (up("rack-1", "state"), payload(boot=1), "wrong_type"),
        (up("rack-1", "status"), payload(status="perhaps"), "wrong_type"),
        (up("rack-1", "result"), b"x" * 5_000, "too_large"),
        (up("rack-1", "birth"), b"[" * 3_000, "unreadable"),
        ("loadcenter/v1/rack-1/up/secret", b"{}", "foreign_topic"),
        ("elsewhere/v1/rack-1/up/state", b"{}", "foreign_topic"),
    ],
)
async def test_a_malformed_message_is_counted_and_logged_and_harms_nothing(
    center: Center, caplog: pytest.LogCaptureFixture, topic: str, body: bytes, reason: str
) -> None:
    await center.greet()
    before = center.fleet.twin("rack-1")
    with caplog.at_level(logging.WARNING):
        await center.fleet.take(Message(topic, body))
    assert center.fleet.counts.refused == {reason: 1}
    assert topic in caplog.text
    after = center.fleet.twin("rack-1")
    assert (after.state, after.readings, after.online) == (before.state, before.readings, before.online)


async def test_telemetry_that_is_refused_is_counted_where_records_are_kept(center: Center) -> None:
    await center.greet()
    before = center.fleet.twin("rack-1")
    await center.fleet.take(Message(up("rack-1", "telemetry"), telemetry(0)))
    assert center.fleet.counts.refused == {}
    assert center.fleet.twin("rack-1") == before


async def test_messages_of_the_control_link_are_acknowledged_to_the_broker(center: Center) -> None:
    async with running(center.fleet.run):
        center.broker.publish(up("rack-1", "state"), b"nonsense")
        center.broker.publish(up("rack-1", "state"), state())
        await settle()
    assert center.broker.unacked("control") == 0


async def test_a_pdu_that_is_not_registered_is_not_shown(center: Center) -> None:
    await center.hear("birth", birth(), pdu_id="stranger")
    assert list(center.fleet.twins()) == ["rack-1"]
    with pytest.raises(NoSuchPduError, match="loadcenter device list"):
        center.fleet.twin("stranger")


async def test_desired_settings_are_read_at_start() -> None:
    center = Center()
    await center.store.put_desired("rack-1", 3, '{"pdu": {"sequence_ms": 500}, "out": []}', 0)
    await center.open("rack-1")
    twin = center.fleet.twin("rack-1")
    assert (twin.desired_version, twin.desired["pdu"]) == (3, {"sequence_ms": 500})
