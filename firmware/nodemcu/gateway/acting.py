"""Lines that act on the UNO: `C`, `S`, `X`, one after the other, each carried out once or not at all (SER-21). Pure.

A line that is not answered has either not come through or its answer has not: sending it again is safe as long as it
is in time. When its time or its tries are over, only the UNO knows; its hello tells the newest number that it took.
"""

AGAIN_MS = 200
TRIES = 6  # the first, and five more (SER-21)
QUIET_MS = 300  # a hello that was under way when the line went out says nothing of it
ASK_MS = 2000  # how often the end of a line that was taken is asked for: its answer may have been lost
WAITING_MAX = 12
U16 = 0xFFFF
HALF_U16 = 0x8000
STRIDE = 2  # a line of the gateway before this one may still be under way: its number is left out


class Act:
    """One line.

    Args:
        kind: `C`, `S` or `X`.
        numbers: what it says.
        done: function (status, code) that is told how it stands: `accepted`, and then one of `confirmed`, `rejected`,
            `expired`, which is the end. `S` ends with `confirmed` when it was taken.
        exp_ms: last moment at which it may be sent, None where it does not matter.
    """

    def __init__(self, kind: str, numbers: tuple, done: object, exp_ms: int | None = None) -> None:
        self.kind = kind
        self.numbers = numbers
        self.done = done
        self.exp_ms = exp_ms
        self.seq = self.sent_ms = None
        self.tries = 0
        self.passed = False  # an emergency went ahead of it

    def is_late(self, now_ms: int) -> bool:
        """Return whether its time is over."""
        return self.exp_ms is not None and now_ms > self.exp_ms


class Acting:
    """The lines of one gateway, oldest first.

    Attributes:
        unsure: whether only a hello can tell what became of the line that was sent.
        full: lines that found no room.
    """

    def __init__(self) -> None:
        self.unsure = False
        self.full = 0
        self._seq = None  # newest number that was given out, None before the hello
        self._waiting = []
        self._open = None
        self._taken = []
        self._urgent = None

    @property
    def idle(self) -> bool:
        """Whether nothing waits for its first answer, and no settings for theirs."""
        return not (self._open or self._waiting or [act for act in self._taken if act.kind == "S"])

    def add(self, act: Act) -> bool:
        """Put a line behind the others; False, and nothing kept, where there are too many."""
        if len(self._waiting) >= WAITING_MAX:
            self.full += 1
            return False
        self._waiting.append(act)
        return True

    def urge(self, act: Act) -> None:
        """Let a line go ahead of all (SER-22); those that were not sent are superseded."""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.done("rejected", "superseded")
        if self._open:
            self._open.passed = True
        if self._urgent:
            self._urgent.done("rejected", "superseded")
        self._urgent = act

    def greet(self, n: int, now_ms: int, *, anew: bool) -> None:
        """Take the hello of the UNO: `n` is the newest number that it took, `anew` says that it has started anew."""
        if anew:
            self._forget()
        if anew or self._seq is None:
            self._seq = (n + STRIDE) & U16
        elif self.unsure and self._open and now_ms - self._open.sent_ms >= QUIET_MS:
            self._settle(n, now_ms)

    def step(self, now_ms: int, *, alive: bool) -> list:
        """Return what is to be sent now, each as (kind, seq, numbers).

        Args:
            now_ms: uptime.
            alive: whether the UNO is heard; while it is not, nothing new is begun.
        """
        self._expire(now_ms)
        if self._seq is None:
            return []
        send = []
        if self._urgent:
            self._try_urgent(now_ms, send)
        if self._open is None and self._waiting and alive:
            self._open = self._waiting.pop(0)
        if self._open and not self.unsure:
            self._try(self._open, now_ms, send)
        return send + [self._line(act, now_ms) for act in self._taken if now_ms - act.sent_ms >= ASK_MS]

    def answer(self, seq: int, status: str, code: str) -> None:
        """Take an answer of the UNO."""
        act = self._of(seq)
        if act is None:
            return
        if act in self._taken and status == "accepted":
            return  # it goes on
        if act is self._open:
            self._open = None
            self.unsure = False
        if act is self._urgent:
            self._urgent = None
        if status == "accepted":
            self._taken.append(act)
        if status != "accepted" and act in self._taken:
            self._taken.remove(act)
            code = "not_confirmed" if code == "repeated" else code  # it was taken, and its end is forgotten
        act.done(status, "superseded" if code == "repeated" and act.passed else code)

    def _of(self, seq: int) -> Act | None:
        known = [act for act in [self._open, self._urgent] + self._taken if act and act.seq == seq]  # noqa: RUF005
        return known[0] if known else None

    def _forget(self) -> None:
        """End what was sent to the start before: whether it was carried out cannot be known any more."""
        lost = [act for act in [self._open, self._urgent] + self._taken if act]  # noqa: RUF005
        self._open = self._urgent = None
        self._taken = []
        self.unsure = False
        for act in lost:
            act.done("rejected", "other_boot" if act.kind == "S" else "not_confirmed")

    def _settle(self, n: int, now_ms: int) -> None:
        """Decide what became of the line that nobody answered."""
        act = self._open
        self.unsure = False
        if (n - act.seq) & U16 < HALF_U16:
            self._open = None
            self._taken.append(act)  # it was taken: asking again moves nothing
            act.sent_ms = now_ms - ASK_MS
        elif act.is_late(now_ms):
            self._open = None
            act.done("expired", "expired")
        else:
            act.tries = 0

    def _expire(self, now_ms: int) -> None:
        late = [act for act in self._waiting if act.is_late(now_ms)]
        for act in late:
            self._waiting.remove(act)
            act.done("expired", "expired")

    def _try(self, act: Act, now_ms: int, send: list) -> None:
        if act.sent_ms is not None and act.tries and now_ms - act.sent_ms < AGAIN_MS:
            return
        if act.tries >= TRIES or act.is_late(now_ms):
            self.unsure = True
            return
        send.append(self._line(act, now_ms))

    def _try_urgent(self, now_ms: int, send: list) -> None:
        act = self._urgent
        if act.tries and now_ms - act.sent_ms < AGAIN_MS:
            return
        if act.tries >= TRIES:
            self._urgent = None
            act.done("rejected", "not_confirmed")
            return
        send.append(self._line(act, now_ms))

    def _line(self, act: Act, now_ms: int) -> tuple:
        if act.seq is None:
            self._seq = (self._seq + 1) & U16
            act.seq = self._seq
        act.tries += 1
        act.sent_ms = now_ms
        return act.kind, act.seq, act.numbers
