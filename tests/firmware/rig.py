"""A unit with its real program, and a gateway that talks to it: what tests and benches of the firmware stand on."""

import os
import pickle
import select
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import firmware
from tests.firmware import words
from tests.firmware.named import Frame, LineReader, encode

from loadcenter.adapters.emulator import CLOCK_HZ, Board, Emulator, Event, Impedance, Kind, Part
from loadcenter.domain.topology import Source

READY_S = 6.0
ANSWER_S = 1.0


@dataclass(frozen=True)
class Program:
    """A firmware build and the board that it is for."""

    elf: Path
    board: Board

    @staticmethod
    def built(name: str, *defines: str, suffix: str = "") -> "Program":
        """Return a build of scripts/firmware.py, with more macros if `suffix` names it."""
        target = firmware.variant(name, *defines, suffix=suffix) if suffix else firmware.BUILDS[name]
        elf = firmware.build(target)
        return Program(elf, Board.of(firmware.facts_of(target)))


class Rig:
    """One unit, its gateway, and what both have said.

    Attributes:
        emulator: the unit.
        frames: what it has said, oldest first.
        reader: counts the lines that were no frames.
        acknowledges: whether the gateway takes events.
        nonsense: times that it has said what cannot be.
    """

    def __init__(self, program: Program, *, seed: int = 1) -> None:
        self.board = program.board
        self.emulator = Emulator(program.elf, program.board, seed=seed)
        self.frames: list[Frame] = []
        self.reader = LineReader()
        self.acknowledges = True
        self.nonsense = 0
        self._seq = 0
        self._version = 0

    def close(self) -> None:
        self.emulator.close()

    # -- running

    def run(self, seconds: float) -> None:
        """Let time go on, a tenth of a second at a time, and take what is said."""
        end = self.emulator.now_s + seconds
        while self.emulator.now_s < end:
            self.emulator.run(min(0.1, max(1e-6, end - self.emulator.now_s)))
            self.listen()

    def until(self, true: Callable[[], Any], within_s: float, step_s: float = 0.005) -> bool:
        """Return whether `true()` came to be within the time."""
        end = self.emulator.now_s + within_s
        while not true():
            if self.emulator.now_s >= end:
                return False
            self.emulator.run(step_s)
            self.listen()
        return True

    def listen(self) -> None:
        """Take what the unit has said, and acknowledge its events."""
        for frame in self._heard():
            self.frames.append(frame)
            if frame.type == "E" and self.acknowledges:
                self.emulator.send(encode("A", frame.seq, frame.session))

    def _heard(self) -> list[Frame]:
        try:
            return self.reader.take(self.emulator.output())
        except (ValueError, IndexError, KeyError):
            self.nonsense += (
                1  # frames of right checksum that say what cannot be, as from a unit whose bits flip
            )
            return []

    def start(self) -> None:
        """Feed both sources and wait until the unit has connected its bus.

        Raises:
            AssertionError: it does not.
        """
        self.emulator.mains()
        assert self.until(lambda: self.emulator.isolator_closed and self.hello, READY_S), "it does not start"
        self.run(0.5)

    def start_all(self) -> None:
        """Start, and switch on every outlet that the restore policy left off."""
        self.start()
        for outlet in self.outlets:
            if not self.emulator.driven(Part.outlet(outlet)):
                self.switch(outlet, on=True)
        assert self.until(lambda: all(self.emulator.closed(outlet) for outlet in self.outlets), READY_S)
        self.run(2.5)  # masks are over, and a load may start by itself again

    def load_all(self, amperes: float) -> None:
        """Plug a resistance into every outlet."""
        for outlet in self.outlets:
            self.emulator.plug(outlet, Impedance(self.board.nominal_v / amperes))

    def overload(self, outlet: int, multiple: float, rating_a: float = 4.0) -> float:
        """Plug a resistance that draws `multiple` times a rating into an outlet, now, and return when that was."""
        at_s = self.emulator.now_s
        self.emulator.plug(outlet, Impedance(self.board.nominal_v / (multiple * rating_a)))
        return at_s

    def stand_on(self, source: Source) -> None:
        """Transfer to a source by a command and wait until its inrush masks are over.

        Raises:
            AssertionError: it does not come to it.
        """
        if self.emulator.connected is not source:
            self.run(2.5)  # a manual transfer needs a good source
            self.order(do="transfer", src=source.value)
            assert self.until(lambda: self.emulator.connected is source, 2.0), "it does not transfer"
            self.run(2.5)

    # -- the gateway

    @property
    def hello(self) -> Frame | None:
        return next((frame for frame in reversed(self.frames) if frame.type == "H"), None)

    @property
    def session(self) -> int:
        return self.hello.session if self.hello else 0

    @property
    def telemetry(self) -> Frame:
        return next(frame for frame in reversed(self.frames) if frame.type == "T")

    def told(self, name: str) -> list[dict[str, str]]:
        """Return the events of a name, each once, with their data by name and words as words (SER-13)."""
        found = {
            (frame.session, frame.seq): words.event(frame.fields)
            for frame in self.frames
            if frame.type == "E" and words.name_of(frame) == name
        }
        return list(found.values())

    def order(self, kind: str = "C", /, **fields: int | str) -> Frame:
        """Return the last answer to a command, sent again until there is one, as SER-21 says.

        Raises:
            AssertionError: none came.
        """
        self._seq += 1
        seq = self._seq
        before = len(self.frames)

        def answer() -> Frame | None:
            return next(
                (one for one in self.frames[before:] if one.type in {"R", "A"} and one.seq == seq), None
            )

        for _ in range(5):
            self.emulator.send(encode(kind, seq, self.session, fields))
            if self.until(answer, 0.3):
                break
        got = answer()
        assert got is not None, f"no answer to {kind} {fields}"
        return got

    def send(self, kind: str, /, **fields: int | str) -> None:
        """Put a frame on the line, and wait for nothing."""
        self._seq += 1
        self.emulator.send(encode(kind, self._seq, self.session, fields))

    def apply(self, settings: Mapping[str, int | str]) -> None:
        """Give the unit settings, those of an outlet with its number behind a dot; all others get their defaults.

        Raises:
            AssertionError: it refuses one.
        """
        self._version += 1
        steps = [{"begin": 1}, *({key: value} for key, value in settings.items()), {"end": 1}]
        for step in steps:
            answer = self.order("S", version=self._version, **step)
            assert answer.type == "A", f"{step}: {answer}"

    def result(self, kind: str = "C", /, **fields: int | str) -> str:
        """Return what a command came to: `confirmed`, or the word of its refusal."""
        answer = self.order(kind, **fields)
        return words.result(answer.fields)

    def switch(self, outlet: int, *, on: bool) -> Frame:
        return self.order(do="switch", out=outlet, on=int(on))

    # -- looking

    @property
    def outlets(self) -> range:
        return range(1, len(self.board.outlets) + 1)

    def events(self, *kinds: Kind, since_s: float = 0.0) -> list[Event]:
        return self.emulator.events(*kinds, since_s=since_s)

    def first(self, kind: Kind, index: int, value: int, since_s: float) -> float | None:
        """Return when, after `since_s`, the log first says so."""
        for one in self.events(kind, since_s=since_s):
            if (one.index, one.value) == (index, value):
                return one.cycle / CLOCK_HZ
        return None

    def settled(self, part: Part, value: int, since_s: float) -> float | None:
        """Return when a contact came to `value` after `since_s` and stayed, its bounce over."""
        moves = [one for one in self.events(Kind.CONTACT, since_s=since_s) if one.index == part]
        return moves[-1].cycle / CLOCK_HZ if moves and moves[-1].value == value else None

    def left(self, since_s: float) -> float | None:
        """Return when a coil was first told to leave the active source after `since_s`: its relay, or the isolator."""
        parts = {Part.CHANGEOVER, Part.BACKUP_RELAY, Part.ISOLATOR}
        moves = (one.cycle / CLOCK_HZ for one in self.events(Kind.PIN, since_s=since_s) if one.index in parts)
        return next(moves, None)

    def transferred(self, to: Source, since_s: float) -> float | None:
        """Return when the coil that connects `to` was told to, after `since_s`."""
        if self.board.backup_relay is None:
            return self.first(Kind.PIN, Part.CHANGEOVER, int(to is Source.BACKUP), since_s)
        part = Part.BACKUP_RELAY if to is Source.BACKUP else Part.CHANGEOVER
        return self.first(Kind.PIN, part, 1, since_s)


def number(frame: Frame, key: str) -> int:
    """Return a number that a frame tells.

    Raises:
        ValueError: it is not known.
    """
    return int(frame.fields[key])


def forked(task: Callable[[Any], Any], cases: Iterable[Any], workers: int = 2) -> list[Any]:
    """Return `task(case)` for each case, each in a copy of this process: all begin from the same warm unit.

    Raises:
        RuntimeError: one of them failed; the message is its own.
    """
    waiting = list(enumerate(cases))[::-1]
    answers: list[Any] = [None] * len(waiting)
    running: dict[int, tuple[int, int, Any, list[bytes]]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            index, case = waiting.pop()
            pipe, child = _copy(task, case)
            running[pipe] = (index, child, case, [])
        for pipe in select.select(list(running), [], [])[0]:
            index, child, case, parts = running[pipe]
            data = os.read(pipe, 1 << 16)
            if data:
                parts.append(data)
                continue
            os.close(pipe)
            os.waitpid(child, 0)
            del running[pipe]
            answers[index] = _answer(case, b"".join(parts))
    return answers


def _copy(task: Callable[[Any], Any], case: Any) -> tuple[int, int]:
    """Return the pipe of a copy of this process that works on a case, and its process number."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return reader, child
    try:
        answer = (True, task(case))
    except BaseException as error:  # noqa: BLE001 - told to the parent, which raises it
        answer = (False, repr(error))
    with os.fdopen(writer, "wb") as pipe:
        pickle.dump(answer, pipe)
    os._exit(0)


def _answer(case: Any, data: bytes) -> Any:
    if not data:
        raise RuntimeError(f"{case}: the copy ended without an answer")
    fine, answer = pickle.loads(data)
    if not fine:
        raise RuntimeError(f"{case}: {answer}")
    return answer


def spread(count: int) -> Iterator[float]:
    """Yield `count` parts of a whole, evenly."""
    return (n / count for n in range(count))


def worst(values: Sequence[float | None]) -> float:
    """Return the largest; infinity if one is missing."""
    return float("inf") if any(value is None for value in values) else max(v for v in values if v is not None)
