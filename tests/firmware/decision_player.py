"""Golden decision traces for the player of the firmware: what is sent to it, and what its answers say."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.firmware import named
from tests.firmware.decision_twin import (
    NAMES,
    NUMBERS,
    SOURCES,
    STATUSES,
    UNKNOWN,
    UNO,
    VERBS,
    Told,
    _known,
    mask,
)
from tests.firmware.decision_vectors import BEGINS_MS, OUTLETS, Teller, inputs_of, order_of, seen_of

from loadcenter.domain.commands import Order
from loadcenter.domain.pdu import PduInputs
from loadcenter.domain.qualification import SourceInput
from loadcenter.domain.standing import NOTHING_DONE, Acted

SOURCE_FILES = [
    *sorted((UNO / "core" / "decision").glob("*.cpp")),
    *(UNO / "core" / name for name in ("settings.cpp", "points.cpp")),
    UNO / "player" / "player.cpp",
]
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wconversion")
SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
AVR = (
    *("-mmcu=atmega328p", "-DF_CPU=16000000UL", "-Os", "-std=gnu++11", "-fno-exceptions"),
    *("-fno-threadsafe-statics", "-mrelax", "-mcall-prologues", "-ffunction-sections", "-fdata-sections"),
    "-Wl,--gc-sections",
)
Ask = Callable[[list[str]], list[str]]
"""Sends lines to a player and returns what it answers."""


def host_command(product: Path, *flags: str) -> list[str]:
    """Return how the player of this machine is built."""
    sources = map(str, [*SOURCE_FILES, UNO / "player" / "host.cpp"])
    return ["g++", "-std=c++11", "-O1", *WARNINGS, *flags, *sources, "-o", str(product)]


def avr_command(product: Path) -> list[str]:
    """Return how the player of an ATmega328P is built."""
    sources = map(str, [*SOURCE_FILES, UNO / "player" / "avr.cpp"])
    return ["avr-g++", *AVR, "-DLOADCENTER_DIAGNOSTICS=1", *WARNINGS, *sources, "-o", str(product)]


def lines_of(trace: Mapping[str, Any]) -> list[str]:
    """Return the lines that play a trace, without those that begin the next one."""
    lines = [
        _line("S", named.numbers("S", {"version": 1, name: value})[1:])
        for name, value in trace["settings"].items()
    ]
    lines += [_line("K", _kept(outlet, trace["kept"].get(str(outlet), {}))) for outlet in OUTLETS]
    lines.append(_line("B", [BEGINS_MS]))
    now: dict[str, Any] = {}
    for run in trace["given"]:
        before = now
        now = {**now, "acted": {}, "orders": [], **run}
        inputs = inputs_of(now)
        if not before or inputs_of(before | {"acted": {}, "orders": []}) != replace(
            inputs, acted=NOTHING_DONE, orders=()
        ):
            lines.append(_line("I", _inputs(inputs)))
        if inputs.acted != NOTHING_DONE:
            lines.append(_line("A", _acted(inputs.acted)))
        lines += [_line("O", _order(one["key"], order_of(one))) for one in now["orders"]]
        lines.append(_line("N", [run["steps"], run["ms"]]))
    return lines


def play(trace: Mapping[str, Any], ask: Ask) -> list[list[Any]]:
    """Return what a player decides at what a trace gives, as the trace writes it."""
    answers = ask(lines_of(trace))
    assert not any(line.startswith("?") for line in answers), answers
    told = [line.split() for line in answers if not line.startswith(".")]
    teller = Teller(seen_of((0, False, 0), (False, 0, 650, 0, 0)), [()] * len(OUTLETS))
    numbers = sorted({int(words[1]) for words in told})
    then = [[number, _changes(teller, [one for one in told if int(one[1]) == number])] for number in numbers]
    return [[number, changes] for number, changes in then if changes]


def cycles_of(answers: Iterable[str]) -> int:
    """Return the most cycles that a quiet step took."""
    return max(int(line.split()[1]) for line in answers if line.startswith("."))


def _changes(teller: Teller, told: list[list[str]]) -> dict[str, Any]:
    seen, kept = teller.seen, list(teller.kept)
    events, answers = [], []
    for kind, _, *texts in told:
        numbers = [int(text) for text in texts]
        match kind:
            case "D":
                seen = seen_of(
                    (numbers[0], bool(numbers[1]), numbers[2]),
                    (bool(numbers[3]), numbers[4], numbers[5], numbers[6], numbers[7]),
                )
            case "E":
                events.append(_told(numbers))
            case "A":
                answers.append((numbers[0], STATUSES[numbers[1]], NAMES["result", numbers[2]]))
            case "K":
                outlet, wanted, locked, heat_stage, cause, trip = numbers
                trip_name = NAMES["trip", trip] if trip else ""
                kept[outlet - 1] = (
                    bool(wanted),
                    NAMES["cause", cause],
                    trip_name,
                    bool(locked),
                    heat_stage * 25,
                )
    return teller.changes(seen, events, sorted(answers), kept)


def _told(numbers: list[int]) -> Told:
    code, outlet, source, cause, because, *data = numbers
    cause_name = NAMES["cause", cause] if cause else ""
    return Told(NAMES["event", code], outlet, source, cause_name, because, _known(data))


def _line(kind: str, numbers: Iterable[int]) -> str:
    return " ".join([kind, *(str(int(number)) for number in numbers)])


def _kept(outlet: int, kept: Mapping[str, Any]) -> list[int]:
    trip = NUMBERS["trip", kept["trip"]] if kept.get("trip") else 0
    cause = NUMBERS["cause", kept.get("cause", "restore")]
    return [
        outlet,
        kept.get("wanted", True),
        kept.get("locked", False),
        kept.get("heat_pct", 0) // 25,
        cause,
        trip,
    ]


def _inputs(inputs: PduInputs) -> list[int]:
    phase = UNKNOWN if inputs.phase_mdeg is None else inputs.phase_mdeg
    return [
        *(_source(inputs.main) + _source(inputs.backup)),
        *inputs.currents_ma,
        *inputs.powers_mw,
        *(inputs.live, phase, mask(inputs.faulty)),
    ]


def _source(source: SourceInput) -> list[int]:
    assert source.half_low_mv is not None
    assert source.half_high_mv is not None
    mhz = UNKNOWN if source.frequency_mhz is None else source.frequency_mhz
    return [
        *(source.voltage_mv, source.half_low_mv, source.half_high_mv, mhz),
        *(source.amplitude_lost, source.detection_us),
    ]


def _acted(acted: Acted) -> list[int]:
    peaks = {one.outlet: one.peak_ma for one in acted.tripped}
    return [
        acted.swung,
        acted.opened,
        mask(peaks),
        mask(acted.masked),
        *(peaks.get(one, 0) for one in OUTLETS),
    ]


def _order(key: int, order: Order) -> list[int]:
    source = 0 if order.source is None else SOURCES.index(order.source)
    return [key, VERBS[order.do.value], order.outlet or 0, bool(order.on), source, order.off_ms or 0]
