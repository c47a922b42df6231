"""One PDU of the fleet: what it says and hears on its connection, and the ledger of what it has given out."""

import asyncio
import json
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from bench import packets, payloads

ACK_INTERVAL_S = 2.0
"""`ack_interval_s` of the contract; a device re-sends after three of them without progress (MQTT-15)."""


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """Which devices, and where.

    Attributes:
        first: index of the first PDU; the others follow.
        processes: how many processes share them.
        period_ms: time between two records that the devices announce and send as `dt_ms`.
    """

    host: str
    port: int
    password: str
    pdus: int
    outlets: int = 8
    first: int = 0
    processes: int = 2
    period_ms: int = 1000


@dataclass(slots=True)
class Ledger:
    """What one device has given out.

    Attributes:
        given: records; `stored` of them are acknowledged end to end, `resent` were sent again.
        sampled_ms: UTC time in each record, from `seq` 1.
        power_mw: sum of the power of each outlet and minute: what its rollups must hold.
        commands: when each command came in, by id (monotonic seconds of this machine).
    """

    given: int = 0
    stored: int = 0
    resent: int = 0
    sampled_ms: list[int] = field(default_factory=list)
    power_mw: dict[tuple[int, int], int] = field(default_factory=dict)
    commands: dict[str, float] = field(default_factory=dict)


class Device(asyncio.Protocol):
    """One PDU on one connection after the other; what it has given out survives them."""

    def __init__(self, spec: FleetSpec, index: int) -> None:
        self.pdu_id = payloads.pdu_id(index)
        self.ledger = Ledger()
        self.up = asyncio.Event()
        self.lost = asyncio.Event()
        self._spec = spec
        self._index = index
        self._topic = f"{payloads.ROOT}/{self.pdu_id}"
        self._on = dict.fromkeys(range(1, spec.outlets + 1), True)
        self._outbox: deque[tuple[int, bytes]] = deque()
        self._transport: asyncio.WriteTransport | None = None
        self._reader = packets.Reader()
        self._packet_id = 0
        self._order = 0
        self._ts_ms = 0
        self._began_s = time.monotonic()
        self._progress_s = self._began_s

    # -- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._reader = packets.Reader()
        will = (f"{self._topic}/up/status", payloads.status(online=False))
        transport.write(packets.connect(self.pdu_id, self.pdu_id, self._spec.password, will=will))

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self.up.clear()
        self.lost.set()

    def data_received(self, data: bytes) -> None:
        for packet in self._reader.feed(data):
            match packet.kind:
                case packets.CONNACK:
                    self._accepted(packet.body[1])
                case packets.PUBLISH:
                    self._heard(packets.published(packet))
                case _:
                    pass  # a PUBACK is not storage (MQTT-14)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.write(packets.DISCONNECT)
            self._transport.close()

    def ping(self) -> None:
        if self._transport is not None:
            self._transport.write(packets.PINGREQ)

    # -- what it says

    def sample(self) -> None:
        """Give out one record; without a connection it waits in the outbox."""
        ledger = self.ledger
        ledger.given += 1
        seq = ledger.given
        self._ts_ms = max(time.time_ns() // 1_000_000, self._ts_ms + 1)  # no two at the same millisecond
        ledger.sampled_ms.append(self._ts_ms)
        payload = payloads.telemetry(
            self._index,
            seq,
            self._spec.outlets,
            self._ts_ms,
            up_ms=self._up_ms(),
            period_ms=self._spec.period_ms,
        )
        self._note(seq)
        if not self._outbox:
            self._progress_s = time.monotonic()
        self._outbox.append((seq, payload))
        self._publish("telemetry", payload)

    def resend_if_stuck(self, chance: random.Random) -> None:
        """Send everything again that is not acknowledged, after three ack intervals without progress."""
        wait_s = 3 * ACK_INTERVAL_S * (1 + chance.random() / 4)
        if self._outbox and time.monotonic() - self._progress_s > wait_s:
            self._resend()

    def _note(self, seq: int) -> None:
        minute = self._ts_ms - self._ts_ms % 60_000
        for n in self._on:
            key = n, minute
            self.ledger.power_mw[key] = self.ledger.power_mw.get(key, 0) + payloads.power_mw(
                self._index, seq, n
            )

    def _resend(self) -> None:
        self._progress_s = time.monotonic()
        for _, payload in self._outbox:
            self.ledger.resent += 1
            self._publish("telemetry", payload)

    def _publish(self, leaf: str, payload: bytes, *, retain: bool = False) -> None:
        if self._transport is None or not self.up.is_set():
            return
        self._packet_id = self._packet_id % packets.PACKET_IDS + 1
        topic = f"{self._topic}/up/{leaf}"
        self._transport.write(packets.publish(topic, payload, self._packet_id, retain=retain))

    def _up_ms(self) -> int:
        return int((time.monotonic() - self._began_s) * 1000) + 1

    # -- what it hears

    def _accepted(self, code: int) -> None:
        assert self._transport is not None
        if code:
            raise ConnectionRefusedError(f"the broker refuses {self.pdu_id}: CONNACK code {code}")
        self._transport.write(packets.subscribe(1, f"{self._topic}/down/#"))
        self.up.set()
        self._publish(
            "birth", payloads.birth(len(self._on), self._up_ms(), self._spec.period_ms), retain=True
        )
        self._report()
        self._publish("status", payloads.status(online=True), retain=True)
        self._resend()

    def _report(self) -> None:
        self._publish("state", payloads.state(self._on, self._order, self._up_ms()), retain=True)

    def _heard(self, message: packets.Published) -> None:
        if message.packet_id and self._transport is not None:
            self._transport.write(packets.puback(message.packet_id))
        leaf = message.topic.rsplit("/", 1)[1]
        if leaf == "ack":
            self._take_ack(json.loads(message.payload))
        elif leaf == "command":
            self._obey(json.loads(message.payload))

    def _take_ack(self, ack: dict[str, Any]) -> None:
        if ack["boot"] != payloads.BOOT or ack["telemetry"] <= self.ledger.stored:
            return
        self.ledger.stored = ack["telemetry"]
        self._progress_s = time.monotonic()
        while self._outbox and self._outbox[0][0] <= self.ledger.stored:
            self._outbox.popleft()

    def _obey(self, command: dict[str, Any]) -> None:
        self.ledger.commands[command["id"]] = time.monotonic()
        self._order = command["n"]
        if command["do"] == "switch":
            self._on[command["out"]] = command["on"]
        self._report()
        self._publish("result", payloads.result(command, self._up_ms()))
