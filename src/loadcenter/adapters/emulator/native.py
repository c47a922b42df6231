"""The C interface of `native/emulator.h` as ctypes: structures with the same layout, and typed functions."""

import ctypes
from ctypes import POINTER, Structure, c_char, c_char_p, c_double, c_float, c_int, c_int32, c_int64
from ctypes import c_uint8 as u8
from ctypes import c_uint32 as u32
from ctypes import c_uint64 as u64
from ctypes import c_void_p as handle
from pathlib import Path

SOURCES = 2
OUTLETS = 8
HARMONICS = 6
VECTORS = 64


class EventStruct(Structure):
    """One entry of the log."""

    _fields_ = (("cycle", u64), ("kind", c_int32), ("index", c_int32), ("value", c_int32), ("spare", c_int32))


class HarmonicStruct(Structure):
    """One harmonic of a wave."""

    _fields_ = (("order", c_double), ("ratio", c_double), ("phase", c_double))


class WaveStruct(Structure):
    """A wave from the start of a segment on."""

    _fields_ = (
        *((name, c_double) for name in ("amplitude", "frequency_hz", "phase", "dc")),
        *((name, c_double) for name in ("ramp_hz_per_s", "decay_s", "modulation", "modulation_hz")),
        *((name, c_double) for name in ("notch_depth", "notch_phase", "notch_s")),
        ("harmonics", HarmonicStruct * HARMONICS),
        ("harmonic_count", c_int32),
        ("continues", c_int32),
        ("samples", POINTER(c_float)),
        ("sample_count", c_int64),
        ("loop_from", c_int64),
        ("sample_rate_hz", c_double),
    )


class LoadStruct(Structure):
    """A load behind an outlet."""

    _fields_ = (
        ("kind", c_int32),
        ("from_start", c_int32),
        ("begins", u64),
        ("ends", u64),
        *((name, c_double) for name in ("ohm", "henry", "start_factor", "start_hold_s", "start_tau_s")),
        *((name, c_double) for name in ("farad", "watt", "drop_v")),
        ("wave", WaveStruct),
    )


class RelayStruct(Structure):
    """Times and faults of one relay."""

    _fields_ = (
        *((name, u64) for name in ("operate", "release", "bounce")),
        *((name, c_int32) for name in ("welded", "stuck_open", "normally_closed", "throw_welded")),
    )


class ChannelStruct(Structure):
    """What one ADC channel is connected to."""

    _fields_ = (
        *((name, c_int32) for name in ("quantity", "index", "ratiometric", "spike_per_million")),
        *((name, c_double) for name in ("volt_per_unit", "zero_ratio", "noise_lsb")),
        *((name, c_double) for name in ("stuck_v", "low_v", "high_v")),
    )


class TruthStruct(Structure):
    """Integrals over time of what really flowed."""

    _fields_ = (
        ("cycles", u64),
        ("v2", c_double * SOURCES),
        ("i2", c_double * OUTLETS),
        ("vi", c_double * OUTLETS),
        ("peak_a", c_double * OUTLETS),
    )


class StatsStruct(Structure):
    """What the program cost."""

    _fields_ = (
        *((name, u64) for name in ("cycles", "slept", "isr_cycles")),
        *((name, u64 * VECTORS) for name in ("isr_longest", "isr_total", "isr_count")),
        *((name, u64) for name in ("scans", "scan_longest", "scan_late_longest")),
        *((name, u64) for name in ("eeprom_writes", "overruns", "crashes", "violations", "both_cycles")),
        ("lowest_sp", u32),
        ("spare", u32),
    )


_FUNCTIONS: dict[str, tuple[object, list[object]]] = {
    "emu_new": (handle, [c_char_p, c_char_p, u64]),
    "emu_free": (None, [handle]),
    "emu_run": (None, [handle, u64]),
    "emu_cycle": (u64, [handle]),
    "emu_pair": (None, [handle, c_int]),
    "emu_pin": (None, [handle, c_int, c_char, c_int, c_int]),
    "emu_live_input": (None, [handle, c_char, c_int, c_int, u64, c_double]),
    "emu_relay": (None, [handle, c_int, POINTER(RelayStruct)]),
    "emu_channel": (None, [handle, c_int, POINTER(ChannelStruct)]),
    "emu_segment": (c_int, [handle, c_int, u64, POINTER(WaveStruct)]),
    "emu_source_ohm": (None, [handle, c_int, c_double]),
    "emu_add_load": (c_int, [handle, c_int, POINTER(LoadStruct)]),
    "emu_remove_load": (None, [handle, c_int, c_int]),
    "emu_supply": (None, [handle, u64, c_double]),
    "emu_adc_dead": (None, [handle, c_int]),
    "emu_external_reset": (None, [handle]),
    "emu_power_off": (None, [handle]),
    "emu_power_on": (None, [handle]),
    "emu_watch": (None, [handle, u32]),
    "emu_hang": (None, [handle, c_int]),
    "emu_flip": (None, [handle, u64, u32, u32]),
    "emu_send": (None, [handle, c_char_p, u32, u64]),
    "emu_unsent": (u32, [handle]),
    "emu_output": (u32, [handle, POINTER(POINTER(u8)), POINTER(POINTER(u64))]),
    "emu_clear_output": (None, [handle]),
    "emu_events": (u32, [handle, POINTER(POINTER(EventStruct))]),
    "emu_trace": (None, [handle, u64]),
    "emu_traced": (u32, [handle, c_int, POINTER(POINTER(c_float))]),
    "emu_clear_events": (None, [handle]),
    "emu_eeprom_size": (u32, [handle]),
    "emu_eeprom": (POINTER(u8), [handle]),
    "emu_data": (POINTER(u8), [handle]),
    "emu_ram_start": (u32, [handle]),
    "emu_ram_end": (u32, [handle]),
    "emu_pc": (u32, [handle]),
    "emu_bus_v": (c_double, [handle]),
    "emu_source_v": (c_double, [handle, c_int]),
    "emu_current_a": (c_double, [handle, c_int]),
    "emu_closed": (c_int, [handle, c_int]),
    "emu_driven": (c_int, [handle, c_int]),
    "emu_symbol": (c_int64, [handle, c_char_p]),
    "emu_stats": (None, [handle, POINTER(StatsStruct), c_int]),
    "emu_truth": (None, [handle, POINTER(TruthStruct), c_int]),
}


def load(path: Path) -> ctypes.CDLL:
    """Return the library at `path` with its functions typed.

    Raises:
        OSError: it cannot be loaded.
    """
    library = ctypes.CDLL(str(path))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library
