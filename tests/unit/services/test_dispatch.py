"""Orders end in exactly one of confirmed, rejected, expired, unknown (MQTT-40 to MQTT-45)."""

import asyncio
import json
from dataclasses import replace

import pytest
from tests.fakes.builders import Center, birth, result, running, state, status, telemetry
from tests.fakes.clock import settle

from loadcenter.domain.commands import CommandStatus, Do, Order, OrderError
from loadcenter.domain.topology import Source
from loadcenter.services import dispatch as dispatch_module
from loadcenter.services.announce import CommandChanged
from loadcenter.services.dispatch import GRACE_MS, TTL_MS, Dispatch
from loadcenter.services.fleet import NoSuchPduError
from loadcenter.services.ports import CommandRow, LinkDownError

OFF = Order(Do.SWITCH, 1, on=False, by="ada")


@pytest.fixture
async def ready(center: Center) -> Center:
    """A control center whose PDU has connected and reported."""
    await center.greet()
    return center


def restarted(center: Center) -> Dispatch:
    """Return the dispatch of a control center that was started again on the same database."""
    return Dispatch(
        center.control,
        center.store,
        center.clock,
        center.fleet,
        center.announcer,
        "loadcenter",
        journal_max=10,
    )


async def answer(center: Center, row: CommandRow, word: str, code: str = "ok") -> None:
    await center.hear("result", result(row.id, word, code))


async def kept(center: Center, command_id: str) -> CommandRow:
    row = await center.store.command(command_id)
    assert row is not None
    return row


# ---- the way of an order ------------------------------------------------------------------------------------------------


async def test_an_order_is_sent_with_boot_number_and_expiry_in_device_uptime(ready: Center) -> None:
    row = await ready.dispatch.submit("rack-1", OFF, None)
    (sent,) = ready.sent("command")
    assert row.status is CommandStatus.PENDING
    assert (sent["id"], sent["do"], sent["out"], sent["on"], sent["by"]) == (
        row.id,
        "switch",
        1,
        False,
        "ada",
    )
    assert (sent["boot"], sent["n"], sent["exp_up_ms"]) == (1, 1, 1_000 + TTL_MS)
    assert not any(one.retain for one in ready.broker.log if one.topic.endswith("command"))


async def test_the_expiry_follows_the_uptime_however_long_ago_it_was_heard(ready: Center) -> None:
    await ready.clock.advance(4_000)
    await ready.dispatch.submit("rack-1", OFF, None)
    assert ready.sent("command")[0]["exp_up_ms"] == 5_000 + TTL_MS


@pytest.mark.parametrize("step_ms", [3_600_000, -3_600_000])
async def test_a_step_of_our_clock_does_not_move_the_expiry(ready: Center, step_ms: int) -> None:
    ready.clock.skew_ms += step_ms
    await ready.dispatch.submit("rack-1", OFF, None)
    assert ready.sent("command")[0]["exp_up_ms"] == 1_000 + TTL_MS


async def test_accepted_then_confirmed_is_followed_to_its_end(ready: Center) -> None:
    row = await ready.dispatch.submit("rack-1", OFF, None)
    await answer(ready, row, "accepted")
    assert ready.dispatch.pending("rack-1", 1) is not None
    await ready.clock.advance(300)
    await answer(ready, row, "confirmed")
    ended = await ready.dispatch.command(row.id)
    assert ended is not None
    assert (ended.status, ended.settled_ms) == (CommandStatus.CONFIRMED, row.created_ms + 300)
    assert ready.dispatch.pending("rack-1", 1) is None
    told = [one.command.status.value for one in ready.said if isinstance(one, CommandChanged)]
    assert told == ["pending", "accepted", "confirmed"]


@pytest.mark.parametrize(("word", "code"), [("rejected", "latched"), ("expired", "expired")])
async def test_a_refusal_of_the_device_ends_the_order_with_its_code(
    ready: Center, word: str, code: str
) -> None:
    row = await ready.dispatch.submit("rack-1", OFF, None)
    await answer(ready, row, word, code)
    ended = await ready.dispatch.command(row.id)
    assert ended is not None
    assert (ended.status, ended.code) == (word, code)


async def test_an_end_is_not_changed_by_a_repeated_or_contrary_answer(ready: Center) -> None:
    row = await ready.dispatch.submit("rack-1", OFF, None)
    await answer(ready, row, "confirmed")
    await answer(ready, row, "rejected", "latched")
    await answer(ready, row, "accepted")
    ended = await ready.dispatch.command(row.id)
    assert ended is not None
    assert ended.status is CommandStatus.CONFIRMED


async def test_the_answer_of_another_pdu_settles_nothing(ready: Center) -> None:
    await ready.registry.add("rack-2", "")
    row = await ready.dispatch.submit("rack-1", OFF, None)
    await ready.hear("result", result(row.id, "confirmed"), pdu_id="rack-2")
    again = await ready.dispatch.command(row.id)
    assert again is not None
    assert again.status is CommandStatus.PENDING


# ---- refused before anything is sent ----------------------------------------------------------------------------------------

TRIPPED = [
    {"n": 1, "on": False, "cause": "protection", "trip": "overcurrent"},
    {"n": 2, "on": True, "cause": "restore"},
]
LOCKED = [{"n": 1, "on": True, "cause": "lock", "lock": True}, {"n": 2, "on": True, "cause": "restore"}]


@pytest.mark.parametrize(
    ("reported", "order", "code"),
    [
        ({"out": TRIPPED}, Order(Do.SWITCH, 1, on=True), "latched"),
        ({"out": TRIPPED}, Order(Do.CYCLE, 1, off_ms=5_000), "latched"),
        ({"out": LOCKED}, OFF, "locked"),
        ({}, Order(Do.SWITCH, 3, on=True), "no_such_outlet"),
        ({}, Order(Do.SWITCH, 1, on=True), "already"),
        ({}, Order(Do.RESET_TRIP, 1), "already"),
        (
            {"src": {"main": "good", "backup": "usable"}},
            Order(Do.TRANSFER, source=Source.BACKUP),
            "source_not_good",
        ),
        ({"lockout": True}, Order(Do.TRANSFER, source=Source.BACKUP), "lockout"),
        ({}, Order(Do.CLEAR_LOCKOUT), "already"),
    ],
)
async def test_what_the_pdu_would_refuse_is_refused_here_and_kept(
    center: Center, reported: dict[str, object], order: Order, code: str
) -> None:
    await center.greet(**reported)
    row = await center.dispatch.submit("rack-1", order, None)
    assert (row.status, row.code) == (CommandStatus.REJECTED, code)
    assert row.detail
    assert row.settled_ms is not None
    assert center.sent("command") == []
    async with running(center.dispatch.run_journal):
        await settle()
    assert await kept(center, row.id) == row


async def test_nothing_is_sent_to_a_pdu_that_is_offline(ready: Center) -> None:
    await ready.hear("status", status("offline"))
    row = await ready.dispatch.submit("rack-1", OFF, None)
    assert (row.status, row.code) == (CommandStatus.REJECTED, "offline")
    assert ready.sent("command") == []


async def test_nothing_is_sent_before_the_pdu_has_reported_its_state(center: Center) -> None:
    await center.hear("telemetry", telemetry(1))
    row = await center.dispatch.submit("rack-1", OFF, None)
    assert row.code == "unreported"


@pytest.mark.parametrize("after", [["birth"], ["birth", "state"]])
async def test_after_a_restart_of_the_pdu_nothing_is_sent_until_its_new_uptime_is_known(
    ready: Center, after: list[str]
) -> None:
    """An expiry on the uptime of the boot before would only be refused as `other_boot`."""
    bodies = {"birth": birth(boot=2), "state": state(boot=2)}
    for leaf in after:
        await ready.hear(leaf, bodies[leaf])
    assert (await ready.dispatch.submit("rack-1", OFF, None)).code == "unreported"
    await ready.hear("state", state(boot=2))
    await ready.hear("telemetry", telemetry(1, boot=2))
    await ready.dispatch.submit("rack-1", OFF, None)
    assert ready.sent("command")[-1]["boot"] == 2


async def test_an_incomplete_order_and_an_unknown_pdu_are_errors(ready: Center) -> None:
    with pytest.raises(OrderError, match="off_ms"):
        await ready.dispatch.submit("rack-1", Order(Do.CYCLE, 1), None)
    with pytest.raises(NoSuchPduError):
        await ready.dispatch.submit("rack-9", OFF, None)


# ---- numbers (MQTT-41) --------------------------------------------------------------------------------------------------------


async def test_numbers_rise_from_command_to_command(ready: Center) -> None:
    for on in (False, True, False):
        await ready.hear("state", state(up_ms=300, out=[{"n": 1, "on": not on, "cause": "restore"}]))
        await ready.dispatch.submit("rack-1", Order(Do.SWITCH, 1, on=on), None)
    assert [one["n"] for one in ready.sent("command")] == [1, 2, 3]


async def test_after_a_restart_of_the_control_center_numbers_go_on_above_the_last_the_device_took(
    center: Center,
) -> None:
    await center.greet(n=41)
    await restarted(center).submit("rack-1", OFF, None)
    assert center.sent("command")[0]["n"] == 42


async def test_each_boot_counts_from_one(ready: Center) -> None:
    await ready.dispatch.submit("rack-1", OFF, None)
    await ready.hear("birth", birth(boot=2))
    await ready.hear("state", state(boot=2))
    await ready.hear("telemetry", telemetry(1, boot=2))
    await ready.dispatch.submit("rack-1", OFF, None)
    assert [(one["boot"], one["n"]) for one in ready.sent("command")] == [(1, 1), (2, 1)]


# ---- no answer (MQTT-44) --------------------------------------------------------------------------------------------------------


async def test_without_an_answer_a_command_ends_as_unknown(ready: Center) -> None:
    async with running(ready.dispatch.run):
        row = await ready.dispatch.submit("rack-1", OFF, None)
        await ready.clock.advance(TTL_MS + GRACE_MS - 500)
        assert ready.dispatch.pending("rack-1", 1) is not None
        await ready.clock.advance(1_000)
    ended = await ready.dispatch.command(row.id)
    assert ended is not None
    assert ended.status is CommandStatus.UNKNOWN
    assert "not answered" in ended.detail


async def test_a_late_answer_settles_an_unknown_command(ready: Center) -> None:
    async with running(ready.dispatch.run):
        row = await ready.dispatch.submit("rack-1", OFF, None)
        await ready.clock.advance(20_000)
        await answer(ready, row, "confirmed")
    ended = await ready.dispatch.command(row.id)
    assert ended is not None
    assert ended.status is CommandStatus.CONFIRMED


async def test_a_power_cycle_may_take_its_pause_longer(ready: Center) -> None:
    async with running(ready.dispatch.run):
        row = await ready.dispatch.submit("rack-1", Order(Do.CYCLE, 1, off_ms=60_000), None)
        await ready.clock.advance(70_000)
        assert ready.dispatch.pending("rack-1", 1) is not None
        await answer(ready, row, "confirmed")
    assert ready.dispatch.pending("rack-1", 1) is None


async def test_a_long_power_cycle_is_not_forgotten_among_thousands_of_commands(
    ready: Center, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch_module, "REMEMBERED", 5)
    cycle = await ready.dispatch.submit("rack-1", Order(Do.CYCLE, 1, off_ms=3_600_000), None)
    for _ in range(20):
        row = await ready.dispatch.submit("rack-1", Order(Do.SWITCH, 2, on=False), None)
        await answer(ready, row, "rejected", "latched")
    pending = ready.dispatch.pending("rack-1", 1)
    assert pending is not None
    assert pending.id == cycle.id
    async with running(ready.dispatch.run):
        await ready.clock.advance(3_700_000)
        ended = await ready.dispatch.command(cycle.id)
    assert ended is not None
    assert ended.status is CommandStatus.UNKNOWN


async def test_a_late_accepted_is_no_end_and_leaves_an_unknown_command_unknown(ready: Center) -> None:
    row = await ready.dispatch.submit("rack-1", OFF, None)
    async with running(ready.dispatch.run):
        await ready.clock.advance(TTL_MS + GRACE_MS + 500)
    for word, ends in (("accepted", CommandStatus.UNKNOWN), ("confirmed", CommandStatus.CONFIRMED)):
        await answer(ready, row, word)
        ended = await ready.dispatch.command(row.id)
        assert ended is not None
        assert ended.status is ends


@pytest.mark.parametrize("word", ["accepted", "confirmed"])
async def test_a_connection_that_ends_after_the_answer_takes_nothing_back(
    ready: Center, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    async def answered_then_lost(topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        del topic, qos, retain
        await ready.hear("result", result(json.loads(payload)["id"], word, "ok"))
        raise LinkDownError("the connection ended while publishing")

    monkeypatch.setattr(ready.control, "publish", answered_then_lost)
    row = await ready.dispatch.submit("rack-1", OFF, None)
    assert row.status == word


async def test_the_wait_for_the_database_does_not_prolong_the_life_of_a_command(
    ready: Center, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slowly(row: CommandRow) -> CommandRow:
        await ready.clock.advance(3_000)
        return row

    monkeypatch.setattr(ready.store, "add_command", slowly)
    row = await ready.dispatch.submit("rack-1", OFF, "key")
    assert ready.sent("command")[0]["exp_up_ms"] == 1_000 + TTL_MS
    assert ready.dispatch.expires_at_ms(row) == row.created_ms + TTL_MS


async def test_an_order_while_the_broker_is_down_is_unknown_for_it_may_have_left(ready: Center) -> None:
    ready.broker.stop()
    row = await ready.dispatch.submit("rack-1", OFF, None)
    assert row.status is CommandStatus.UNKNOWN
    assert "broker" in row.detail


# ---- idempotency ---------------------------------------------------------------------------------------------------------------


async def test_the_same_key_gives_the_same_command_and_is_sent_once(ready: Center) -> None:
    first = await ready.dispatch.submit("rack-1", OFF, "key-1")
    again = await ready.dispatch.submit("rack-1", OFF, "key-1")
    assert again.id == first.id
    assert len(ready.sent("command")) == 1


@pytest.mark.parametrize("where", ["memory", "database"])
async def test_a_key_of_another_order_is_an_error_and_nothing_is_sent(ready: Center, where: str) -> None:
    await ready.dispatch.submit("rack-1", OFF, "key")
    asked = ready.dispatch if where == "memory" else restarted(ready)
    with pytest.raises(OrderError, match="give each order its own"):
        await asked.submit("rack-1", replace(OFF, outlet=2), "key")
    assert len(ready.sent("command")) == 1


async def test_a_key_is_known_over_a_restart_of_the_control_center(ready: Center) -> None:
    async with running(ready.dispatch.run_journal):
        first = await ready.dispatch.submit("rack-1", OFF, "key-1")
        await answer(ready, first, "confirmed")
        await settle()
    again = await restarted(ready).submit("rack-1", OFF, "key-1")
    assert (again.id, again.status) == (first.id, CommandStatus.CONFIRMED)
    assert len(ready.sent("command")) == 1


async def test_while_the_database_is_away_keys_in_memory_still_count(ready: Center) -> None:
    ready.store.away = "gone"
    first = await ready.dispatch.submit("rack-1", OFF, "key-1")
    again = await ready.dispatch.submit("rack-1", OFF, "key-1")
    other = await ready.dispatch.submit("rack-1", Order(Do.SWITCH, 2, on=False), "key-2")
    assert again.id == first.id != other.id
    assert len(ready.sent("command")) == 2


async def test_a_command_refused_under_a_key_stays_refused_under_it(ready: Center) -> None:
    await ready.hear("status", status("offline"))
    first = await ready.dispatch.submit("rack-1", OFF, "key-1")
    await ready.hear("status", status("online"))
    assert await ready.dispatch.submit("rack-1", OFF, "key-1") == first
    assert ready.sent("command") == []


# ---- what is written down --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "key-1"])
async def test_the_whole_life_of_a_command_is_written_down(ready: Center, key: str | None) -> None:
    async with running(ready.dispatch.run_journal):
        row = await ready.dispatch.submit("rack-1", OFF, key)
        await settle()
        assert (await kept(ready, row.id)).status is CommandStatus.PENDING
        await answer(ready, row, "accepted")
        await settle()
        assert (await kept(ready, row.id)).status is CommandStatus.ACCEPTED
        await answer(ready, row, "confirmed")
        await settle()
    assert await kept(ready, row.id) == await ready.dispatch.command(row.id)


async def test_switching_goes_on_while_the_database_is_away_and_is_written_later(ready: Center) -> None:
    async with running(ready.dispatch.run_journal):
        ready.store.away = "gone"
        row = await ready.dispatch.submit("rack-1", OFF, None)
        await answer(ready, row, "accepted")
        await answer(ready, row, "confirmed")
        await ready.clock.advance(60_000)
        ended = await ready.dispatch.command(row.id)
        assert ended is not None
        assert ended.status is CommandStatus.CONFIRMED
        assert [one.id for one in await ready.dispatch.commands(None, 10)] == [row.id]
        ready.store.away = None
        await ready.clock.advance(1_000)
    assert await kept(ready, row.id) == ended


async def test_the_journal_is_bounded_and_counts_what_it_gives_up(ready: Center) -> None:
    dispatch = restarted(ready)
    ready.store.away = "gone"
    for _ in range(25):
        await dispatch.submit("rack-1", Order(Do.SWITCH, 3, on=True), None)
    assert dispatch.journal_lost == 15
    ready.store.away = None
    async with running(dispatch.run_journal):
        await settle()
    assert len(await ready.store.commands(None, 100)) == 10


async def test_a_change_whose_beginning_was_given_up_is_written_all_the_same(ready: Center) -> None:
    dispatch = restarted(ready)
    row = CommandRow("c-1", "rack-1", OFF, CommandStatus.CONFIRMED, "ok", 5, 9)
    dispatch._keep(row)
    async with running(dispatch.run_journal):
        await settle()
    assert await kept(ready, "c-1") == row


async def test_a_command_under_way_when_the_control_center_ended_is_unknown_until_it_is_answered(
    ready: Center,
) -> None:
    async with running(ready.dispatch.run_journal):
        row = await ready.dispatch.submit("rack-1", OFF, None)
        await settle()
    ready.dispatch = restarted(ready)
    (shown,) = await ready.dispatch.commands("rack-1", 10)
    assert (shown.id, shown.status) == (row.id, CommandStatus.UNKNOWN)
    assert "restarted" in shown.detail
    async with running(ready.dispatch.run_journal):
        await answer(ready, row, "confirmed")
        await settle()
    assert (await kept(ready, row.id)).status is CommandStatus.CONFIRMED


async def test_an_answer_to_an_unknown_command_while_the_database_is_away_harms_nothing(
    ready: Center,
) -> None:
    ready.store.away = "gone"
    await ready.hear("result", result("c-of-another-time", "confirmed"))
    assert await ready.dispatch.commands(None, 10) == []


async def test_commands_are_listed_newest_first_from_memory_and_database(ready: Center) -> None:
    old = CommandRow("c-old", "rack-1", OFF, CommandStatus.CONFIRMED, "ok", 1, 2)
    await ready.store.add_command(old)
    await ready.store.add_command(replace(old, id="c-other", pdu_id="rack-2"))
    row = await ready.dispatch.submit("rack-1", OFF, None)
    assert [one.id for one in await ready.dispatch.commands("rack-1", 10)] == [row.id, "c-old"]
    assert [one.id for one in await ready.dispatch.commands("rack-1", 1)] == [row.id]
    assert await ready.dispatch.command("c-none") is None


async def test_the_newest_command_under_way_is_shown_for_its_outlet(ready: Center) -> None:
    await ready.dispatch.submit("rack-1", OFF, None)
    second = await ready.dispatch.submit("rack-1", OFF, None)
    pending = ready.dispatch.pending("rack-1", 1)
    assert pending is not None
    assert pending.id == second.id
    assert ready.dispatch.pending("rack-1", 2) is None
    assert ready.dispatch.expires_at_ms(second) == second.created_ms + TTL_MS


# ---- automatic orders -------------------------------------------------------------------------------------------


async def test_an_automatic_order_that_waits_for_the_database_is_superseded_by_a_person(
    ready: Center, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    add_command = ready.store.add_command

    async def slow(row: CommandRow) -> CommandRow:
        await gate.wait()
        return await add_command(row)

    monkeypatch.setattr(ready.store, "add_command", slow)
    on = replace(OFF, on=True, by="schedule:Evening")
    automatic = asyncio.create_task(ready.dispatch.submit("rack-1", on, "key"))
    await settle()
    person = await ready.dispatch.submit("rack-1", OFF, None)
    gate.set()
    row = await automatic
    assert (row.status, row.code) == (CommandStatus.REJECTED, "superseded")
    assert [one["id"] for one in ready.sent("command")] == [person.id]
