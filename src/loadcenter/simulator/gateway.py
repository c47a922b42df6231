"""The gateway of a simulated device: everything of `spec/mqtt.md` that is not the PDU's own business.

It decides nothing about power. It numbers records and keeps them until they are acknowledged, checks that an order is
meant for this start of the device, and publishes what the PDU says.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from loadcenter.domain.commands import CommandStatus, ResultCode
from loadcenter.domain.events import Event, EventCode
from loadcenter.domain.pdu import GivenOrder, OrderResult
from loadcenter.protocol import topics
from loadcenter.protocol.topics import RETAINED, Up
from loadcenter.simulator.encode import Body, Record, Stamp, encode, encode_record, event_body, result_body
from loadcenter.simulator.flash import EVENT_RING, KeptEvents, KeptRecord
from loadcenter.simulator.inbox import Ack, Command, read_command
from loadcenter.simulator.outbox import ACK_INTERVAL_MS, WINDOW, Outbox
from loadcenter.simulator.outgoing import Outgoing

TELEMETRY_RECORDS = 600
"""Telemetry that the memory of an ESP8266 class device could not hold in full; a simulated one is more generous."""

REMEMBERED = 512
"""Events of the PDU whose number on the wire is remembered, so that a later one can name its reason."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a gateway keeps, and how patient it is.

    Attributes:
        outbox: records of telemetry held, 4 or more.
        ack_interval_ms: how often acks are to be expected; three without progress make it send again.
        window: most records of telemetry sent and not acknowledged.
    """

    outbox: int = TELEMETRY_RECORDS
    ack_interval_ms: int = ACK_INTERVAL_MS
    window: int = WINDOW


DEFAULT_LIMITS = Limits()


class Gateway:
    """One start of the gateway.

    Args:
        pdu_id: name of the device.
        root: first part of every topic.
        boot: number of this start.
        start_ms: time of the plant at which it began.
        kept: events of earlier boots, oldest first.
        rng: for jitter.
        limits: how much it keeps.
    """

    def __init__(
        self,
        pdu_id: str,
        root: str,
        boot: int,
        start_ms: int,
        kept: list[KeptEvents],
        rng: random.Random,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._pdu_id = pdu_id
        self._root = root
        self._start_ms = start_ms
        self._clock_ms: int | None = None
        self._connected = False
        self._earlier = [_outbox(one, rng, limits) for one in kept if one.records]
        self.boot = boot
        self.telemetry = Outbox(
            boot, limits.outbox, rng, ack_interval_ms=limits.ack_interval_ms, window=limits.window
        )
        self.events = Outbox(boot, EVENT_RING, rng, ack_interval_ms=limits.ack_interval_ms)
        self.last_n = 0
        self._numbers: dict[str, int] = {}
        self._seqs: dict[int, int] = {}
        self._state: Body | None = None
        self._outgoing: list[Outgoing] = []

    # -- time

    def up_ms(self, now_ms: int) -> int:
        """Return the uptime at `now_ms` of the plant."""
        return now_ms - self._start_ms

    def set_clock(self, ts_ms: int, now_ms: int) -> None:
        """Set the time of day; the uptime is never touched (MQTT-55)."""
        self._clock_ms = ts_ms - self.up_ms(now_ms)

    # -- connection

    @property
    def will(self) -> Outgoing:
        """What the broker says when the device is gone (MQTT-60)."""
        return self._message(Up.STATUS, {"v": 1, "status": "offline"})

    @property
    def is_connected(self) -> bool:
        """Whether a connection has begun and not ended."""
        return self._connected

    def connected(self, birth: Body, state: Body, now_ms: int) -> None:
        """Begin a connection: birth, state, status, then all records held, oldest first."""
        self._connected = True
        for outbox in (*self._earlier, self.events, self.telemetry):
            outbox.rewind()
        self._say(Up.BIRTH, birth, now_ms)
        self._state = state
        self._say(Up.STATE, state, now_ms)
        self._outgoing.append(self._message(Up.STATUS, {"v": 1, "status": "online"}))

    def disconnected(self) -> None:
        """End the connection: records wait, everything else is said anew at the next one."""
        self._connected = False
        self._outgoing.clear()
        for outbox in (*self._earlier, self.events, self.telemetry):
            outbox.rewind()

    # -- what the PDU says

    def report_telemetry(self, body: Body, now_ms: int) -> None:
        """Keep one sample."""
        self.telemetry.add(body, self.up_ms(now_ms), 1)

    def report_events(self, events: tuple[Event, ...], first: int, now_ms: int) -> None:
        """Keep what has happened; `first` is the position of the first event in the run of the PDU."""
        for position, event in enumerate(events, first):
            because = None if event.because is None else self._seqs.get(event.because)
            self._seqs[position] = self.events.add(event_body(event, because), self.up_ms(now_ms), 0)
            self._seqs.pop(position - REMEMBERED, None)

    def report_own(self, code: EventCode, data: Mapping[str, object], now_ms: int) -> None:
        """Keep an event of the gateway itself."""
        self.events.add({"code": code.value, "data": dict(data)}, self.up_ms(now_ms), 0)

    def report_state(self, state: Body, now_ms: int) -> None:
        """Publish the state if it differs from what was said last (MQTT-31)."""
        if state != self._state:
            self._state = state
            self._say(Up.STATE, state, now_ms)

    def report_results(self, results: tuple[OrderResult, ...], now_ms: int) -> None:
        """Publish where orders have got to; an order of before a restart has nobody left to answer."""
        for result in results:
            n = self._numbers.get(result.key)
            if n is not None:
                self._say(Up.RESULT, result_body(result, result.key, n), now_ms)
                if result.status.final:
                    del self._numbers[result.key]

    # -- what comes in

    def take_command(self, payload: bytes, retained: bool, now_ms: int) -> GivenOrder | None:
        """Return the order to carry out, or None after saying why there is none (MQTT-41, MQTT-42)."""
        command = read_command(payload)
        code = ResultCode.RETAINED if retained else self._refuse(command, now_ms)
        if code is None:
            assert command.order is not None
            self._numbers[command.id] = command.n
            return GivenOrder(command.id, command.order)
        if command.id:
            status = CommandStatus.EXPIRED if code is ResultCode.EXPIRED else CommandStatus.REJECTED
            result = OrderResult(command.id, status, code)
            self._say(Up.RESULT, result_body(result, command.id, command.n), now_ms)
        if retained or not command.id:
            data = {"code": code.value, "detail": command.fault, "id": command.id}
            self.report_own(EventCode.COMMAND_REFUSED, {k: v for k, v in data.items() if v}, now_ms)
        return None

    def _refuse(self, command: Command, now_ms: int) -> ResultCode | None:
        """Return why a command is not for now, and take its number if it is one of this boot."""
        ours = command.boot == self.boot
        fresh = command.n > self.last_n
        if ours and fresh:
            self.last_n = command.n
        if command.order is None:
            return ResultCode.MALFORMED
        if not ours:
            return ResultCode.OTHER_BOOT
        if not fresh:
            return ResultCode.REPEATED
        return ResultCode.EXPIRED if self.up_ms(now_ms) > command.exp_up_ms else None

    def take_ack(self, ack: Ack, now_ms: int) -> None:
        """Forget what is stored (MQTT-14)."""
        up_ms = self.up_ms(now_ms)
        if ack.boot == self.boot:
            self.telemetry.ack(ack.telemetry, up_ms)
            self.events.ack(ack.event, up_ms)
            return
        for outbox in self._earlier:
            if outbox.boot == ack.boot:
                outbox.ack(ack.event, up_ms)
        self._earlier = [outbox for outbox in self._earlier if outbox.records]

    # -- what goes out

    def flush(self, now_ms: int) -> list[Outgoing]:
        """Return what is to be published now: what was said, then records that are due."""
        if not self._connected:
            self._outgoing.clear()
            return []
        up_ms = self.up_ms(now_ms)
        for outbox in self._earlier:
            self._send(Up.EVENT, outbox, up_ms, None)
        self._send(Up.EVENT, self.events, up_ms, self._clock_ms)
        self._send(Up.TELEMETRY, self.telemetry, up_ms, self._clock_ms)
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def kept_events(self) -> list[KeptEvents]:
        """Return the events that flash holds, those of earlier boots shortened to gaps where there is no room."""
        outboxes = [
            outbox for outbox in (*self._earlier, self.events) if outbox.records or outbox is self.events
        ]
        room = EVENT_RING
        kept = []
        for outbox in reversed(outboxes):
            records = outbox.shortened(max(1, room))
            room -= len(records)
            kept.append(KeptEvents(outbox.boot, outbox.next_seq, [_kept(record) for record in records]))
        return kept[::-1]

    def _send(self, leaf: Up, outbox: Outbox, up_ms: int, clock_ms: int | None) -> None:
        topic = topics.up(self._root, self._pdu_id, leaf)
        for record in outbox.pull(up_ms):
            self._outgoing.append(Outgoing(topic, encode_record(record, outbox.boot, clock_ms)))

    def _say(self, leaf: Up, body: Body, now_ms: int) -> None:
        if self._connected:
            stamp = Stamp(self.boot, self.up_ms(now_ms), self._clock_ms)
            self._outgoing.append(self._message(leaf, stamp.fields | body))

    def _message(self, leaf: Up, fields: Body) -> Outgoing:
        topic = topics.up(self._root, self._pdu_id, leaf)
        return Outgoing(topic, encode(fields), retain=leaf in RETAINED)


def _outbox(kept: KeptEvents, rng: random.Random, limits: Limits) -> Outbox:
    records = [Record(one.first, one.seq, one.up_ms, one.body, 0, one.lost) for one in kept.records]
    return Outbox(kept.boot, EVENT_RING, rng, records, kept.next_seq, ack_interval_ms=limits.ack_interval_ms)


def _kept(record: Record) -> KeptRecord:
    return KeptRecord(record.first, record.seq, record.up_ms, dict(record.body), record.lost)
