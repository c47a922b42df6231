"""One stream of one boot: what is held, what of it is sent, and what is sent again (MQTT-10 to MQTT-19).

Pure: no clock, no network, no files. Runs under MicroPython and CPython. What is held is kept as short as it came;
its JSON is made when it is sent, and again when it is sent again: sixteen payloads would fill a fifth of an ESP8266's
heap.
"""

PATIENCE = 3  # MQTT-15: ack intervals without progress before records are sent again
TRIES = 3  # MQTT-19: tries in vain before a record is given up as `refused`

OVERFLOW, NOT_HELD, REFUSED = "overflow", "not_held", "refused"


class Outbox:
    """Items held, oldest first, numbered without holes up to `seq`.

    An item is a gap, which is the tuple (first, last, up_ms, reason, count), or anything else, which stands for one
    number. `span` and `count` are for subclasses whose items stand for more.

    Args:
        boot: the start that numbers it.
        capacity: most items held, 4 or more.
        window: most items sent and not acknowledged.
        ack_ms: how often acks are to be expected.

    Attributes:
        seq: newest number, 0 before the first.
        held: the items.
        sent: how many of the oldest are sent and not acknowledged.
        lost: how many numbers went into gaps `overflow`.
    """

    def __init__(self, boot: int, capacity: int, window: int = 8, ack_ms: int = 2000) -> None:
        self.boot = boot
        self.seq = 0
        self.held = []
        self.sent = 0
        self.lost = 0
        self.capacity = capacity
        self.window = min(window, capacity // 2)
        self.ack_ms = ack_ms
        self._since_ms = self._jitter_ms = self._vain = 0
        self._answered = False

    def span(self, at: int) -> tuple:
        """Return the first and last number that the item at this place stands for."""
        item = self.held[at]
        if isinstance(item, tuple):
            return item[:2]
        seq = self.seq - (len(self.held) - 1 - at)
        return seq, seq

    def count(self, at: int) -> int | None:
        """Return how many samples or events would be lost with the item, None when unknown."""
        item = self.held[at]
        return item[4] if isinstance(item, tuple) else 1

    def add(self, item: object) -> int:
        """Hold one more item and return its number; older ones make room when there is none."""
        self.seq += 1
        self.held.append(item)
        if len(self.held) > self.capacity:
            self.thin()
        return self.seq

    def thin(self) -> None:
        """Make room: the two oldest that are not on their way become one gap (MQTT-17)."""
        # What was sent may be stored already: it is left as it was sent.
        self.lose(self.sent, self.sent + 2)

    def lose(self, start: int, end: int, reason: str = OVERFLOW) -> None:
        """Put one gap in place of the items from `start` to before `end`."""
        if reason is OVERFLOW:
            new = [self.count(at) or 0 for at in range(start, end) if not isinstance(self.held[at], tuple)]
            self.lost += sum(new)
        counts = [self.count(at) for at in range(start, end)]
        count = None if None in counts else sum(counts)
        self.held[start:end] = [
            (self.span(start)[0], self.span(end - 1)[1], self.when(end - 1), reason, count)
        ]

    def when(self, at: int) -> int:
        """Return the uptime of an item, as well as it is known."""
        item = self.held[at]
        return item[2] if isinstance(item, tuple) else 0

    def oldest(self) -> int:
        """Return the oldest number held, the next one if there is none."""
        return self.span(0)[0] if self.held else self.seq + 1

    def ack(self, position: int, up_ms: int) -> bool:
        """Let go of all up to `position`; return whether anything changed.

        A position below the oldest number held is a database restored from backup: what is gone is announced by
        a gap `not_held` (MQTT-18).
        """
        stored = 0
        while stored < len(self.held) and self.span(stored)[1] <= position:
            stored += 1
        if stored:
            del self.held[:stored]
            self.sent = max(0, self.sent - stored)
            self._since_ms = up_ms
            self._vain = 0
        self._answered = not stored
        oldest = self.oldest()
        if position + 1 < oldest:
            self.held.insert(0, (position + 1, oldest - 1, up_ms, NOT_HELD, None))
            self.sent = 0
            return True
        return stored > 0

    def rewind(self) -> None:
        """Send everything again from the oldest: the connection is a new one."""
        self.sent = 0

    def take(self, up_ms: int, rng: object) -> int | None:
        """Return the place of the item to send now and count it as sent, None if there is none.

        Args:
            up_ms: now.
            rng: function (n) -> a random number below n.
        """
        if self.sent:
            self._repeat(up_ms)
        if self.sent >= min(self.window, len(self.held)):
            return None
        if not self.sent:
            self._since_ms = up_ms
            self._jitter_ms = rng(self.ack_ms)
            self._answered = False
        self.sent += 1
        return self.sent - 1

    def _repeat(self, up_ms: int) -> None:
        """Take all as not sent when there was no progress for too long, and give up what is refused."""
        if up_ms - self._since_ms < PATIENCE * self.ack_ms + self._jitter_ms:
            return
        # Only where acks do arrive is a record without progress refused; else nobody may be listening.
        self._vain = self._vain + 1 if self._answered else 0
        if self._vain >= TRIES:
            self._vain = 0
            self.refuse()
        self.sent = 0

    def refuse(self) -> None:
        """Give up the oldest item: it becomes a gap `refused` (MQTT-19)."""
        self.lose(0, 1, REFUSED)


def gap_fields(gap: tuple) -> str:
    """Return the JSON fields of a gap record, without braces (MQTT-11)."""
    first, last, _, reason, count = gap
    start = "" if first == last else '"from":%d,' % first
    return start + '"gap":{"reason":"%s","count":%s}' % (reason, "null" if count is None else count)
