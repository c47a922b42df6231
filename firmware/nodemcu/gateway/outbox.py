"""Records that the control center has not acknowledged yet (MQTT-10 to MQTT-18), in bounded memory.

Pure: no clock, no network. Runs under MicroPython and CPython. A record is held as short as it came; its JSON is
made when it is sent, and again when it is sent again: sixteen payloads would fill a fifth of an ESP8266's heap.
"""


class Outbox:
    """One stream of one boot, oldest record first.

    Args:
        boot: counter of starts.
        capacity: most records held; when one more comes, the older half becomes one gap record `overflow`.
        fields: makes the JSON fields of a record, without braces, from what was added.

    Attributes:
        seq: number of the newest record, 0 before the first.
        lost: how many records went into gap records `overflow`.
    """

    def __init__(self, boot: int, capacity: int, fields: object) -> None:
        self.boot = boot
        self.seq = 0
        self.lost = 0
        self._capacity = capacity
        self._fields = fields
        self._held = []  # (first, seq, up_ms, record); the record of a gap is a pair (reason, count)

    def __len__(self) -> int:
        return len(self._held)

    def add(self, up_ms: int, record: object) -> tuple:
        """Number a record, keep it, and return it as `payload` takes it. A record is no tuple."""
        if len(self._held) >= self._capacity:
            self._make_room(up_ms)
        self.seq += 1
        self._held.append((self.seq, self.seq, up_ms, record))
        return self._held[-1]

    def ack(self, position: int, up_ms: int) -> bool:
        """Let go of all up to `position`; return whether a gap record was made that wants to be sent now.

        A position below the oldest record held is a database restored from backup: what is gone is announced
        by a gap record `not_held` (MQTT-18).
        """
        while self._held and self._held[0][1] <= position:
            self._held.pop(0)
        first = self._held[0][0] if self._held else self.seq + 1
        if position + 1 >= first:
            return False
        self._held.insert(0, (position + 1, first - 1, up_ms, ("not_held", first - 1 - position)))
        return True

    def held(self) -> list:
        """Return what is held, oldest first, each as `payload` takes it."""
        return self._held[:]

    def payload(self, held: tuple) -> bytes:
        """Return the JSON of one record."""
        first, seq, up_ms, record = held
        if isinstance(record, tuple):
            reason, count = record
            fields = '"from":%d,"gap":{"reason":"%s","count":%d}' % (first, reason, count)
        else:
            fields = self._fields(record)
        return ('{"v":1,"boot":%d,"seq":%d,"up_ms":%d,%s}' % (self.boot, seq, up_ms, fields)).encode()

    def _make_room(self, up_ms: int) -> None:
        half = max(2, self._capacity // 2)
        first, last = self._held[0][0], self._held[half - 1][1]
        count = last - first + 1
        self.lost += count
        self._held[:half] = [(first, last, up_ms, ("overflow", count))]
