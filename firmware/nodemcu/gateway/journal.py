"""The events of this boot and of those before, in the flash ring until they are stored (MQTT-15, MQTT-16).

Runs under MicroPython and CPython. Memory holds where an event stands, which is one number, and not the event.

What the ring holds, by the first byte: `E` an event, `A` an ack that moved something, `M` the highest number that
telemetry may have been given, `S` all of this but the events themselves, at the head of each file. A boot begins with its first `E`; so it has begun as a whole or not at all, wherever the power is cut.
"""

import json
import struct

from outbox import NOT_HELD, OVERFLOW, Outbox
from ring import SEGMENT, Ring

EVENT, EVENT_SIZE = "<IIQQHH", 28  # boot, seq, up_ms, ts_ms or 0, session and seq of the UNO's event or 0
ACK, MARK = "<IIQ", "<II"
BODY_MAX = 1024
RUNS = 48  # boots before this one whose events are kept
OPEN = 4  # of them, how many are sent at a time
IN_MEMORY = 16  # events held that flash has not taken


class Events(Outbox):
    """Events of one boot; an item is a place in the ring, or the body where flash has not taken it.

    A gap stands in front of all events: what a restart finds again is the places, and they have no holes.
    """

    def thin(self) -> None:
        """Make room: the two oldest become one gap."""
        self.drop(2)

    def drop(self, count: int, reason: str = OVERFLOW) -> None:
        """Put one gap in place of the oldest items."""
        self.lose(0, count, reason)
        self.sent = max(0, self.sent - (count - 1))


class Journal:
    """Where events are kept. Making it reads the ring; `begin` starts the next boot.

    Args:
        ring: the flash.
        segments: most files that may hold events; then the oldest are lost as a gap `overflow`.
        events: most events held of one boot.
        ack_ms: how often acks are to be expected.

    Attributes:
        boot: number of this boot; before `begin`, of the last one.
        mark: highest number that telemetry of that boot may have been given.
        unit: (session, seq) of the newest event of the UNO in the ring, None before the first.
        earlier: outboxes of earlier boots, oldest first; those not yet sent as [boot, seq, held].
        box: outbox of this boot.
        dropped: events of boots too long ago, which are gone without a gap.
        unwritten: writes that failed.
    """

    def __init__(self, ring: Ring, segments: int = 8, events: int = 256, ack_ms: int = 2000) -> None:
        self.ring = ring
        self.boot = self.mark = self.dropped = self.unwritten = 0
        self.unit = None
        self.earlier = []
        self._segments = segments
        self._events = events
        self._ack_ms = ack_ms
        for place, body in ring.records():
            self._replay(place, body)
        self.earlier = [run for run in self.earlier if run[2]]
        while len(self.earlier) > RUNS:
            box = self._open(self.earlier.pop(0))
            self.dropped += sum([box.count(at) or 0 for at in range(len(box.held))])
        self.box = self._open([self.boot, 0, []])

    # -- what is written

    def begin(self) -> dict | None:
        """Take the next boot number; return what the event `boot` tells of the one before, None if there is none.

        That event must be added next: it writes the number down.
        """
        closes = {"boot": self.boot, "telemetry": self.mark} if self.boot else None
        self.boot += 1
        self.mark = 0
        self.box = self._open([self.boot, 0, []])
        return closes

    def add(self, text: str, up_ms: int, ts_ms: int | None, unit: tuple | None) -> int:
        """Write an event and return its number; where flash does not take it, it is held in memory.

        Raises:
            ValueError: it is too long.
        """
        number = self.box.seq + 1
        session, unit_seq = unit or (0, 0)
        head = struct.pack(EVENT, self.boot, number, up_ms, ts_ms or 0, session, unit_seq)
        body = b"E" + head + text.encode()
        if len(body) > BODY_MAX:
            raise ValueError("an event of %d bytes, at most %d are kept" % (len(body), BODY_MAX))
        self.unit = unit or self.unit
        place = self._put(body)
        number = self.box.add(body if place is None else place)
        in_memory = [at for at, item in enumerate(self.box.held) if isinstance(item, bytes)]
        if len(in_memory) > IN_MEMORY:
            self.box.drop(in_memory[0] + 1)
        return number

    def number(self, telemetry: int) -> None:
        """Say that telemetry is about to be given this number, before it is."""
        self.mark = telemetry
        self._put(b"M" + struct.pack(MARK, self.boot, telemetry))

    def ack(self, boot: int, position: int, up_ms: int) -> None:
        """Let go of what is stored, of this boot or an earlier one."""
        for box in self.boxes():
            if box.boot == boot and box.ack(position, up_ms):
                self._put(b"A" + struct.pack(ACK, boot, position, up_ms))
        self.earlier = [run for run in self.earlier if isinstance(run, list) or run.held]

    def boxes(self) -> list:
        """Return the outboxes to send from, in this order; the one of this boot once no earlier one waits."""
        for at, run in enumerate(self.earlier[:OPEN]):
            if isinstance(run, list):
                self.earlier[at] = self._open(run)
        return self.earlier[:OPEN] + ([] if len(self.earlier) > OPEN else [self.box])

    def body(self, box: Events, at: int) -> bytes | tuple:
        """Return an event as it was written, or a gap; one that flash has lost becomes a gap `not_held`."""
        item = box.held[at]
        body = self.ring.load(item) if isinstance(item, int) else item
        if body is None or (
            isinstance(body, bytes) and body[1:9] != struct.pack(MARK, box.boot, box.span(at)[1])
        ):
            box.drop(at + 1, NOT_HELD)
            return box.held[0]
        return body

    def renumber(self, boot: int) -> None:
        """Go on as boot `boot`: this one's number is taken (MQTT-16), and nothing of it has been stored."""
        for at in range(len(self.box.held)):
            body = self.body(self.box, at)
            if isinstance(body, bytes):
                body = b"E" + struct.pack("<I", boot) + body[5:]
                place = self._put(body)
                self.box.held[at] = body if place is None else place
        self.box.boot = self.boot = boot
        self._turn()

    # -- inside

    def _put(self, body: bytes) -> int | None:
        """Return where it was written, None if flash does not take it."""
        try:
            if not self.ring.room(len(body)):
                self._turn()
            return self.ring.append(body)
        except OSError:
            self.unwritten += 1
            return None

    def _turn(self) -> None:
        needed = self._needed()
        while len(needed) >= self._segments:
            self._lose(min(needed))
            needed = self._needed()
        runs = [_state(run) for run in self._runs()]
        state = {"b": self.boot, "m": self.mark, "u": self.unit, "r": runs}
        self.ring.turn(b"S" + json.dumps(state).encode(), needed)

    def _runs(self) -> list:
        return self.earlier + [self.box]  # noqa: RUF005 - as MicroPython reads

    def _needed(self) -> set:
        helds = [run[2] if isinstance(run, list) else run.held for run in self._runs()]
        return {item // SEGMENT for held in helds for item in held if isinstance(item, int)}

    def _lose(self, segment: int) -> None:
        for run in self._runs():
            box = self._open(run) if isinstance(run, list) else run
            gone = [
                at for at, item in enumerate(box.held) if isinstance(item, int) and item // SEGMENT <= segment
            ]
            if gone:
                box.drop(gone[-1] + 1)

    def _open(self, run: list) -> Events:
        box = Events(run[0], self._events, ack_ms=self._ack_ms)
        box.seq, box.held = run[1], run[2]
        return box

    # -- reading the ring

    def _replay(self, place: int, body: bytes) -> None:
        kind, rest = body[:1], body[1:]
        if kind == b"E":
            self._replay_event(place, rest)
        elif kind == b"A":
            boot, position, up_ms = struct.unpack(ACK, rest)
            self._open(self._run(boot)).ack(position, up_ms)
        elif kind == b"M":
            self.boot, self.mark = struct.unpack(MARK, rest)
        elif kind == b"S":
            self._replay_state(json.loads(rest))

    def _replay_event(self, place: int, body: bytes) -> None:
        boot, seq, _, _, session, unit_seq = struct.unpack_from(EVENT, body)
        if boot > self.boot:
            self.boot, self.mark = boot, 0
        run = self._run(boot, seq - 1)
        if unit_seq:
            self.unit = (session, unit_seq)
        if seq <= run[1]:
            return
        if seq > run[1] + 1:
            _fill(run, run[1] + 1, seq - 1)
        run[1] = seq
        run[2].append(place)

    def _replay_state(self, state: dict) -> None:
        self.boot, self.mark = state["b"], state["m"]
        self.unit = tuple(state["u"]) if state["u"] else None
        runs = []
        for boot, seq, gaps, first in state["r"]:
            known = self._run(boot, seq)
            places = [item for item in known[2] if isinstance(item, int)] if known[1] == seq else []
            places = places[max(0, len(places) - (seq + 1 - first)) :]
            held = [tuple(gap) for gap in gaps]
            missing = seq + 1 - first - len(places)  # until a later state tells that they are not needed
            if missing:
                held.append((first, first + missing - 1, 0, NOT_HELD, missing))
            held += places
            runs.append([boot, seq, held])
        self.earlier = runs

    def _run(self, boot: int, seq: int = 0) -> list:
        for run in self.earlier:
            if run[0] == boot:
                return run
        self.earlier.append([boot, seq, []])
        return self.earlier[-1]


def _state(run: object) -> list:
    boot, seq, held = run if isinstance(run, list) else (run.boot, run.seq, run.held)
    gaps = [item for item in held if isinstance(item, tuple)]
    return [boot, seq, gaps, seq + 1 - (len(held) - len(gaps))]


def _fill(run: list, first: int, last: int) -> None:
    """Put a gap for numbers that should stand in the ring and do not, and for those held before them."""
    held = run[2]
    if held:
        first = held[0][0] if isinstance(held[0], tuple) else run[1] + 1 - len(held)
    run[2] = [(first, last, 0, NOT_HELD, last + 1 - first)]
