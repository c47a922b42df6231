"""Records of one stream of one boot, kept until the control center has stored them (MQTT-14 to MQTT-19)."""

import random
from collections.abc import Mapping

from loadcenter.simulator.encode import Record, gap_record
from loadcenter.simulator.thinning import thin

WINDOW = 50
"""Most records sent and not acknowledged: a backlog drains fast, yet a slow server is not flooded."""

ACK_INTERVAL_MS = 2000
"""MQTT-14: the control center acknowledges at most this often."""

PATIENCE = 3
"""MQTT-15: ack intervals without progress before records are sent again."""

TRIES = 3
"""MQTT-19: tries in vain before a record is given up as `refused`."""


class Outbox:
    """One stream of one boot. All times are the device's uptime.

    Args:
        boot: the start that numbers it.
        capacity: most records held, 4 or more; more are thinned, then lost as an announced gap.
        rng: for the jitter of repetitions.
        records: what was held before, oldest first.
        next_seq: number of the next record.
        ack_interval_ms: how often acks are to be expected.
        window: most records sent and not acknowledged.
    """

    def __init__(
        self,
        boot: int,
        capacity: int,
        rng: random.Random,
        records: list[Record] | None = None,
        next_seq: int = 1,
        *,
        ack_interval_ms: int = ACK_INTERVAL_MS,
        window: int = WINDOW,
    ) -> None:
        self.boot = boot
        self.capacity = capacity
        self.records = records if records is not None else []
        self.next_seq = next_seq
        self._window = min(window, capacity // 2)
        self._ack_interval_ms = ack_interval_ms
        self._rng = rng
        self._in_flight = 0
        self._quiet_since_ms = 0
        self._jitter_ms = 0
        self._answered = False
        self._vain = 0

    def add(self, body: Mapping[str, object], up_ms: int, samples: int) -> int:
        """Keep a record and return its number; when the outbox is full older ones make room."""
        seq = self.next_seq
        self.next_seq += 1
        self.records.append(Record(seq, seq, up_ms, body, samples))
        if len(self.records) > self.capacity:
            self._make_room()
        return seq

    def _make_room(self) -> None:
        # What is in flight may be stored already: it is left as it was sent.
        sent, waiting = self.records[: self._in_flight], self.records[self._in_flight :]
        self.records = sent + thin(waiting)

    def ack(self, position: int, up_ms: int) -> None:
        """Forget what is stored up to `position`; announce what is asked for and no longer held (MQTT-18)."""
        stored = 0
        while stored < len(self.records) and self.records[stored].seq <= position:
            stored += 1
        if stored:
            del self.records[:stored]
            self._in_flight = max(0, self._in_flight - stored)
            self._quiet_since_ms = up_ms
            self._vain = 0
        self._answered = not stored
        oldest = self.records[0].first if self.records else self.next_seq
        if position + 1 < oldest:
            missing = gap_record("not_held", position + 1, oldest - 1, up_ms, None)
            self.records.insert(0, missing)
            self._in_flight = 0

    def shortened(self, most: int) -> list[Record]:
        """Return the records held, the oldest as one gap where there are more than `most`."""
        records = list(self.records)
        while len(records) > most:
            records = thin(records)
        return records

    def rewind(self) -> None:
        """Send everything again from the oldest: the connection is a new one."""
        self._in_flight = 0

    def pull(self, up_ms: int) -> list[Record]:
        """Return the records to send now, oldest first, and count them as in flight."""
        if self._in_flight:
            self._repeat(up_ms)
        waiting = self.records[self._in_flight : self._window]
        if waiting:
            if not self._in_flight:
                self._begin(up_ms)
            self._in_flight += len(waiting)
        return waiting

    def _repeat(self, up_ms: int) -> None:
        """Take everything as not sent when there was no progress for too long, and give up what is refused."""
        if up_ms - self._quiet_since_ms < PATIENCE * self._ack_interval_ms + self._jitter_ms:
            return
        # Only where acks do arrive is a record without progress refused; else nobody may be listening.
        self._vain = self._vain + 1 if self._answered else 0
        if self._vain >= TRIES:
            refused = self.records[0]
            self.records[0] = gap_record("refused", refused.first, refused.seq, refused.up_ms, refused.count)
            self._vain = 0
        self._in_flight = 0

    def _begin(self, up_ms: int) -> None:
        self._quiet_since_ms = up_ms
        self._jitter_ms = self._rng.randint(0, self._ack_interval_ms)
        self._answered = False
