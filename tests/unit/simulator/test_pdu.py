import json
from itertools import pairwise

import pytest
from tests.unit.simulator.wire import LOADS, Wire

from loadcenter.domain.topology import Source
from loadcenter.simulator.flash import EVENT_RING
from loadcenter.simulator.gateway import Limits
from loadcenter.simulator.loads import CATALOG
from loadcenter.simulator.mains import UNDISTURBED, Disturbance
from loadcenter.simulator.pdu import PduSpec

MIDDAY_MS = 1_767_268_800_000


@pytest.fixture
def wire():
    return Wire().run(3000)


def lose(wire, source=Source.MAIN, permille=0):
    wire.pdu.plant.supplies[source].disturb(
        UNDISTURBED if permille == 1000 else Disturbance(permille), wire.now_ms
    )
    wire.pdu.plant.touch()


# -- connecting


def test_birth_state_and_online_open_every_connection(wire):
    assert [leaf for leaf, _ in wire.said[:3]] == ["birth", "state", "status"]
    wire.pdu.disconnected(wire.now_ms)
    wire.said.clear()
    wire.connect()
    assert [leaf for leaf, _ in wire.said[:3]] == ["birth", "state", "status"]


def test_the_will_says_offline(wire):
    will = wire.pdu.will
    assert json.loads(will.payload) == {"v": 1, "status": "offline"}
    assert (will.topic, will.qos, will.retain) == ("loadcenter/v1/rack-1/up/status", 1, True)


def test_without_a_connection_nothing_is_published():
    wire = Wire(connect=False).run(5000)
    assert wire.said == []
    wire.connect()
    assert wire.seqs("telemetry") == [1, 2, 3, 4, 5]


def test_no_relay_moves_when_the_connection_goes(wire):
    before = wire.pdu.state.drives
    wire.pdu.disconnected(wire.now_ms)
    wire.run(60_000)
    assert wire.pdu.state.drives == before


# -- telemetry


def test_a_record_a_second_whatever_the_tick():
    for tick_ms in (20, 50, 250, 1000):
        wire = Wire().run(5000, tick_ms)
        assert [(one["seq"], one["up_ms"]) for one in wire.of("telemetry")] == [
            (n, n * 1000) for n in range(1, 6)
        ]


def test_the_counter_grows_by_what_is_drawn(wire):
    for _ in range(20):
        wire.run(3000)
        wire.ack(telemetry=wire.seqs("telemetry")[-1], event=99)
    first, last = wire.of("telemetry")[3], wire.of("telemetry")[-1]
    for before, after in zip(first["out"], last["out"], strict=True):
        drawn = sum(one["out"][before["n"] - 1]["p_mw"] for one in wire.of("telemetry")[4:])
        assert after["e_mwh"] - before["e_mwh"] == pytest.approx(drawn / 3600, abs=1.1)


def test_a_dead_source_has_no_frequency(wire):
    lose(wire)
    wire.run(2000)
    assert wire.of("telemetry")[-1]["src"]["main"] == {"v_mv": 0, "f_mhz": None}


def test_another_period_is_told_in_each_record():
    spec = PduSpec("rack-1", [CATALOG[name](1) for name in LOADS], period_ms=250)
    wire = Wire(spec).run(2000)
    assert len(wire.of("telemetry")) == 8
    assert {one["dt_ms"] for one in wire.of("telemetry")} == {250}


# -- acks


def test_what_is_acknowledged_is_not_sent_again(wire):
    wire.ack(telemetry=3, event=99)
    wire.said.clear()
    wire.run(30_000)
    assert min(wire.seqs("telemetry")) == 4
    assert wire.seqs("event") == []


def test_what_is_not_acknowledged_is_sent_again(wire):
    wire.run(9000)
    assert wire.seqs("telemetry").count(1) == 2


def test_an_ack_of_another_boot_changes_nothing(wire):
    wire.ack(telemetry=99, event=99, boot=17)
    wire.pdu.disconnected(wire.now_ms)
    wire.said.clear()
    wire.connect()
    assert wire.seqs("telemetry") == [1, 2, 3]


def test_a_backlog_drains_as_fast_as_it_is_acknowledged():
    wire = Wire(connect=False).run(400_000, 1000)
    wire.connect()
    for _ in range(10):
        wire.ack(telemetry=max(wire.seqs("telemetry")), event=99)
    assert wire.seqs("telemetry") == list(range(1, 401))


def test_a_long_silence_is_thinned_and_never_a_hole():
    spec = PduSpec("rack-1", [CATALOG[name](1) for name in LOADS], limits=Limits(outbox=40))
    wire = Wire(spec, connect=False).run(600_000, 1000)
    wire.connect()
    for _ in range(10):
        wire.ack(telemetry=max(wire.seqs("telemetry")), event=99)
    position = 0
    for record in wire.of("telemetry"):
        assert record.get("from", record["seq"]) == position + 1
        position = record["seq"]
    assert position == 600
    thinned = [one for one in wire.of("telemetry") if "out" in one and "from" in one]
    assert thinned
    assert all(any("p_min_mw" in outlet for outlet in one["out"]) for one in thinned)


def test_a_restored_database_is_answered_with_a_gap(wire):
    wire.ack(telemetry=3, event=5)
    wire.said.clear()
    wire.ack(telemetry=1, event=2)
    gaps = [(leaf, one["from"], one["seq"], one["gap"]["reason"]) for leaf, one in wire.said if "gap" in one]
    assert ("telemetry", 2, 3, "not_held") in gaps
    assert ("event", 3, 5, "not_held") in gaps


# -- restarts


def test_a_gateway_restart_is_a_new_boot_that_closes_the_old_one(wire):
    drives = wire.pdu.state.drives
    wire.pdu.reboot_gateway(wire.now_ms)
    wire.said.clear()
    assert not wire.pdu.is_connected
    wire.connect()
    wire.run(2000)
    events = wire.of("event")
    assert [(one["boot"], one["seq"]) for one in events] == [(1, n) for n in range(1, 6)] + [(2, 1)]
    assert events[-1]["data"] == {"reset_cause": "gateway", "closes": {"boot": 1, "telemetry": 3}}
    assert [(one["boot"], one["seq"]) for one in wire.of("telemetry")] == [(2, 1), (2, 2)]
    assert wire.pdu.state.drives == drives


def test_events_of_earlier_boots_are_kept_until_acknowledged(wire):
    for _ in range(3):
        wire.pdu.reboot_gateway(wire.now_ms)
    wire.connect()
    wire.ack(boot=1, event=5)
    wire.ack(boot=2, event=1)
    wire.pdu.reboot_gateway(wire.now_ms)
    wire.said.clear()
    wire.connect()
    assert [(one["boot"], one["seq"]) for one in wire.of("event")] == [(3, 1), (4, 1), (5, 1)]


def test_flash_holds_a_bounded_number_of_events_and_announces_the_others(wire):
    for _ in range(EVENT_RING + 40):
        wire.tell("command", b"?")
    for _ in range(40):
        wire.pdu.reboot_gateway(wire.now_ms)
    kept = wire.pdu._gateway.kept_events()
    assert sum(len(one.records) for one in kept) <= EVENT_RING + len(kept)
    assert [one.boot for one in kept] == list(range(1, 42))
    assert "gap" in kept[0].records[0].body


def test_a_power_cut_opens_the_relays_and_loses_what_memory_held(wire):
    wire.order("switch", out=2, on=False, by="anna")
    wire.run(1000)
    before = wire.of("telemetry")[-1]["out"]
    wire.pdu.power_cycle(wire.now_ms)
    assert wire.pdu.state.drives.outlets == (False,) * 4
    wire.said.clear()
    wire.connect()
    wire.run(3000)
    boot = next(one for one in wire.of("event") if one["boot"] == 2)
    assert boot["data"] == {"reset_cause": "power", "closes": {"boot": 1, "telemetry": None}}
    state = wire.of("state")[-1]
    assert [one["on"] for one in state["out"]] == [True, False, True, True]
    assert (state["out"][1]["cause"], state["out"][1]["by"], state["n"]) == ("person_off", "anna", 0)
    after = wire.of("telemetry")[-1]["out"]
    assert all(one["e_mwh"] >= was["e_mwh"] for one, was in zip(after, before, strict=True))


def test_a_device_goes_on_from_what_its_flash_held(wire):
    wire.tell("desired", {"version": 4, "pdu": {"preferred": "backup"}, "out": [{"n": 1, "limit_ma": 900}]})
    wire.order("lock", out=3, on=True)
    wire.run(1000)
    later = Wire(wire.spec, saved=wire.pdu.saved()).run(4000)
    state = later.of("state")[-1]
    assert (state["boot"], state["settings"], state["preferred"]) == (2, 4, "backup")
    assert (state["out"][0]["limit_ma"], state["out"][2]["lock"]) == (900, True)
    assert later.of("telemetry")[0]["out"][2]["e_mwh"] >= wire.of("telemetry")[-1]["out"][2]["e_mwh"]


def test_a_copy_of_the_flash_that_is_out_of_date_starts_the_counters_at_0(wire):
    wire.run(10_000)
    copy = wire.pdu.saved(stopped=False)
    wire.run(5000)
    later = Wire(wire.spec, saved=copy).run(1000)
    assert wire.of("telemetry")[-1]["out"][2]["e_mwh"] > 300
    assert later.of("telemetry")[0]["out"][2]["e_mwh"] < 100
    assert later.pdu.boot == 2


# -- commands


def test_an_answer_that_falls_due_when_a_message_comes_in_is_published(wire):
    name = wire.order("switch", out=3, on=False)
    wire.now_ms += 500
    wire.ack(telemetry=3, event=5)
    assert wire.answers(name) == ["accepted ok", "confirmed ok"]


def test_a_command_is_accepted_then_confirmed_and_the_state_follows(wire):
    name = wire.order("switch", out=3, on=False, by="anna")
    wire.run(500)
    assert wire.answers(name) == ["accepted ok", "confirmed ok"]
    state = wire.of("state")[-1]
    assert (state["out"][2]["on"], state["out"][2]["cause"], state["out"][2]["by"]) == (
        False,
        "person_off",
        "anna",
    )
    assert state["n"] == 1


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"boot": 9}, "rejected other_boot"),
        ({"n": 0}, "rejected repeated"),
        ({"exp_up_ms": 2999}, "expired expired"),
        ({"do": "explode"}, "rejected malformed"),
        ({"out": 9}, "rejected no_such_outlet"),
    ],
)
def test_a_command_that_is_not_for_now_switches_nothing(wire, change, answer):
    before = wire.pdu.state.drives
    name = wire.order("switch", **({"out": 3, "on": False} | change))
    wire.run(500)
    assert wire.answers(name) == [answer]
    assert wire.pdu.state.drives == before


def test_a_copy_of_a_command_is_refused_as_repeated(wire):
    body = {"id": "a", "boot": 1, "n": 5, "exp_up_ms": 10**9, "do": "switch", "out": 1, "on": False}
    wire.tell("command", body)
    wire.run(500)
    wire.tell("command", body)
    wire.run(500)
    assert wire.answers("a") == ["accepted ok", "confirmed ok", "rejected repeated"]
    assert wire.codes().count("switched") == 5


def test_the_number_of_an_expired_command_is_taken_too(wire):
    body = {"id": "a", "boot": 1, "n": 5, "exp_up_ms": 0, "do": "switch", "out": 1, "on": False}
    wire.tell("command", body)
    wire.tell("command", body | {"id": "b", "exp_up_ms": 10**9})
    assert wire.answers("b") == ["rejected repeated"]
    assert wire.of("state")[-1]["n"] == 5


def test_a_retained_command_is_refused_and_told_as_an_event(wire):
    name = wire.order("switch", out=1, on=False, retained=True)
    wire.run(500)
    assert wire.answers(name) == ["rejected retained"]
    assert wire.of("event")[-1]["data"] == {"code": "retained", "id": name}
    assert wire.pdu.state.drives.outlets[0]


@pytest.mark.parametrize("payload", [b"\x00", b"{}", b'{"v":1}', b"[" * 3000, b"x" * 5000])
def test_a_command_without_a_readable_id_is_told_as_an_event(wire, payload):
    wire.tell("command", payload)
    event = wire.of("event")[-1]
    assert (event["code"], event["data"]["code"]) == ("command_refused", "malformed")
    assert event["data"]["detail"]


@pytest.mark.parametrize("leaf", ["ack", "time", "desired"])
@pytest.mark.parametrize(
    "payload", [b"?", b"{}", b'{"v":2}', b'{"v":1,"boot":-1,"ts_ms":"x","version":null}']
)
def test_what_cannot_be_read_on_another_topic_is_told_as_an_event(wire, leaf, payload):
    wire.tell(leaf, payload)
    assert wire.of("event")[-1]["data"]["topic"] == leaf


def test_an_empty_payload_is_no_message(wire):
    for leaf in ("command", "ack", "time", "desired"):
        assert wire.tell(leaf, b"") == []


def test_an_order_of_before_a_gateway_restart_has_no_late_answer(wire):
    wire.order("cycle", out=1, off_ms=5000)
    wire.run(1000)
    wire.pdu.reboot_gateway(wire.now_ms)
    wire.said.clear()
    wire.connect()
    wire.run(10_000)
    assert wire.of("result") == []
    assert wire.pdu.state.drives.outlets[0]


# -- settings and time


def test_settings_are_applied_and_told(wire):
    wire.tell("desired", {"version": 3, "pdu": {"sequence_ms": 0}, "out": [{"n": 2, "limit_ma": 900}]})
    assert wire.of("event")[-1]["code"] == "settings_applied"
    state = wire.of("state")[-1]
    assert (state["settings"], state["out"][1]["limit_ma"]) == (3, 900)


def test_settings_out_of_range_are_refused_as_a_whole_and_told_once(wire):
    desired = {"version": 3, "pdu": {"sequence_ms": 0}, "out": [{"n": 2, "limit_ma": 99}]}
    wire.tell("desired", desired)
    wire.tell("desired", desired)
    wire.run(1000)
    assert wire.codes().count("settings_refused") == 1
    event = wire.of("event")[-1]
    assert (event["data"]["setting"], event["data"]["outlet"], event["data"]["version"]) == ("limit_ma", 2, 3)
    assert wire.pdu.config.version == 0
    assert wire.pdu.config.sequence_ms == 250


def test_a_version_not_above_the_one_in_force_is_ignored(wire):
    wire.tell("desired", {"version": 3, "pdu": {}, "out": []})
    wire.tell("desired", {"version": 2, "pdu": {"sequence_ms": 0}, "out": []})
    wire.tell("desired", {"version": 3, "pdu": {"sequence_ms": 0}, "out": []})
    assert wire.pdu.config.sequence_ms == 250
    assert wire.codes().count("settings_applied") == 1


def test_the_clock_is_set_and_the_uptime_is_not(wire):
    assert all("ts_ms" not in one for one in wire.of("telemetry"))
    wire.tell("time", {"ts_ms": MIDDAY_MS})
    wire.run(1000)
    newest = wire.of("telemetry")[-1]
    assert (newest["up_ms"], newest["ts_ms"]) == (4000, MIDDAY_MS + 1000)


def test_records_held_while_the_clock_was_not_set_get_their_time():
    wire = Wire(connect=False).run(3000)
    wire.tell("time", {"ts_ms": MIDDAY_MS})
    wire.connect()
    assert [one["ts_ms"] for one in wire.of("telemetry")] == [MIDDAY_MS - 2000, MIDDAY_MS - 1000, MIDDAY_MS]


# -- events


def test_a_reason_is_named_by_its_number_on_the_wire(wire):
    wire.tell("command", b"?")
    lose(wire)
    wire.run(500)
    events = {one["code"]: one for one in wire.of("event")}
    assert events["transfer"]["because"] == events["source_lost"]["seq"]
    assert events["transfer"]["data"]["result"] == "confirmed"


def test_state_is_said_on_every_change_and_only_then(wire):
    states = wire.of("state")
    timeless = [{k: v for k, v in one.items() if k not in ("up_ms", "ts_ms")} for one in states]
    assert all(before != after for before, after in pairwise(timeless))
    wire.run(30_000)
    assert len(wire.of("state")) == len(states)
