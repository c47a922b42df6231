"""What every device must do, whoever wrote it: the device side of spec/mqtt.md, over a real broker.

A subclass gives the fixture `device`; `desk` is the control center's end of the wire.
"""

from typing import Any

import pytest
from tests.brokers import MosquittoServer
from tests.conformance.desk import STREAMS, Desk
from tests.conformance.device import Device


def outlets_on(state: dict[str, Any]) -> dict[int, bool]:
    return {out["n"]: out["on"] for out in state["out"]}


def settled(desk: Desk) -> dict[str, Any]:
    """Return the state once the outlets have come up, which they may do one after the other (`sequence_ms`)."""
    desk.wait_record("telemetry", 3)
    return desk.latest("state")


def order(boot: int, n: int, outlet: int, on: bool, **changes: Any) -> dict[str, Any]:
    """Return a switch command that does not expire within the test."""
    named = {"id": f"order-{boot}-{n}", "boot": boot, "n": n, "exp_up_ms": 10**9, "by": "ada"}
    return {**named, "do": "switch", "out": outlet, "on": on, **changes}


class DeviceContract:
    """The suite; each test starts with a device that has never run and an empty broker."""

    # -- connecting

    def test_says_birth_then_state_then_online(self, device: Device, desk: Desk) -> None:
        """MQTT-26, MQTT-31, MQTT-60."""
        device.start()
        desk.online()
        leaves = [said.leaf for said in desk.said]
        assert [leaves[0], *[leaf for leaf in leaves if leaf in ("state", "status")][:2]] == [
            "birth",
            "state",
            "status",
        ]

    def test_birth_names_the_contract_and_the_outlets(self, device: Device, desk: Desk) -> None:
        """MQTT-3, MQTT-25."""
        device.start()
        birth = desk.wait_for("birth", "birth").body
        state = desk.wait_for("state", "state").body
        assert birth["min_v"] <= 1 <= birth["max_v"]
        assert [out["n"] for out in state["out"]] == list(range(1, birth["outlets"] + 1))

    def test_birth_state_and_status_are_kept_for_those_who_come_later(
        self, device: Device, desk: Desk, late_desk: Desk
    ) -> None:
        """The retain column of the table of topics."""
        device.start()
        desk.online()
        with late_desk:
            for leaf in ("birth", "state", "status"):
                assert late_desk.wait_for(leaf, leaf).retained

    def test_is_offline_when_its_power_is_cut(self, device: Device, desk: Desk) -> None:
        """MQTT-60: the will."""
        device.start()
        desk.online()
        device.kill()
        desk.wait_for("the will", "status", status="offline")

    # -- records

    def test_numbers_records_from_1_without_holes(self, device: Device, desk: Desk) -> None:
        """MQTT-10."""
        device.start()
        desk.wait_record("telemetry", 5)
        for stream in STREAMS:
            seen = list(dict.fromkeys(said.body["seq"] for said in desk.said if said.leaf == stream))
            assert seen == list(range(1, len(seen) + 1))

    def test_the_first_event_tells_of_the_start(self, device: Device, desk: Desk) -> None:
        """MQTT-16."""
        device.start()
        assert desk.wait_for("event 1", "event", seq=1).body["code"] == "boot"

    def test_uptime_only_goes_forward(self, device: Device, desk: Desk) -> None:
        """MQTT-4."""
        device.start()
        desk.wait_record("telemetry", 4)
        uptimes = {said.body["seq"]: said.body["up_ms"] for said in desk.said if said.leaf == "telemetry"}
        assert [uptimes[seq] for seq in sorted(uptimes)] == sorted(uptimes.values())

    def test_sends_again_what_is_not_acknowledged(self, device: Device, desk: Desk) -> None:
        """MQTT-15."""
        desk.acks = False
        device.start()
        for stream in STREAMS:
            desk.wait_record(stream, 1)
            again = desk.said.index(desk.wait_for(f"{stream} 1", stream, seq=1)) + 1
            desk.wait_for(f"{stream} 1 once more", stream, again, seq=1)

    def test_does_not_send_again_what_is_acknowledged(self, device: Device, desk: Desk) -> None:
        """MQTT-14, MQTT-15."""
        desk.acks = False
        device.start()
        first = desk.wait_record("telemetry", 1).body
        desk.wait_record("event", 1)
        desk.set_positions(first["boot"], telemetry=1, event=1)
        # What was on its way when the ack went out may still come: the third record after it is later than that.
        settled = desk.said.index(desk.wait_record("telemetry", 4))
        desk.wait_record("telemetry", 12)
        later = [(said.leaf, said.body["seq"]) for said in desk.said[settled:] if said.leaf in STREAMS]
        assert ("telemetry", 1) not in later
        assert ("event", 1) not in later

    def test_goes_on_from_the_position_that_it_is_told(self, device: Device, desk: Desk) -> None:
        """MQTT-12: a record ahead is answered with the position."""
        desk.acks = False
        device.start()
        boot = desk.wait_record("telemetry", 4).body["boot"]
        desk.set_positions(boot, telemetry=2)
        desk.wait_position(boot, "telemetry", 8)

    def test_announces_what_it_could_not_keep(self, device: Device, desk: Desk) -> None:
        """MQTT-11, MQTT-17: thinned or a gap, but never a hole."""
        desk.acks = False
        device.start()
        boot = desk.wait_record("telemetry", 1).body["boot"]
        since = 0
        for _ in range(6):  # each time takes three ack intervals: in the end the outbox has overflowed
            again = desk.wait(
                "the oldest record once more",
                lambda said: said.leaf == "telemetry" and said.body.get("from", said.body["seq"]) == 1,
                since,
            )
            since = desk.said.index(again, since) + 1
        desk.set_positions(boot)
        desk.wait_position(boot, "telemetry", 2 * device.outbox)
        reduced = [said.body for said in desk.said if said.leaf == "telemetry" and "from" in said.body]
        assert reduced
        assert {body["gap"]["reason"] for body in reduced if "gap" in body} <= {"overflow"}

    def test_announces_what_a_restored_database_asks_in_vain(self, device: Device, desk: Desk) -> None:
        """MQTT-18."""
        device.start()
        boot = desk.wait_record("telemetry", 1).body["boot"]
        desk.wait_position(boot, "telemetry", 5)
        since = desk.mark()
        desk.set_positions(boot, telemetry=2)
        gap = desk.wait(
            "a gap record", lambda said: said.leaf == "telemetry" and "gap" in said.body, since
        ).body
        assert (gap["from"], gap["gap"]["reason"]) == (3, "not_held")
        desk.wait_position(boot, "telemetry", gap["seq"] + 2)

    def test_a_restart_is_a_new_boot_that_closes_the_old_one(self, device: Device, desk: Desk) -> None:
        """MQTT-4, MQTT-16."""
        device.start()
        old = desk.wait_record("telemetry", 3).body
        device.kill()
        since = desk.mark()
        device.start()
        new = desk.wait_for("event 1 of the next boot", "event", since, seq=1, boot=old["boot"] + 1).body
        assert new["code"] == "boot"
        assert new["data"]["closes"]["boot"] == old["boot"]
        assert new["data"]["closes"]["telemetry"] >= old["seq"]

    def test_events_outlive_the_power(self, device: Device, desk: Desk) -> None:
        """MQTT-15, MQTT-16: those not acknowledged come first, under their own boot."""
        desk.acks = False
        device.start()
        old = desk.wait_for("event 1", "event", seq=1).body
        device.kill()
        since = desk.mark()
        device.start()
        desk.wait_for("the event of the new boot", "event", since, boot=old["boot"] + 1)
        events = [said.body for said in desk.said[since:] if said.leaf == "event"]
        assert (events[0]["boot"], events[0]["seq"]) == (old["boot"], old["seq"])

    def test_switches_nothing_because_the_broker_goes_away(
        self, device: Device, desk: Desk, broker: MosquittoServer
    ) -> None:
        """MQTT-26, MQTT-61: it comes back by itself, in the same boot, with its outlets as they were."""
        device.start()
        boot = settled(desk)["boot"]
        desk.tell("command", order(boot, 1, 1, on=False))
        desk.wait_for("off", "result", status="confirmed")
        since = desk.mark()
        broker.stop()
        broker.start()
        desk.wait(
            "online again",
            lambda said: said.leaf == "status" and said.body["status"] == "online" and not said.retained,
            since,
        )
        anew = [said for said in desk.said[since:] if not said.retained]
        anew = anew[[said.leaf for said in anew].index("birth") :]
        assert [said.leaf for said in anew if said.leaf in ("state", "status")][:2] == ["state", "status"]
        state = next(said.body for said in anew if said.leaf == "state")
        assert (state["boot"], outlets_on(state)[1]) == (boot, False)

    # -- commands

    def test_switches_once_and_answers(self, device: Device, desk: Desk) -> None:
        """MQTT-31, MQTT-40, MQTT-43."""
        device.start()
        state = settled(desk)
        wanted = not outlets_on(state)[1]
        since = desk.mark()
        desk.tell("command", order(state["boot"], 1, 1, wanted))
        answer = desk.wait(
            "a final answer", lambda said: said.leaf == "result" and said.body["status"] != "accepted"
        )
        assert (answer.body["id"], answer.body["status"]) == (f"order-{state['boot']}-1", "confirmed")
        desk.wait(
            "the new state", lambda said: said.leaf == "state" and outlets_on(said.body)[1] is wanted, since
        )
        desk.wait_for("its event", "event", since, code="switched", out=1)

    def test_a_copy_of_a_command_switches_nothing(self, device: Device, desk: Desk) -> None:
        """MQTT-41, MQTT-45."""
        device.start()
        boot = settled(desk)["boot"]
        off = order(boot, 1, 1, on=False)
        desk.tell("command", off)
        desk.wait_for("off", "result", status="confirmed", n=1)
        desk.tell("command", order(boot, 2, 1, on=True))
        desk.wait_for("on", "result", status="confirmed", n=2)
        as_ordered = outlets_on(desk.latest("state"))
        assert as_ordered[1] is True
        since = desk.mark()
        desk.tell("command", off)
        desk.wait_for("the refusal", "result", since, status="rejected", code="repeated")
        self._stays_as_it_is(desk, as_ordered, since)

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"boot": 4_000_000}, "rejected", "other_boot"),
            ({"exp_up_ms": 0}, "expired", "expired"),
        ],
        ids=["another boot", "expired"],
    )
    def test_refuses_a_command_that_is_not_for_now(
        self, device: Device, desk: Desk, change: dict[str, Any], status: str, code: str
    ) -> None:
        """MQTT-41."""
        device.start()
        state = settled(desk)
        since = desk.mark()
        desk.tell("command", order(state["boot"], 1, 1, not outlets_on(state)[1]) | change)
        desk.wait_for("the refusal", "result", since, status=status, code=code)
        self._stays_as_it_is(desk, outlets_on(state), since)

    def test_never_carries_out_a_retained_command(self, device: Device, desk: Desk) -> None:
        """MQTT-42."""
        device.start()
        state = settled(desk)
        device.kill()
        next_boot = state["boot"] + 1
        desk.tell("command", order(next_boot, 1, 1, not outlets_on(state)[1]), retain=True)
        since = desk.mark()
        device.start()
        refused = desk.wait_for("its refusal", "event", since, code="command_refused").body
        assert refused["data"]["code"] == "retained"
        desk.wait_for("a sample after the outlets came back", "telemetry", since, seq=3)
        self._stays_as_it_is(desk, outlets_on(state), since)

    @staticmethod
    def _stays_as_it_is(desk: Desk, outlets: dict[int, bool], since: int) -> None:
        newest = [said for said in desk.said if said.leaf == "telemetry"][-1].body
        desk.wait(
            "two more samples",
            lambda said: (
                said.leaf == "telemetry"
                and said.body["boot"] == newest["boot"]
                and said.body["seq"] > newest["seq"] + 1
            ),
            since,
        )
        # An event of before may come only now, or come again (MQTT-15); its uptime tells.
        before_ms = max((said.body["up_ms"] for said in desk.said[:since] if "up_ms" in said.body), default=0)
        by_people = [
            said.body
            for said in desk.said[since:]
            if said.body.get("cause", "").startswith("person") and said.body["up_ms"] > before_ms
        ]
        assert by_people == []
        assert outlets_on(desk.latest("state")) == outlets

    # -- settings

    def test_runs_the_settings_that_it_is_sent(self, device: Device, desk: Desk) -> None:
        """MQTT-50."""
        device.start()
        desk.online()
        desk.tell("desired", {"version": 3, "pdu": {}, "out": [{"n": 1, "limit_ma": 2000}]}, retain=True)
        desk.wait_for("the version in force", "state", settings=3)

    def test_refuses_settings_out_of_range_as_a_whole(self, device: Device, desk: Desk) -> None:
        """MQTT-50."""
        device.start()
        before = desk.online()["settings"]
        since = desk.mark()
        desk.tell("desired", {"version": 3, "pdu": {}, "out": [{"n": 1, "limit_ma": 99}]}, retain=True)
        desk.wait_for("the refusal", "event", since, code="settings_refused")
        assert {said.body["settings"] for said in desk.said[since:] if said.leaf == "state"} <= {before}
