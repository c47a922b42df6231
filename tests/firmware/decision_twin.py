"""The decision layer of the firmware on this machine, fed with the values of the domain and read back in its words."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loadcenter.domain.budget import WATT_MW
from loadcenter.domain.commands import Order
from loadcenter.domain.events import Event
from loadcenter.domain.memory import PduMemory
from loadcenter.domain.pdu import Drives, PduInputs
from loadcenter.domain.qualification import LADDER, SourceInput
from loadcenter.domain.settings import SETTINGS, PduConfig, Per
from loadcenter.domain.standing import Standing
from loadcenter.domain.topology import Source
from loadcenter.domain.transfer import TransferResult

ROOT = Path(__file__).resolve().parents[2]
UNO = ROOT / "firmware" / "uno"
UNKNOWN = -(2**31)
SOURCES = tuple(Source)


def _spec(name: str) -> Any:
    return tomllib.loads((ROOT / "spec" / name).read_text(encoding="utf-8"))


NUMBERS: Mapping[tuple[str, str], int] = {
    (code["category"], code["name"]): code["number"] for code in _spec("codes.toml")["code"]
}
NAMES: Mapping[tuple[str, int], str] = {(category, n): name for (category, name), n in NUMBERS.items()}
VERBS: Mapping[str, int] = {one["name"]: one["number"] for one in _spec("serial.toml")["command"]}
KEYS: Mapping[str, list[str]] = {one["name"]: one["data"] for one in _spec("serial.toml")["event"]}
STATUSES = ("none", "accepted", "confirmed", "rejected")


class CSource(ctypes.Structure):
    _fields_ = [
        ("voltage_mv", ctypes.c_int32),
        ("half_low_mv", ctypes.c_int32),
        ("half_high_mv", ctypes.c_int32),
        ("frequency_mhz", ctypes.c_int32),
        ("amplitude_lost", ctypes.c_bool),
        ("detection_us", ctypes.c_uint32),
    ]


class CDrives(ctypes.Structure):
    _fields_ = [
        ("changeover", ctypes.c_uint8),
        ("isolator_closed", ctypes.c_bool),
        ("outlets", ctypes.c_uint8),
    ]


class CStanding(ctypes.Structure):
    _fields_ = [
        ("leave", ctypes.c_bool),
        ("shed", ctypes.c_uint8),
        ("at_once_permille", ctypes.c_uint16),
        ("masked", ctypes.c_uint8),
        ("quiet", ctypes.c_uint8),
    ]


class CEvent(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_uint8),
        ("outlet", ctypes.c_uint8),
        ("source", ctypes.c_uint8),
        ("cause", ctypes.c_uint8),
        ("because", ctypes.c_uint8),
        ("count", ctypes.c_uint8),
        ("at_ms", ctypes.c_uint32),
        ("number", ctypes.c_int32 * 8),
    ]


class CAnswer(ctypes.Structure):
    _fields_ = [("key", ctypes.c_uint8), ("status", ctypes.c_uint8), ("code", ctypes.c_uint8)]


class CCommand(ctypes.Structure):
    _fields_ = [
        ("key", ctypes.c_uint8),
        ("verb", ctypes.c_uint8),
        ("outlet", ctypes.c_uint8),
        ("on", ctypes.c_bool),
        ("emergency", ctypes.c_bool),
        ("source", ctypes.c_uint8),
        ("off_ms", ctypes.c_uint32),
    ]


class CKept(ctypes.Structure):
    _fields_ = [
        ("wanted", ctypes.c_bool),
        ("locked", ctypes.c_bool),
        ("heat_stage", ctypes.c_uint8),
        ("cause", ctypes.c_uint8),
        ("trip", ctypes.c_uint8),
    ]


def _field(point: Mapping[str, Any]) -> tuple[str, Any]:
    if "choices" in point or point["unit"] == "bool":
        return point["id"], ctypes.c_uint8
    return point["id"], ctypes.c_uint8 if point["range"][1] <= 255 else ctypes.c_uint16


def _points(per: str) -> list[tuple[str, Any]]:
    return [
        _field(point)
        for point in _spec("points.toml")["point"]
        if point["access"] == "rw" and point["per"] == per
    ]


class COutletSettings(ctypes.Structure):
    _pack_ = 1
    _fields_ = _points("outlet")


@dataclass(frozen=True)
class Build:
    """The decision layer for one board: macros of board.h, and how many outlets it has with them."""

    defines: tuple[str, ...] = ()
    outlets: int = 4


UNO_BUILD = Build()


@functools.cache
def inputs_of(outlets: int) -> type[ctypes.Structure]:
    """Return `Inputs` of core/types.hpp for so many outlets."""

    class CActed(ctypes.Structure):
        _fields_ = [
            ("swung", ctypes.c_bool),
            ("opened", ctypes.c_bool),
            ("tripped", ctypes.c_uint8),
            ("masked", ctypes.c_uint8),
            ("peak_ma", ctypes.c_int32 * outlets),
        ]

    class CInputs(ctypes.Structure):
        _fields_ = [
            ("source", CSource * 2),
            ("current_ma", ctypes.c_int32 * outlets),
            ("power_mw", ctypes.c_int32 * outlets),
            ("live", ctypes.c_bool),
            ("phase_mdeg", ctypes.c_int32),
            ("sensor_fault", ctypes.c_uint8),
            ("acted", CActed),
        ]

    return CInputs


@functools.cache
def settings_of(outlets: int) -> type[ctypes.Structure]:
    """Return `Settings` of core/points.hpp for so many outlets."""

    class CSettings(ctypes.Structure):
        _pack_ = 1
        _fields_ = [("version", ctypes.c_uint32), *_points("pdu"), ("outlet", COutletSettings * outlets)]

    return CSettings


@dataclass(frozen=True)
class Told:
    """An event in the words of the serial line; `because` is how many events before it its reason stands."""

    code: str
    outlet: int
    source: int
    cause: str
    because: int
    numbers: tuple[int, ...]


@functools.cache
def library(build: Build = UNO_BUILD, sanitized: bool = False) -> ctypes.CDLL:
    """Return the decision layer as a library; the test is skipped without a compiler."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is missing: apt install g++")
    folder = Path(tempfile.mkdtemp(prefix="loadcenter-decision-"))
    flags = ["-std=c++11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", "-Wconversion"]
    if sanitized:
        flags += ["-fsanitize=undefined", "-fno-sanitize-recover=all"]
    flags += [f"-D{name}" for name in build.defines]
    sources = sorted((UNO / "core" / "decision").glob("*.cpp"))
    shim = UNO / "host" / "decision" / "decision_shim.cpp"
    product = folder / "libdecision.so"
    command = [compiler, *flags, "-DLOADCENTER_COVERAGE", *map(str, [*sources, shim]), "-o", str(product)]
    subprocess.run(command, check=True)
    loaded = ctypes.CDLL(str(product))
    shutil.rmtree(folder)
    for name, kind in (("drives", CDrives), ("standing", CStanding), ("event", CEvent), ("answer", CAnswer)):
        getattr(loaded, f"decision_{name}").restype = ctypes.POINTER(kind)
    for name, kind in (
        ("settings", settings_of(build.outlets)),
        ("inputs", inputs_of(build.outlets)),
        ("command", CCommand),
        ("event", CEvent),
        ("kept", CKept),
    ):
        assert getattr(loaded, f"decision_size_of_{name}")() == ctypes.sizeof(kind), name
    return loaded


class Twin:
    """One PDU as the firmware decides it."""

    def __init__(
        self,
        memory: PduMemory,
        config: PduConfig,
        now_ms: int,
        *,
        build: Build = UNO_BUILD,
        sanitized: bool = False,
    ) -> None:
        self._library = library(build, sanitized)
        self._outlets = build.outlets
        self._inputs: Any = inputs_of(build.outlets)()
        self._config: PduConfig | None = None
        self._settings: Any = settings_of(build.outlets)()
        self._apply(config)
        kept = (CKept * build.outlets)(*(_kept(one) for one in memory.outlets))
        self._library.decision_start(kept, ctypes.byref(self._settings), ctypes.c_uint32(now_ms))

    def step(
        self, inputs: PduInputs, orders: Sequence[tuple[int, Order]], config: PduConfig, now_ms: int
    ) -> None:
        self._apply(config)
        self._fill(inputs)
        given = (CCommand * max(1, len(orders)))(*(_command(key, order) for key, order in orders))
        self._library.decision_step(
            ctypes.byref(self._inputs),
            ctypes.byref(self._settings),
            given,
            len(orders),
            ctypes.c_uint32(now_ms),
        )

    @property
    def drives(self) -> tuple[int, bool, int]:
        drives = self._library.decision_drives().contents
        return drives.changeover, drives.isolator_closed, drives.outlets

    @property
    def standing(self) -> tuple[bool, int, int, int, int]:
        one = self._library.decision_standing().contents
        return one.leave, one.shed, one.at_once_permille, one.masked, one.quiet

    @property
    def events(self) -> list[Told]:
        return [
            _read_event(self._library.decision_event(at).contents)
            for at in range(self._library.decision_events())
        ]

    @property
    def answers(self) -> list[tuple[int, str, str]]:
        found = (self._library.decision_answer(at).contents for at in range(self._library.decision_answers()))
        return [(one.key, STATUSES[one.status], NAMES["result", one.code]) for one in found]

    @property
    def memory(self) -> list[tuple[bool, str, str, bool, int]]:
        found = []
        for index in range(self._outlets):
            kept = CKept()
            self._library.decision_kept(index, ctypes.byref(kept))
            trip = NAMES["trip", kept.trip] if kept.trip else ""
            found.append((kept.wanted, NAMES["cause", kept.cause], trip, kept.locked, kept.heat_stage * 25))
        return found

    @property
    def coverage(self) -> tuple[int, int, int]:
        """Rows of the transfer table, rungs and ranks that were reached in this process, a bit each."""
        loaded = self._library
        return loaded.decision_rows_used(), loaded.decision_rungs_used(), loaded.decision_ranks_used()

    def _apply(self, config: PduConfig) -> None:
        if config is self._config:
            return
        self._config = config
        for setting in SETTINGS:
            if setting.per is Per.PDU:
                setattr(self._settings, setting.name, _number(setting, getattr(config, setting.name)))
                continue
            for index, outlet in enumerate(config.outlets):
                value = _number(setting, getattr(outlet, setting.name))
                setattr(self._settings.outlet[index], setting.name, value)

    def _fill(self, inputs: PduInputs) -> None:
        given = self._inputs
        for index, source in enumerate((inputs.main, inputs.backup)):
            _fill_source(given.source[index], source)
        for index in range(self._outlets):
            given.current_ma[index] = inputs.currents_ma[index]
            given.power_mw[index] = inputs.powers_mw[index] if inputs.powers_mw else 0
            given.acted.peak_ma[index] = 0
        given.live = inputs.live
        given.phase_mdeg = UNKNOWN if inputs.phase_mdeg is None else inputs.phase_mdeg
        given.sensor_fault = mask(inputs.faulty)
        given.acted.swung = inputs.acted.swung
        given.acted.opened = inputs.acted.opened
        given.acted.masked = mask(inputs.acted.masked)
        given.acted.tripped = mask(fast.outlet for fast in inputs.acted.tripped)
        for fast in inputs.acted.tripped:
            given.acted.peak_ma[fast.outlet - 1] = fast.peak_ma


def mask(numbers: Any) -> int:
    """Return outlets as a mask; outlet 1 is bit 0."""
    return sum(1 << (number - 1) for number in numbers)


def drives_of(drives: Drives) -> tuple[int, bool, int]:
    """Return the domain's drives as the firmware has them."""
    closed = (number for number, on in enumerate(drives.outlets, 1) if on)
    return SOURCES.index(drives.changeover), drives.isolator_closed, mask(closed)


def standing_of(one: Standing) -> tuple[bool, int, int, int, int]:
    """Return the domain's permissions as the firmware has them."""
    return one.leave, mask(one.shed), one.at_once_permille, mask(one.masked), mask(one.quiet)


def memory_of(memory: PduMemory) -> list[tuple[bool, str, str, bool, int]]:
    """Return the domain's memory as the firmware keeps it: without who it was, and without the numbers of a trip."""
    return [
        (one.wanted, one.cause.value, one.latch.trip.value if one.latch else "", one.locked, one.heat_pct)
        for one in memory.outlets
    ]


def told_of(event: Event, position: int) -> Told:
    """Return an event of the domain, which stands at `position` of its run, as the serial line tells it."""
    before = 0 if event.because is None else position - event.because
    return Told(
        event.code.value,
        event.outlet or 0,
        0 if event.source is None else SOURCES.index(event.source) + 1,
        "" if event.cause is None else event.cause.value,
        before if before <= 255 else 0,
        _known(_value(key.partition(":")[0], event.data) for key in KEYS[event.code.value]),
    )


def _known(numbers: Any) -> tuple[int, ...]:
    """Return the numbers without the last ones that are not known: the line may leave them out."""
    found = list(numbers)
    while found and found[-1] == UNKNOWN:
        found.pop()
    return tuple(found)


_RUNGS = [rung.name for rung in LADDER]
_SAME: Mapping[str, tuple[str, ...]] = {
    "measured": ("measured_mv", "measured_mhz", "i_ma", "p_mw"),
    "i_ma": ("total_ma", "i_ma"),
    "p_mw": ("total_mw", "p_mw"),
}
"""Names of the domain for a number of the serial line, the first one that is there."""


def _value(key: str, data: Mapping[str, Any]) -> int:
    value: Any = next((data[name] for name in _SAME.get(key, (key,)) if name in data), None)
    if value is None:
        return UNKNOWN
    match key:
        case "rung":
            return _RUNGS.index(value)
        case "trip":
            return NUMBERS["trip", value]
        case "result":
            return list(TransferResult).index(TransferResult(value))
        case "reason":
            return ("budget", "limit").index(value)
        case _:
            return int(value)


def _read_event(event: CEvent) -> Told:
    code = NAMES["event", event.code]
    return Told(
        code,
        event.outlet,
        event.source,
        NAMES["cause", event.cause] if event.cause else "",
        event.because,
        _known(event.number[: event.count]),
    )


def _number(setting: Any, value: Any) -> int:
    if setting.choices:
        return int(setting.choices.index(value))
    return int(value) // WATT_MW if setting.name.endswith("_mw") else int(value)


def _kept(one: Any) -> CKept:
    trip = 0 if one.latch is None else NUMBERS["trip", one.latch.trip.value]
    return CKept(one.wanted, one.locked, one.heat_pct // 25, NUMBERS["cause", one.cause.value], trip)


def _command(key: int, order: Order) -> CCommand:
    source = 0 if order.source is None else SOURCES.index(order.source)
    return CCommand(
        key, VERBS[order.do.value], order.outlet or 0, bool(order.on), False, source, order.off_ms or 0
    )


def _fill_source(given: CSource, source: SourceInput) -> None:
    given.voltage_mv = source.voltage_mv
    given.half_low_mv = source.voltage_mv if source.half_low_mv is None else source.half_low_mv
    given.half_high_mv = source.voltage_mv if source.half_high_mv is None else source.half_high_mv
    given.frequency_mhz = UNKNOWN if source.frequency_mhz is None else source.frequency_mhz
    given.amplitude_lost = source.amplitude_lost
    given.detection_us = source.detection_us
