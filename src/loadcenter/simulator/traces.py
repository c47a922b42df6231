"""Recordings of appliances as loads: parsed from lines of text that the caller has read, and played back.

Two formats are known: tracebase (`dd/mm/yyyy hh:mm:ss;W of the last second;W of the last 8 s`, about one line a second)
and the one-minute files of UK-DALE and REFIT (`Time,Aggregate,Kettle,...`). Recordings have defects, and these are kept
as they are: a second that occurs twice (the last line wins), steps backward (sorted) and gaps.

Playback holds the last value (zero-order hold), but not for longer than `hold_s`: what was drawn in a longer gap is not
known, and nothing is drawn in it.
"""

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from loadcenter.simulator.loads import HOLD_MS, NOTHING, Conditions, Draw, draw_of

HOLD_S = 10
"""Longest time that a value of a recording at one second is held."""

MINUTE_HOLD_S = 120
"""The same of a recording at one minute: two periods."""

PF_PERMILLE = 950
"""Recordings hold real power only; the current is reckoned with this power factor."""

_TRACEBASE = "%d/%m/%Y %H:%M:%S"
_MINUTES = "%Y-%m-%d %H:%M:%S"


class TraceError(ValueError):
    """Lines that are not a recording; the message names the line."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A recording.

    Attributes:
        seconds: rising, each once; seconds since 1970 of the recording's own clock.
        watts: power from that second on.
        hold_s: longest time that a value is held.
    """

    seconds: tuple[int, ...]
    watts: tuple[float, ...]
    hold_s: int = HOLD_S

    @property
    def peak_w(self) -> float:
        """Highest value."""
        return max(self.watts)

    @property
    def energy_mwh(self) -> float:
        """Energy of the recording: each value times the time to the next, at most `hold_s`."""
        spans = (
            min(after - at, self.hold_s) for at, after in zip(self.seconds, self.seconds[1:], strict=False)
        )
        return sum(watts * span for watts, span in zip(self.watts, spans, strict=False)) / 3.6


def parse_tracebase(lines: Iterable[str]) -> Trace:
    """Return the recording in the lines of a tracebase file, by its one-second average.

    Raises:
        TraceError: a line is not `dd/mm/yyyy hh:mm:ss;W;W`, or there is none.
    """
    values: dict[int, float] = {}
    for number, line in enumerate(lines, 1):
        fields = line.strip().split(";")
        if fields == [""]:
            continue
        try:
            values[_second(fields[0], _TRACEBASE)] = _watts(fields[1])
        except (ValueError, IndexError) as error:
            raise TraceError(f"line {number}: '{line.strip()}' is not 'dd/mm/yyyy hh:mm:ss;W;W'") from error
    return _trace(values, HOLD_S)


def parse_minutes(lines: Iterable[str]) -> dict[str, Trace]:
    """Return the recordings in the lines of a one-minute file, by the name of their column.

    Raises:
        TraceError: the first line does not begin with `Time`, or another is not a time and numbers.
    """
    rows = iter(lines)
    names = next(rows, "").strip().split(",")
    if names[0] != "Time" or not names[1:]:
        raise TraceError(f"line 1: the columns must be 'Time,NAME,...', not '{','.join(names)}'")
    values: dict[str, dict[int, float]] = {name: {} for name in names[1:]}
    for number, line in enumerate(rows, 2):
        fields = line.strip().split(",")
        if fields == [""]:
            continue
        try:
            second = _second(fields[0], _MINUTES)
            for name, text in zip(names[1:], fields[1:], strict=True):
                if text:
                    values[name][second] = _watts(text)
        except ValueError as error:
            raise TraceError(
                f"line {number}: '{line.strip()}' is not a time and {len(names) - 1} powers"
            ) from error
    return {name: _trace(known, MINUTE_HOLD_S) for name, known in values.items()}


def parse_any(lines: Sequence[str]) -> dict[str, Trace]:
    """Return the recordings in a file of either format; a tracebase file has one, of an empty name.

    Raises:
        TraceError: it is neither.
    """
    if lines and lines[0].startswith("Time,"):
        return parse_minutes(lines)
    return {"": parse_tracebase(lines)}


def _second(text: str, form: str) -> int:
    return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())


def _watts(text: str) -> float:
    watts = float(text)
    if not 0 <= watts < float("inf"):
        raise ValueError(f"power {text} W")
    return watts


def _trace(values: dict[int, float], hold_s: int) -> Trace:
    if not values:
        raise TraceError("there is no line with a value")
    seconds = sorted(values)
    return Trace(tuple(seconds), tuple(values[second] for second in seconds), hold_s)


@dataclass(frozen=True, slots=True)
class Playback:
    """A recording as a load.

    Attributes:
        trace: the recording.
        offset_ms: what is added to the time of the plant to get that of the recording.
        loop: begin anew at the end, as a demo wants; else nothing is drawn outside the recording.
    """

    trace: Trace
    offset_ms: int
    loop: bool = False

    def draw(self, at: Conditions) -> Draw:
        """Return what was recorded, whatever the voltage is; it holds until the next recorded second."""
        seconds = self.trace.seconds
        time_ms = at.now_ms + self.offset_ms
        if self.loop:
            first_ms = seconds[0] * 1000
            time_ms = first_ms + (time_ms - first_ms) % max(1000, (seconds[-1] - seconds[0]) * 1000)
        index = bisect.bisect_right(seconds, time_ms // 1000) - 1
        lasts_ms = HOLD_MS - time_ms % HOLD_MS
        # The last value has no end of its own: the recording stops with it.
        if index < 0 or index + 1 == len(seconds) or time_ms >= (seconds[index] + self.trace.hold_s) * 1000:
            return Draw(NOTHING.power_mw, NOTHING.current_ma, lasts_ms)
        return draw_of(round(self.trace.watts[index] * 1000), PF_PERMILLE, at.voltage_mv, lasts_ms)


def ending_at(trace: Trace, end_ms: int, *, loop: bool = False) -> Playback:
    """Return a playback of `trace` whose last second is at `end_ms` of the plant."""
    return Playback(trace, trace.seconds[-1] * 1000 - end_ms, loop)
