"""Sampler and metering of the core on this machine, fed with waveforms at the moments of their conversions."""

import ctypes
import functools
import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from scripts import firmware

UNKNOWN = -(2**31)
SCAN_S = 400e-6
SLOT_S = 911 / 16e6
VOLT_PER_COUNT = 230 * math.sqrt(2) / 320
AMPERE_PER_COUNT = 5 / 1024 / 0.1
BLOCK = 8
OUTLETS_MOVED, ISOLATOR_MOVED, CHANGEOVER_MOVED = 1, 2, 4

Wave = Callable[[float], float]


def silence(_: float) -> float:
    return 0.0


def sine(rms: float, hz: float = 50.0, degrees: float = 0.0) -> Wave:
    peak, turn, phase = rms * math.sqrt(2), 2 * math.pi * hz, math.radians(degrees)
    return lambda t: peak * math.sin(turn * t + phase)


NOMINAL = sine(230)


@functools.cache
def host_library(name: str) -> ctypes.CDLL:
    """The core as a library, from `scripts/firmware.py build NAME`; the test is skipped without a compiler."""
    try:
        path: Path = firmware.build(firmware.BUILDS[name])
    except firmware.BuildError as error:
        if "missing" not in str(error):
            raise
        pytest.skip(str(error))
    library = ctypes.CDLL(str(path))
    library.bench_new.restype = ctypes.c_void_p
    return library


@functools.cache
def facts(name: str = "host") -> dict[str, object]:
    host_library(name)
    path = firmware.BUILDS[name].product.parent / "board.json"
    loaded: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@dataclass
class Happened:
    """What a scan did: its number, and the relays that moved."""

    scan: int
    moved: int


@dataclass
class Rig:
    """A sampler with waves at its sensors; `run` goes on from where it stopped."""

    name: str = "host"
    noise_lsb: float = 0.3
    gains: Sequence[int] | None = None
    delays_us: Sequence[int] | None = None
    avcc: float = 5.0
    mains: Wave = NOMINAL
    backup: Wave = NOMINAL
    loads: dict[int, Wave] = field(default_factory=dict)
    live: bool = True
    volt_per_count: float = VOLT_PER_COUNT

    def __post_init__(self) -> None:
        self.lib = host_library(self.name)
        self.outlets = self.lib.bench_outlets()
        self.slots = self.lib.bench_slots()
        self.random = random.Random(7)
        gains = (ctypes.c_int16 * (2 + self.outlets))(*self.gains) if self.gains else None
        delays = (ctypes.c_int8 * self.outlets)(*self.delays_us) if self.delays_us else None
        self.bench = ctypes.c_void_p(self.lib.bench_new(gains, delays))
        self.scans = 0
        self.happened: list[Happened] = []

    def close(self) -> None:
        self.lib.bench_free(self.bench)

    def permit(
        self,
        *,
        outlets: int = 0,
        isolator: bool = True,
        backup: bool = False,
        leave: bool = False,
        shed: int = 0,
        at_once: int = 650,
        masked: int = 0,
        quiet: int = 0,
    ) -> None:
        drives = (ctypes.c_int32 * 3)(int(backup), int(isolator), outlets)
        standing = (ctypes.c_int32 * 5)(int(leave), shed, at_once, masked, quiet)
        self.lib.bench_permit(self.bench, drives, standing)

    def run(self, seconds: float = 0.0, *, scans: int = 0, until_moved: bool = False) -> bool:
        """Go on; with `until_moved` stop behind the scan in which a relay moved, and return whether one did."""
        conversions = (ctypes.c_uint16 * self.slots)()
        for _ in range(scans or round(seconds / SCAN_S)):
            for slot in range(self.slots):
                channel = self.lib.bench_channel(self.bench, slot)
                conversions[slot] = self.code(channel, self.scans * SCAN_S + slot * SLOT_S)
            did = self.lib.bench_scan(self.bench, conversions, int(self.live))
            self.scans += 1
            if did & ~BLOCK:
                self.happened.append(Happened(self.scans - 1, did & ~BLOCK))
                if until_moved:
                    return True
        return False

    def code(self, channel: int, at_s: float) -> int:
        if channel == 255:
            counts = 1.1 / self.avcc * 1024
        elif channel >= self.outlets:
            wave = self.mains if channel == self.outlets else self.backup
            counts = 512 + wave(at_s) / self.volt_per_count * 5.0 / self.avcc
        else:
            wave = self.loads.get(channel + 1, silence)
            amperes = max(-25.0, min(25.0, wave(at_s)))
            counts = 512 + amperes / AMPERE_PER_COUNT
        if self.noise_lsb:
            counts += self.random.gauss(0, self.noise_lsb if channel != 255 else min(1.0, self.noise_lsb))
        return max(0, min(1023, math.floor(counts)))

    def drives(self) -> tuple[int, int, int]:
        values = (ctypes.c_int32 * 3)()
        self.lib.bench_drives(self.bench, values)
        return values[0], values[1], values[2]

    def source(self, number: int = 0) -> "SourceSeen":
        values = (ctypes.c_int32 * 7)()
        self.lib.bench_source(self.bench, number, values)
        return SourceSeen(*values)

    def outlet(self, number: int) -> "OutletSeen":
        values = (ctypes.c_int32 * 5)()
        self.lib.bench_outlet(self.bench, number - 1, values)
        return OutletSeen(*values)

    def block(self) -> "BlockSeen":
        values = (ctypes.c_int32 * 8)()
        self.lib.bench_block(self.bench, values)
        return BlockSeen(*values)


@dataclass(frozen=True)
class SourceSeen:
    voltage_mv: int
    half_low_mv: int
    half_high_mv: int
    frequency_mhz: int
    lost: int
    detection_us: int
    second_mv: int


@dataclass(frozen=True)
class OutletSeen:
    current_ma: int
    power_mw: int
    peak_ma: int
    second_ma: int
    second_mw: int


@dataclass(frozen=True)
class BlockSeen:
    swung: int
    opened: int
    tripped: int
    masked: int
    live: int
    phase_mdeg: int
    sensor_fault: int
    reference: int
