"""Commands: which are carried out, and what is answered (MQTT-40 to MQTT-45). Pure; runs under MicroPython and CPython."""

import words
from payloads import is_whole, read

COUNTER_MAX = 0xFFFFFFFF
OUTLETS_MAX = 48
TEXT_MAX = 64
OFF_MS = (1000, 3600000)
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
ANSWERS_MAX = 16
REMEMBERED = ("switch", "cycle", "reset_trip")


class Order:
    """A command on its way to the UNO.

    Attributes:
        numbers: what the line says of it (SER-30).
        exp_up_ms: last moment at which it may be begun.
        answer: function (status, code) that is called as it goes on.
    """

    def __init__(self, fields: dict, answer: object) -> None:
        number, names = words.COMMANDS[fields["do"]]
        self.fields = fields
        self.numbers = (number,) + tuple(value(fields, name) for name in names.split(" ") if name)  # noqa: RUF005
        self.exp_up_ms = fields["exp_up_ms"]
        self._answer = answer

    def answer(self, status: str, code: str) -> None:
        """Say how it stands."""
        self._answer(self.fields, status, code)


class Orders:
    """Remembers the last command number of this boot, so that nothing is carried out twice, and who asked.

    Args:
        boot: number of this boot.
        refused: function (data) that notes the event `command_refused`.
        changed: function that is called when an answer waits.

    Attributes:
        n: last number taken, 0 before the first.
        by: who asked for an outlet last, by its number.
        lock_by: who locked or unlocked it last.
        dropped: answers that found no room: nobody fetched the ones before.
    """

    def __init__(self, boot: int, refused: object = None, changed: object = None) -> None:
        self.boot = boot
        self.n = 0
        self.by = {}
        self.lock_by = {}
        self.dropped = 0
        self._refused = refused
        self._changed = changed
        self._answers = []
        self._held = []

    def rise(self, boot: int) -> None:
        """Go over to another number of this boot: command numbers begin anew."""
        if boot != self.boot:
            self.boot, self.n = boot, 0

    def take(self, payload: bytes, up_ms: int, *, retained: bool) -> Order | None:
        """Return the order to carry out; None after saying why there is none."""
        order = read(payload)
        code = self.judge(order, up_ms, retained=retained)
        if code == "ok":
            return Order(order, self.answered)
        named = named_by(order)
        if named:
            status = "expired" if code == "expired" else "rejected"
            self.answered({"id": named, "n": counted(order)}, status, code)
        if retained or not named:
            data = {"code": code}
            if named:
                data["id"] = named
            self._refused(data)
        return None

    def judge(self, order: dict, up_ms: int, *, retained: bool) -> str:
        """Return `ok` if the order is to be carried out now, else the code of codes.toml that refuses it."""
        if retained:
            return "retained"
        n = counted(order)
        ours = order.get("boot") == self.boot
        fresh = ours and n > self.n
        if fresh:
            self.n = n  # whatever becomes of the order
        if not readable(order):
            return "malformed"
        if not ours:
            return "other_boot"
        if not fresh:
            return "repeated"
        return "expired" if up_ms > order["exp_up_ms"] else "ok"

    def answered(self, fields: dict, status: str, code: str) -> None:
        """Keep an answer until it is fetched, and who asked for what was taken.

        One that is confirmed waits for `release`: the state that it has led to is told first.
        """
        if status in ("accepted", "confirmed"):
            self._remember(fields)
        answer = {"id": fields["id"], "n": fields["n"], "status": status, "code": code}
        if status == "confirmed":
            self._held.append(answer)
        else:
            self._line_up([answer])

    def release(self) -> None:
        """Let the answers go that have waited for the state."""
        held, self._held = self._held, []
        if held:
            self._line_up(held)

    def next_answer(self) -> dict | None:
        """Return the oldest answer that was not fetched yet."""
        return self._answers.pop(0) if self._answers else None

    def _line_up(self, answers: list) -> None:
        self._answers += answers
        while len(self._answers) > ANSWERS_MAX:
            self.dropped += 1
            self._answers.pop(0)
        if self._changed:
            self._changed()

    def _remember(self, fields: dict) -> None:
        who = self.by if fields["do"] in REMEMBERED else self.lock_by if fields["do"] == "lock" else None
        if who is not None:
            who[fields["out"]] = fields.get("by", "")


def named_by(order: dict) -> str:
    """Return the id of an order, "" if it has none that can be answered."""
    name = order.get("id")
    if not isinstance(name, str) or not 1 <= len(name) <= TEXT_MAX:
        return ""
    return name if all(sign in SIGNS for sign in name) else ""


def counted(order: dict) -> int:
    """Return the number of an order, 0 if it has none."""
    n = order.get("n")
    return n if is_whole(n, 1, COUNTER_MAX) else 0


def readable(order: dict) -> bool:
    """Return whether an order is one of MQTT-40 with all that it needs."""
    do, by = order.get("do"), order.get("by", "")
    if not (named_by(order) and counted(order) and is_whole(order.get("v"), 1, 1)):
        return False
    if not (is_whole(order.get("boot"), 0, COUNTER_MAX) and is_whole(order.get("exp_up_ms"), 0, 1 << 53)):
        return False
    if not isinstance(by, str) or len(by) > TEXT_MAX:
        return False
    if not isinstance(do, str) or do not in words.COMMANDS or do == "energy":
        return False
    needed = words.COMMANDS[do][1].split(" ")
    return all(
        fits(order, name) for name in ("out", "on", "off_ms", "src") if name in order or name in needed
    )


def fits(order: dict, name: str) -> bool:
    """Return whether a field of an order is what it must be."""
    given = order.get(name)
    if name == "on":
        return isinstance(given, bool)
    if name == "src":
        return given in ("main", "backup")
    return is_whole(given, *(OFF_MS if name == "off_ms" else (1, OUTLETS_MAX)))


def value(order: dict, name: str) -> int:
    """Return a field of an order as the line says it."""
    if name == "0":
        return 0
    given = order[name]
    return words.place(words.WORDS_SOURCE, given) if name == "src" else int(given)
