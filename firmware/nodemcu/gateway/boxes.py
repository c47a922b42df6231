"""All records of the gateway: telemetry in memory, events in flash, each until the control center has stored it.

It runs under MicroPython and CPython. Nothing here waits.
"""

import json
import struct

from journal import EVENT, EVENT_SIZE, Journal
from outbox import PATIENCE, gap_fields
from payloads import is_whole, read
from ring import Ring
from samples import Telemetry, fields, pack

NUMBER_MAX = (1 << 53) - 1  # of a record, by the contract
MARK_STEP = 32  # numbers of telemetry between two writes to flash
STAMP = '{"v":1,"boot":%d,"seq":%d,"up_ms":%d,'


class Boxes:
    """Both streams of this boot, and the events of earlier ones (MQTT-10 to MQTT-19).

    Making it is the start of a boot: it reads the flash ring, takes the next boot number, writes it down, and keeps
    the event `boot` with `data.closes` (MQTT-16).

    Args:
        folder: where the flash ring lies; made if it is missing.
        clock: `clock.Clock` of this boot.
        rng: function (n) -> a random number 0..n-1, such as `random.randrange`.
        birth: more fields for the `data` of the event `boot`, such as {"reset_cause": "power"}.
        capacity: most records of telemetry held, 4 or more; then they are thinned.
        window: most records of a stream sent and not acknowledged.
        ack_ms: how often acks are to be expected.
        ring: the flash ring, if it is not to be made from the folder.

    Attributes:
        boot: number of this boot. It may RISE while the gateway runs (erased flash: the control center has more of
            this boot than was ever sent). Compare orders with it each time; `n` starts again at 0 when it changes.
        unit: (session, seq) of the newest event of the UNO that is safe in flash, None before the first. It survives a
            restart: an `E` of the same session whose seq is not newer is acknowledged with `A` and not added again.
        changed: an asyncio.Event that is set when there is something new to send; `Uplink` puts the device's one here.
        malformed: acks that could not be read.
    """

    def __init__(
        self,
        folder: str,
        clock: object,
        rng: object,
        birth: dict | None = None,
        capacity: int = 16,
        window: int = 8,
        ack_ms: int = 2000,
        ring: Ring | None = None,
    ) -> None:
        self.changed = None
        self.malformed = 0
        self._clock = clock
        self._rng = rng
        self._journal = Journal(ring or Ring(folder), ack_ms=ack_ms)
        closes = self._journal.begin()
        self._telemetry = Telemetry(self.boot, capacity, window, ack_ms)
        # A flash without any boot may be an erased one: see `_is_doubtful`.
        self._doubted_ms = -1 if closes is None else None
        data = dict(birth or {}, closes=closes)
        if self._journal.dropped:
            data["dropped"] = self._journal.dropped
        self.add_event({"code": "boot", "data": data})

    @property
    def boot(self) -> int:
        """Number of this boot."""
        return self._journal.boot

    @property
    def unit(self) -> tuple | None:
        """(session, seq) of the newest event of the UNO that is kept."""
        return self._journal.unit

    @property
    def lost(self) -> int:
        """Samples and events of this boot that went into gaps `overflow`."""
        return self._telemetry.lost + self._journal.box.lost

    @property
    def unwritten(self) -> int:
        """Writes that flash did not take; such an event is held in memory."""
        return self._journal.unwritten

    @property
    def held(self) -> tuple:
        """(records of telemetry, events of this boot) that are not stored yet."""
        return len(self._telemetry.held), len(self._journal.box.held)

    def add_event(self, event: dict, up_ms: int | None = None, unit: tuple | None = None) -> int:
        """Write an event to flash and return its number; only then may the UNO's event be acknowledged.

        Args:
            event: `code` and, where known, `out src cause because data`, with the words of the contract.
            up_ms: when it happened, on the uptime of this boot and not below 0; now if None.
            unit: (session, seq) of the UNO's event that this is; None for an event of the gateway's own.

        Raises:
            ValueError: it is longer than a kilobyte.
        """
        up_ms = self._clock.uptime() if up_ms is None else up_ms
        text = json.dumps(event, separators=(",", ":"))[1:-1]
        seq = self._journal.add(text, up_ms, self._clock.at(up_ms), unit)
        self._note()
        return seq

    def add_telemetry(self, sample: tuple, up_ms: int | None = None, heap: int = 0, rssi: int = 0) -> int:
        """Number a sample, keep it, and return its number; older ones are thinned when there is no room.

        Args:
            sample: (backup, live, main, other, outlets): `backup` is True when the transfer switch stands there;
                `main` and `other` (the source BACKUP) are (v_mv, f_mhz, q), each outlet is
                (on, i_ma, p_mw, e_mwh, q). A number is None where it is not known. `q` is 0 good, 1 stale, 2 invalid.
            up_ms: when it was taken; now if None.
            heap: bytes of heap that are free, 0 when not known; sent as `heap_b`.
            rssi: strength of the radio signal in dBm, 0 when not known; sent as `rssi_dbm`.
        """
        up_ms = self._clock.uptime() if up_ms is None else up_ms
        number = self._telemetry.seq + 1
        if number > self._journal.mark:
            self._journal.number(number + MARK_STEP - 1)
        self._telemetry.add(pack(number, up_ms, sample, heap, rssi))
        self._note()
        return number

    def close(self) -> None:
        """Write down exactly what telemetry was given out: the restart is an orderly one."""
        self._journal.number(self._telemetry.seq)

    def ack(self, payload: bytes) -> bool:
        """Let go of what `down/ack` says is stored; return whether `boot` has risen: connect anew then."""
        said = read(payload)
        boot, telemetry, event = [said.get(key) for key in ("boot", "telemetry", "event")]
        if said.get("v") != 1 or False in [is_whole(one, 0, NUMBER_MAX) for one in (boot, telemetry, event)]:
            self.malformed += 1
            return False
        up_ms = self._clock.uptime()
        if boot != self.boot:
            self._journal.ack(boot, event, up_ms)
            return False
        if telemetry > self._telemetry.seq or event > self._journal.box.seq:
            self._rise()
            return True
        self._doubted_ms = None
        self._journal.ack(boot, event, up_ms)
        self._telemetry.ack(telemetry, up_ms)
        return False

    def rewind(self) -> None:
        """Send all that is held again from the oldest: the connection is a new one."""
        for box in self._journal.boxes() + [self._telemetry]:  # noqa: RUF005 - as MicroPython reads
            box.rewind()

    def next(self) -> tuple | None:
        """Return (leaf, payload) of the record to send now, None if there is none; it counts as sent."""
        up_ms = self._clock.uptime()
        doubtful = self._is_doubtful(up_ms)
        for box in self._journal.boxes():
            if not (doubtful and box.sent):
                at = box.take(up_ms, self._rng)
                if at is not None:
                    return "event", self._event(box, at)
            if box.sent < len(box.held):
                break  # events of earlier boots go first
        at = None if doubtful else self._telemetry.take(up_ms, self._rng)
        return None if at is None else ("telemetry", self._sample(at))

    # -- inside

    def _note(self) -> None:
        if self.changed:
            self.changed.set()

    def _is_doubtful(self, up_ms: int) -> bool:
        """Return whether an ack is to be waited for: at first start, for three intervals from the first try.

        If the flash was erased, this boot's number was used before: the ack at birth tells. What was sent until
        then would be taken for a copy of the old boot's records.
        """
        if self._doubted_ms is None:
            return False
        if self._doubted_ms < 0:
            self._doubted_ms = up_ms
        if up_ms - self._doubted_ms >= PATIENCE * self._telemetry.ack_ms:
            self._doubted_ms = None
        return self._doubted_ms is not None

    def _rise(self) -> None:
        # Twice, because the flash may have known hundreds of boots: a few connections find a number that is free.
        self._journal.renumber(2 * self.boot)
        self._telemetry.boot = self.boot
        self._journal.number(self._journal.mark)
        self._doubted_ms = -1

    def _event(self, box: object, at: int) -> bytes:
        body = self._journal.body(box, at)
        if isinstance(body, tuple):
            return self._payload(box.boot, body[1], body[2], None, gap_fields(body))
        _, seq, up_ms, ts_ms, _, _ = struct.unpack_from(EVENT, body, 1)
        now_ms = self._clock.at(up_ms) if box.boot == self.boot else None
        return self._payload(box.boot, seq, up_ms, now_ms or ts_ms, body[1 + EVENT_SIZE :].decode())

    def _sample(self, at: int) -> bytes:
        box = self._telemetry
        up_ms = box.when(at)
        ts_ms = self._clock.at(up_ms)
        seq = box.span(at)[1]
        head = len(STAMP % (box.boot, seq, up_ms) + _stamp(ts_ms)) + 1
        return self._payload(box.boot, seq, up_ms, ts_ms, fields(box.held[at], head))

    def _payload(self, boot: int, seq: int, up_ms: int, ts_ms: int | None, text: str) -> bytes:
        return (STAMP % (boot, seq, up_ms) + _stamp(ts_ms) + text + "}").encode()


def _stamp(ts_ms: int | None) -> str:
    return '"ts_ms":%d,' % ts_ms if ts_ms else ""
