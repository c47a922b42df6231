"""The other end of the serial line: the UNO, its sessions, what it tells and what it is told (spec/serial.md).

Pure: bytes in, bytes out, the time as an argument. It runs under MicroPython and CPython.
"""

import translate
import words
from acting import Act, Acting
from frames import Lines, encode
from readings import PERIOD_MS, SILENT_MS, Readings
from settings import Settings
from words import word

ASK_MS = 1000  # how often the UNO is asked while something is not known
LOOK_MS = 50  # shortest time between two questions: a hello and a T take the line for that long
SETTLE_MS = (
    100  # behind an event: the answer to the command that led to it asks by itself, and often comes within
)
GRACE_MS = 10000  # a UNO that was never heard is missed only then
OUTLETS_MAX = 8  # of one line of 600 bytes
RATING_MIN_MA = 100
NOMINALS = (90000, 280000, 45000, 65000)  # mV and mHz, as the contract's schema bounds them
REMEMBERED = 32  # events whose number is remembered, so that a later one can name its reason
U16 = 0xFFFF
VERSION, OUTLETS, NOMINAL_MV, NOMINAL_MHZ, OUTLET_MA, TOTAL_MA, RESETS, RESET_CAUSE, NEWEST, FW = range(10)


class Unit:
    """One UNO.

    Args:
        records: `Boxes`, or what takes events and samples as they do.
        meters: `Meters`.
        changed: function that is called when what `up/state` or `up/birth` tells has changed.
        refreshed: function that is called when a T has come, or the UNO has fallen silent.
        told_by: function (fields of an event) that adds who asked for it.
        memory: function that returns (free heap in bytes, radio signal in dBm), each 0 where it is not known.

    Attributes:
        hello: what the UNO's H told, None before.
        session: that of the UNO.
        silent: whether it has told nothing for 3 s.
        odd: frames that were right but not understood.
        restarts: sessions that began while this gateway ran.
    """

    def __init__(
        self,
        records: object,
        meters: object,
        changed: object,
        refreshed: object,
        told_by: object,
        memory: object,
    ) -> None:
        self.hello = self.session = None
        self.silent = False
        self.odd = self.restarts = 0
        self.lines = Lines()
        self.readings = Readings()
        self.acting = Acting()
        self.settings = Settings()
        self._records = records
        self._meters = meters
        self._changed = changed
        self._refreshed = refreshed
        self._told_by = told_by
        self._memory = memory
        self._out = []
        self._own_seq = 0
        self._asked_ms = None
        self._ask_ms = 0  # when a hello and a T are wanted, None while they are not
        self._awaits = False  # a T, before anything is lined up again
        self._standing = None
        self._stale_ms = 0
        self._numbers = []  # (number of the UNO, number of the record), the newest events
        self._fresh = False  # this session began before our eyes: its events count from 1

    @property
    def speaks(self) -> bool:
        """Whether the UNO has said hello in the version that is spoken here (SER-11)."""
        return self.hello is not None and self.hello[VERSION] == words.SERIAL_VERSION

    @property
    def in_force(self) -> int:
        """Version of the settings that run."""
        return self.readings.numbers[translate.SETTINGS]

    def take(self, data: bytes, now_ms: int) -> None:
        """Take bytes that have come in."""
        for kind, seq, session, numbers in self.lines.take(data):
            if kind == "H":
                self._greet(session, numbers, now_ms)
            elif session != self.session:
                self._want(now_ms)
            elif not self.speaks:
                continue  # what it says may mean something else
            elif kind == "T":
                self._tell(numbers, now_ms)
            elif kind == "E":
                self._happen(seq, numbers, now_ms)
            elif kind == "R":
                self._answer(seq, numbers, now_ms)
            elif kind == "A":
                self.acting.answer(seq, "confirmed", "ok")
            else:
                self.odd += 1

    def step(self, now_ms: int) -> bytes:
        """Return what is to be sent now; to be called every 50 ms or so, and after `take`."""
        self._watch(now_ms)
        if self.speaks and self.readings.numbers and not self.silent:
            self._prepare()
        for kind, seq, numbers in self.acting.step(now_ms, alive=not self.silent):
            self._send(kind, seq, numbers)
        self._ask(now_ms)
        out, self._out = b"".join(self._out), []
        return out

    def emergency(self, outlet: int, done: object) -> None:
        """Open an outlet ahead of everything, all of them with 0 (SER-22); never later than now."""
        if not self.speaks:
            done("rejected", "offline")
            return
        self.acting.urge(Act("X", (outlet,), done))

    # -- what comes in

    def _greet(self, session: int, numbers: list, now_ms: int) -> None:
        if not is_hello(numbers):
            self.odd += 1
            return
        anew = session != self.session
        if anew:
            self._fresh = self.session is not None
            self.restarts += self._fresh
            self.session = session
            self._numbers = []
            self.settings.restart()
        self._ask_ms = None
        if anew or numbers[:NEWEST] != self.hello[:NEWEST]:
            self.hello = numbers
            outlets = numbers[OUTLETS] if self.speaks else 0
            self.readings.begin(outlets, self._meters.reached(session, outlets))
            self._changed()
        if self.speaks:
            self.acting.greet(numbers[NEWEST], now_ms, anew=anew)

    def _tell(self, numbers: list, now_ms: int) -> None:
        if not self.readings.take(numbers, now_ms):
            self.odd += 1
            return
        self.settings.told()
        self._awaits = False
        if not self.readings.behind():  # else the UNO has still to hear where its counters stood
            self._meters.tell(self.session, self.readings.energies, self.readings.powers())
        if self.silent:
            self.silent = False
            self._changed()
            self.note({"code": "link_found", "data": {"link": "unit"}})
        if self.readings.is_due():
            self._sample(stale=False)
        standing = self.readings.standing()
        if standing != self._standing:
            self._standing = standing
            self._changed()
        self._refreshed()

    def _happen(self, seq: int, numbers: list, now_ms: int) -> None:
        """Keep an event, and acknowledge it when it is safe."""
        if not self.readings.dated:
            self._want(now_ms)  # it comes again (SER-20), and then the UNO's clock is known
            return
        missed = self._missed(seq)
        if missed >= 0 and not self._keep(seq, numbers, missed, now_ms):
            return
        self._send("A", seq, ())
        self._want(now_ms + SETTLE_MS)

    def _missed(self, seq: int) -> int:
        """Return how many events have gone before this one, -1 if it is kept already."""
        kept = self._records.unit
        if kept and kept[0] == self.session:
            ahead = (seq - kept[1]) % U16  # numbers are 1 to 65,535
            return -1 if ahead == 0 or ahead > U16 // 2 else ahead - 1
        return seq - 1 if self._fresh else 0

    def _keep(self, seq: int, numbers: list, missed: int, now_ms: int) -> bool:
        """Return whether an event is safe in flash; there is no answer to one that is not: it comes again."""
        whole = len(numbers) >= translate.DATA and None not in numbers[: translate.DATA]
        fields = translate.event(numbers, self.hello[NOMINAL_MV]) if whole else None
        up_ms = self.readings.at(numbers[translate.EVENT_UP_MS], now_ms) if whole else now_ms
        if fields is None:
            self.odd += 1  # of a newer firmware: it is taken, or it would come for ever
            fields = {"gap": {"reason": "refused", "count": 1}}
        if up_ms < 0 and "code" in fields:
            fields.setdefault("data", {})["before_ms"] = -up_ms
        because = [number for told, number in self._numbers if whole and told == numbers[translate.BECAUSE]]
        if because and "code" in fields:
            fields["because"] = because[-1]
        self._told_by(fields)
        if "code" in fields:
            fields.setdefault("data", {}).update({"unit_session": self.session, "unit_seq": seq})
        try:
            if missed:
                self._records.add_event({"gap": {"reason": "overflow", "count": missed}})
            number = self._records.add_event(fields, max(0, up_ms), (self.session, seq))
        except OSError:
            return False  # the boxes count it; the UNO keeps it and sends it again
        self._numbers = self._numbers[1 - REMEMBERED :] + [(seq, number)]  # noqa: RUF005
        return True

    def _answer(self, seq: int, numbers: list, now_ms: int) -> None:
        status = word(words.STATUSES, numbers[0] if numbers else None)
        code = word(words.RESULTS, numbers[1] if len(numbers) > 1 else None)
        if not status or not code:
            self.odd += 1
            return
        self.acting.answer(seq, status, code)
        if status != "accepted":
            self._want(now_ms)

    # -- what goes out

    def _prepare(self) -> None:
        """Line up what the gateway wants by itself: settings, and energy counters that the UNO has lost."""
        if self._awaits or not self.acting.idle:
            return
        lost = self.readings.behind()
        if lost:
            self.acting.add(Act("C", (words.COMMANDS["energy"][0],) + lost, self._returned))  # noqa: RUF005
            return
        piece = self.settings.piece(self.in_force)
        if piece:
            self.acting.add(Act("S", piece, self._settled))

    def _returned(self, _status: str, code: str) -> None:
        """An energy counter was answered; the next T tells whether it has to be returned again."""
        self._awaits = True
        self.odd += code == "malformed"

    def _settled(self, status: str, code: str) -> None:
        if status == "confirmed":
            self.settings.taken()
        elif code in ("malformed", "not_confirmed"):
            self.note({"code": "settings_refused", "data": self.settings.refuse(code)})
        else:
            self.settings.restart()

    def _want(self, at_ms: int) -> None:
        if self._ask_ms is None or at_ms < self._ask_ms:
            self._ask_ms = at_ms

    def _ask(self, now_ms: int) -> None:
        if self.session is None or self.acting.unsure or now_ms - self.readings.heard_ms > PERIOD_MS * 3 // 2:
            self._want(now_ms if self._asked_ms is None else self._asked_ms + ASK_MS)
        if self._ask_ms is None or now_ms < self._ask_ms:
            return
        if self._asked_ms is None or now_ms - self._asked_ms >= LOOK_MS:
            self._own_seq = (self._own_seq + 1) & U16
            self._asked_ms = now_ms
            self._ask_ms = None
            self._send("Q", self._own_seq, ())

    def _watch(self, now_ms: int) -> None:
        quiet_ms = now_ms - self.readings.heard_ms
        if not self.silent and quiet_ms > (SILENT_MS if self.readings.numbers else GRACE_MS):
            self.silent = True
            self._stale_ms = now_ms
            self._changed()
            self._refreshed()
            self.note({"code": "link_lost", "data": {"link": "unit", "silent_ms": quiet_ms}})
        if self.silent and self.readings.numbers and now_ms >= self._stale_ms:
            self._stale_ms += PERIOD_MS
            self._sample(stale=True)

    def _sample(self, *, stale: bool) -> None:
        heap, rssi = self._memory()
        self._records.add_telemetry(self.readings.sample(stale=stale), None, heap, rssi)

    def note(self, fields: dict) -> None:
        """Keep an event of the gateway's own; if flash does not take it, the boxes hold and count it."""
        try:
            self._records.add_event(fields)
        except OSError:
            self.odd += 1

    def _send(self, kind: str, seq: int, numbers: tuple) -> None:
        self._out.append(encode(kind, seq, self.session or 0, numbers))


def is_hello(numbers: list) -> bool:
    """Return whether an H tells what a birth may say (MQTT-25)."""
    if len(numbers) <= FW or None in numbers or min(numbers) < 0:
        return False
    if not 1 <= numbers[OUTLETS] <= OUTLETS_MAX:
        return False
    rated = min(numbers[OUTLET_MA], numbers[TOTAL_MA]) >= RATING_MIN_MA
    mains = (
        NOMINALS[0] <= numbers[NOMINAL_MV] <= NOMINALS[1]
        and NOMINALS[2] <= numbers[NOMINAL_MHZ] <= NOMINALS[3]
    )
    return rated and mains
