"""Named courses of events, as data: what breaks when, and what people order. Run in virtual time, they always repeat.

`run` plays one on a single PDU and stands in for the control center: it acknowledges what it gets, gives the orders and
keeps what the PDU said.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from loadcenter.domain.commands import Do, Order
from loadcenter.domain.topology import Source
from loadcenter.protocol import topics
from loadcenter.protocol.topics import DEFAULT_ROOT, Down
from loadcenter.simulator.encode import encode
from loadcenter.simulator.outgoing import Outgoing
from loadcenter.simulator.pdu import VirtualPdu
from loadcenter.simulator.rack import Rack, default_layouts

TICK_MS = 100
ACK_EVERY_MS = 2000
EXPIRES_MS = 10_000
SETTLE_MS = 5000
"""Time before the first entry of a time line: the sources have been found good, and the outlets are on."""


@dataclass(frozen=True, slots=True)
class Break:
    """A disturbance begins (an outlet where one applies)."""

    disturbance: str
    outlet: int | None = None


@dataclass(frozen=True, slots=True)
class Mend:
    """A disturbance ends."""

    disturbance: str


Action = Break | Mend | Order


@dataclass(frozen=True, slots=True)
class Scenario:
    """A course of events.

    Attributes:
        name: to ask for it.
        tells: what it shows, in a sentence.
        timeline: (ms after the settled start, what happens), rising.
        lasts_ms: how long it goes on, from the settled start.
        settings: desired settings sent at the beginning, without `v`.
    """

    name: str
    tells: str
    timeline: tuple[tuple[int, Action], ...]
    lasts_ms: int
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """What a PDU said in a scenario: decoded payloads in the order in which they came."""

    events: list[dict[str, object]] = field(default_factory=list)
    states: list[dict[str, object]] = field(default_factory=list)
    results: list[dict[str, object]] = field(default_factory=list)
    telemetry: list[dict[str, object]] = field(default_factory=list)
    switchings: Counter[str] = field(default_factory=Counter)

    def codes(self) -> list[str]:
        """Return the codes of the events, in order."""
        return [str(event["code"]) for event in self.events]

    def count(self, code: str) -> int:
        """Return how often an event happened."""
        return self.codes().count(code)


def _flaps(times: int, away_ms: int, back_ms: int) -> tuple[tuple[int, Action], ...]:
    period_ms = away_ms + back_ms
    entries: list[tuple[int, Action]] = []
    for turn in range(times):
        entries += [
            (turn * period_ms, Break("main_outage")),
            (turn * period_ms + away_ms, Mend("main_outage")),
        ]
    return tuple(entries)


ANNA = "anna"

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("calm", "Nothing happens, and nothing moves.", (), 60_000),
    Scenario(
        "outage-and-return",
        "Main fails for 20 s; the PDU bridges it and returns after main was good for 30 s.",
        ((0, Break("main_outage")), (20_000, Mend("main_outage"))),
        60_000,
    ),
    Scenario(
        "flapping-main",
        "Main comes and goes; after six returns in an hour the PDU stays on the backup.",
        _flaps(8, 5_000, 45_000),
        420_000,
    ),
    Scenario(
        "brownout",
        "Main falls to 85 % for 2 s, which is ridden through, and then for 20 s, which is not.",
        (
            (0, Break("brownout")),
            (2_000, Mend("brownout")),
            (10_000, Break("brownout")),
            (30_000, Mend("brownout")),
        ),
        80_000,
    ),
    Scenario(
        "overload-trip-reset",
        "An outlet is overloaded and trips; it cannot be switched on before a person resets the trip.",
        (
            (0, Break("overload", 3)),
            (4_000, Mend("overload")),
            (5_000, Order(Do.SWITCH, 3, on=True, by=ANNA)),
            (6_000, Order(Do.RESET_TRIP, 3, by=ANNA)),
            (7_000, Order(Do.SWITCH, 3, on=True, by=ANNA)),
        ),
        12_000,
    ),
    Scenario(
        "both-sources-lost",
        "Both sources fail; when the backup returns, the outlets close one after the other.",
        (
            (0, Break("backup_outage")),
            (2_000, Break("main_outage")),
            (10_000, Mend("backup_outage")),
        ),
        20_000,
    ),
    Scenario(
        "backup-poor",
        "The backup is away: redundancy is lost, a transfer to it is refused, and a sag of main is not left.",
        (
            (0, Break("backup_outage")),
            (2_000, Order(Do.TRANSFER, source=Source.BACKUP, by=ANNA)),
            (4_000, Break("brownout")),
            (12_000, Mend("brownout")),
            (14_000, Mend("backup_outage")),
        ),
        20_000,
    ),
    Scenario(
        "welded-relay",
        "A welded relay: the outlet is switched off, current still flows, and the order is not confirmed.",
        ((0, Break("weld", 4)), (1_000, Order(Do.SWITCH, 4, on=False, by=ANNA))),
        5_000,
    ),
    Scenario(
        "network-cut",
        "Without network main fails and an outlet trips; afterwards every record arrives, without a hole.",
        (
            (0, Break("network")),
            (3_000, Break("main_outage")),
            (5_000, Break("overload", 2)),
            (9_000, Mend("overload")),
            (20_000, Mend("main_outage")),
            (60_000, Mend("network")),
        ),
        75_000,
    ),
    Scenario(
        "power-cycle-with-latch",
        "A tripped outlet stays open when the supply of the PDU is cut; the others return as they were.",
        (
            (0, Break("overload", 2)),
            (4_000, Mend("overload")),
            (5_000, Order(Do.SWITCH, 1, on=False, by=ANNA)),
            (6_000, Break("power_cycle")),
        ),
        15_000,
    ),
    Scenario(
        "manual-transfer",
        "A person moves the PDU to the backup and back; it does not return by itself in between.",
        (
            (0, Order(Do.TRANSFER, source=Source.BACKUP, by=ANNA)),
            (60_000, Order(Do.TRANSFER, source=Source.MAIN, by=ANNA)),
        ),
        65_000,
    ),
    Scenario(
        "swell-with-no-way-out",
        "Main rises to 118 % while the backup is away: the isolator opens, and closes when main is good again.",
        (
            (0, Break("backup_outage")),
            (2_000, Break("swell")),
            (10_000, Mend("swell")),
        ),
        20_000,
    ),
)

BY_NAME: Mapping[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}


def run(scenario: Scenario, seed: int = 1) -> Record:
    """Return what one PDU of four outlets said in `scenario`; the same for the same seed."""
    return _Run(scenario, seed).play()


class _Run:
    """One PDU, and a control center that does no more than it must."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario = scenario
        self._rack = Rack(default_layouts(1, seed), seed, 0)
        self._pdu: VirtualPdu = next(iter(self._rack.pdus.values()))
        self._record = Record()
        self._outlets: dict[int, bool] = {}
        self._positions: dict[int, dict[str, int]] = {}
        self._n: Counter[int] = Counter()

    def play(self) -> Record:
        """Play the whole time line."""
        entries = [(at_ms + SETTLE_MS, action) for at_ms, action in self._scenario.timeline]
        end_ms = self._scenario.lasts_ms + SETTLE_MS
        for now_ms in range(0, end_ms + 1, TICK_MS):
            self._carry(now_ms)
            if now_ms == 0 and self._scenario.settings:
                self._send(Down.DESIRED, {"v": 1, "version": 1, **self._scenario.settings}, now_ms)
            while entries and entries[0][0] <= now_ms:
                self._do(entries.pop(0)[1], now_ms)
            if now_ms % ACK_EVERY_MS == 0:
                self._acknowledge(now_ms)
        return self._record

    def _carry(self, now_ms: int) -> None:
        """Let time pass, and carry what the PDU says as far as the network goes."""
        pdu, up = self._pdu, self._rack.network_up(self._pdu.pdu_id)
        if pdu.is_connected and not up:
            pdu.disconnected(now_ms)
        self._take(pdu.advance(now_ms))
        if up and not pdu.is_connected:
            self._take(pdu.connected(now_ms))

    def _do(self, action: Action, now_ms: int) -> None:
        match action:
            case Break(disturbance, outlet):
                self._rack.start(self._pdu.pdu_id, disturbance, outlet)
            case Mend(disturbance):
                self._rack.stop(self._pdu.pdu_id, disturbance)
            case Order():
                self._order(action, now_ms)

    def _order(self, order: Order, now_ms: int) -> None:
        boot = self._pdu.boot
        self._n[boot] += 1
        n = self._n[boot]
        fields = {"v": 1, "id": f"order-{boot}-{n}", "boot": boot, "n": n, "exp_up_ms": now_ms + EXPIRES_MS}
        optional = {
            "do": order.do,
            "out": order.outlet,
            "on": order.on,
            "off_ms": order.off_ms,
            "src": order.source,
            "by": order.by,
        }
        self._send(Down.COMMAND, fields | {k: v for k, v in optional.items() if v is not None}, now_ms)

    def _acknowledge(self, now_ms: int) -> None:
        for boot, positions in self._positions.items():
            self._send(Down.ACK, {"v": 1, "boot": boot, **positions}, now_ms)

    def _send(self, leaf: Down, fields: Mapping[str, object], now_ms: int) -> None:
        if self._rack.network_up(self._pdu.pdu_id):
            topic = topics.down(DEFAULT_ROOT, self._pdu.pdu_id, leaf)
            self._take(self._pdu.receive(topic, encode(fields), False, now_ms))

    def _take(self, messages: list[Outgoing]) -> None:
        for message in messages:
            leaf, body = message.topic.rsplit("/", 1)[1], json.loads(message.payload)
            match leaf:
                case "event" | "telemetry":
                    if self._new(body, leaf):
                        kept = self._record.events if leaf == "event" else self._record.telemetry
                        kept.append(body)
                case "state":
                    self._note_state(body)
                case "result":
                    self._record.results.append(body)
                case _:
                    pass  # birth and status are the same in every scenario

    def _new(self, body: Mapping[str, int], stream: str) -> bool:
        """Return whether a record is the next of its stream (MQTT-12), and move the position if so."""
        positions = self._positions.setdefault(body["boot"], {"telemetry": 0, "event": 0})
        first = body.get("from", body["seq"])
        if not first <= positions[stream] + 1 <= body["seq"]:
            return False
        positions[stream] = body["seq"]
        return True

    def _note_state(self, state: dict[str, object]) -> None:
        before = self._record.states[-1] if self._record.states else None
        self._record.states.append(state)
        if before is not None and before["active"] != state["active"]:
            self._record.switchings["changeover"] += 1
        outlets = state["out"]
        assert isinstance(outlets, list)
        for outlet in outlets:
            number, on = outlet["n"], outlet["on"]
            if number in self._outlets and self._outlets[number] is not on:
                self._record.switchings[f"outlet {number}"] += 1
            self._outlets[number] = on
