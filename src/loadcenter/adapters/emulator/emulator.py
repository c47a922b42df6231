"""One unit on the bench: `Emulator` loads a program, and the caller plugs, disturbs, runs and looks."""

import ctypes
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from loadcenter.adapters.emulator import native
from loadcenter.adapters.emulator.board import Board, Pin
from loadcenter.adapters.emulator.build import library
from loadcenter.adapters.emulator.plugged import Load
from loadcenter.adapters.emulator.records import Event, Kind, Stats, Truth, stats_of, truth_of
from loadcenter.adapters.emulator.relays import Part, RelayModel
from loadcenter.adapters.emulator.waves import Sensor, Sine, Wave
from loadcenter.domain.topology import Source

CLOCK_HZ = 16_000_000
NEVER = 2**64 - 1
PROGRAM_COUNTER = 0x10000
"""Address that stands for the program counter in `flip`."""

LIVE_PART = 0.4
"""The optocoupler of the bus-live input conducts above this part of the nominal peak."""

LIVE_HOLD_CYCLES = CLOCK_HZ // 1000
CURRENT, VOLTAGE = 1, 2
NUMBER = {Source.MAIN: 0, Source.BACKUP: 1}


class Emulator:
    """A board with its program, from power-on. Sources are dead, and nothing is plugged in, until told otherwise.

    Times are in seconds since power-on; what is given no time happens now. A run repeats exactly for the same seed.

    Args:
        elf: the program.
        board: what it was built for.
        seed: of noise, bounce and the RAM's content at power-on.

    Raises:
        EmulatorUnavailableError: the C part cannot be built here.
        OSError: `elf` is no program for the chip.
    """

    def __init__(self, elf: Path, board: Board, *, seed: int = 1) -> None:
        self.board = board
        self._c = native.load(library())
        self._handle = self._c.emu_new(str(elf).encode(), board.chip.encode(), seed)
        if not self._handle:
            raise OSError(f"{elf} is no program for {board.chip}: build it with `make firmware`")
        self._c.emu_pair(self._handle, board.backup_relay is not None)
        for part, pin in self._parts():
            self._c.emu_pin(self._handle, part, pin.port.encode(), pin.bit, pin.active_high)
            self.relay(part, self._reference(part))
        live = board.live
        threshold_v = LIVE_PART * board.nominal_v * 2**0.5
        self._c.emu_live_input(
            self._handle, live.port.encode(), live.bit, live.active_high, LIVE_HOLD_CYCLES, threshold_v
        )
        for outlet in range(1, len(board.outlets) + 1):
            self.current_sensor(outlet, Sensor())
        for source in Source:
            self.voltage_sensor(source, Sensor())

    def close(self) -> None:
        """Give everything back; the emulator cannot be used afterwards."""
        if self._handle:
            self._c.emu_free(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- time

    @property
    def cycle(self) -> int:
        """Cycles since power-on; they go on in sleep, in reset and without power."""
        return int(self._c.emu_cycle(self._handle))

    @property
    def now_s(self) -> float:
        """Seconds since power-on."""
        return self.cycle / CLOCK_HZ

    def run(self, seconds: float) -> None:
        """Let time go on; at most some microseconds longer than asked."""
        self._c.emu_run(self._handle, round(seconds * CLOCK_HZ))

    def run_to(self, at_s: float) -> None:
        """Let time go on to `at_s`; nothing happens if that is past."""
        if at_s > self.now_s:
            self.run(at_s - self.now_s)

    def run_until(self, true: Callable[[], bool], *, within_s: float, step_s: float = 0.002) -> bool:
        """Return whether `true()` came to be within the time; it is asked every `step_s`."""
        end = self.now_s + within_s
        while not true():
            if self.now_s >= end:
                return False
            self.run(step_s)
        return True

    # -- the world around it

    def feed(self, source: Source, wave: Wave, *, at_s: float | None = None) -> None:
        """Let a source follow `wave` from a time on, which is not before that of the wave given last.

        Raises:
            ValueError: the time is before that of the wave given last.
        """
        struct = wave.struct()
        if self._c.emu_segment(self._handle, NUMBER[source], self._at(at_s), ctypes.byref(struct)):
            raise ValueError("waves of a source are given in order of time")

    def mains(self, rms: float | None = None, *, at_s: float | None = None) -> None:
        """Feed both sources with a sine in phase, of nominal voltage unless told otherwise."""
        wave = Sine(self.board.nominal_v if rms is None else rms, self.board.nominal_hz)
        for source in Source:
            self.feed(source, wave, at_s=at_s)

    def source_resistance(self, source: Source, ohm: float) -> None:
        """Put a resistance behind the terminals of a source; 0 is a stiff one, as at first."""
        self._c.emu_source_ohm(self._handle, NUMBER[source], ohm)

    def plug(
        self, outlet: int, load: Load, *, from_s: float | None = None, until_s: float | None = None
    ) -> int:
        """Plug a load into an outlet (from 1), in parallel to others, for a time; return its number.

        Raises:
            ValueError: six loads are plugged in already.
        """
        struct = load.struct()
        struct.begins = self._at(from_s)
        struct.ends = NEVER if until_s is None else round(until_s * CLOCK_HZ)
        number = int(self._c.emu_add_load(self._handle, outlet - 1, ctypes.byref(struct)))
        if number < 0:
            raise ValueError(f"outlet {outlet} has no place for another load: unplug one")
        return number

    def unplug(self, outlet: int, number: int) -> None:
        """Unplug the load of this number."""
        self._c.emu_remove_load(self._handle, outlet - 1, number)

    def relay(self, part: Part, model: RelayModel) -> None:
        """Give a relay other times or faults."""
        struct = model.struct()
        self._c.emu_relay(self._handle, part, ctypes.byref(struct))

    def current_sensor(self, outlet: int, sensor: Sensor) -> None:
        """Give an outlet (from 1) another current sensor."""
        struct = sensor.struct(CURRENT, outlet - 1, self.board.volt_per_ampere, ratiometric=True)
        self._c.emu_channel(self._handle, self.board.current_channels[outlet - 1], ctypes.byref(struct))

    def voltage_sensor(self, source: Source, sensor: Sensor) -> None:
        """Give a source another voltage sensor."""
        number = NUMBER[source]
        struct = sensor.struct(VOLTAGE, number, self.board.volt_per_volt, ratiometric=False)
        self._c.emu_channel(self._handle, self.board.voltage_channels[number], ctypes.byref(struct))

    def supply(self, points: Iterable[tuple[float, float]]) -> None:
        """Let the board's 5 V follow straight lines between (time in s, V); under 4.3 V it is held in reset."""
        for at_s, volts in points:
            self._c.emu_supply(self._handle, round(at_s * CLOCK_HZ), volts * 1000)

    # -- what is done to the chip

    def reset(self) -> None:
        """Reset by the pin; RAM stays."""
        self._c.emu_external_reset(self._handle)

    def power_off(self) -> None:
        """Take the power; time goes on with `run`."""
        self._c.emu_power_off(self._handle)

    def power_on(self) -> None:
        """Give the power back: RAM holds anything, EEPROM what was written."""
        self._c.emu_power_on(self._handle)

    def stop_adc(self, stopped: bool = True) -> None:
        """Let no conversion end any more, or let those to come end again."""
        self._c.emu_adc_dead(self._handle, stopped)

    def hang(self, *, interrupts_off: bool = False) -> None:
        """Catch the program in an endless loop; interrupts go on unless they are off too."""
        self._c.emu_hang(self._handle, interrupts_off)

    def flip(self, address: int, bit: int, *, at_s: float | None = None) -> None:
        """Flip one bit of a register (0 to 31), an I/O register, RAM, or `PROGRAM_COUNTER`."""
        self._c.emu_flip(self._handle, self._at(at_s), address, bit)

    # -- the serial line

    def send(self, data: bytes, *, baud: float = 57_600.0) -> None:
        """Put bytes on the line to the board, ten bits each, behind those that are still to come."""
        self._c.emu_send(self._handle, data, len(data), round(10 * CLOCK_HZ / baud))

    @property
    def unsent(self) -> int:
        """Bytes that are still to come to the board."""
        return int(self._c.emu_unsent(self._handle))

    def output(self) -> bytes:
        """Return what the program has sent since this was last called."""
        data, at = ctypes.POINTER(ctypes.c_uint8)(), ctypes.POINTER(ctypes.c_uint64)()
        count = self._c.emu_output(self._handle, ctypes.byref(data), ctypes.byref(at))
        sent = bytes(data[:count]) if count else b""
        self._c.emu_clear_output(self._handle)
        return sent

    # -- looking

    @property
    def bus_v(self) -> float:
        """Instantaneous voltage behind changeover and isolator."""
        return float(self._c.emu_bus_v(self._handle))

    def source_v(self, source: Source) -> float:
        """Return the instantaneous voltage at the terminals of a source."""
        return float(self._c.emu_source_v(self._handle, NUMBER[source]))

    def current_a(self, outlet: int) -> float:
        """Return the instantaneous current through an outlet (from 1)."""
        return float(self._c.emu_current_a(self._handle, outlet - 1))

    def closed(self, outlet: int) -> bool:
        """Return whether the contact of an outlet (from 1) is closed."""
        return bool(self._c.emu_closed(self._handle, Part.outlet(outlet)))

    @property
    def isolator_closed(self) -> bool:
        """Whether the contact of the isolator is closed."""
        return bool(self._c.emu_closed(self._handle, Part.ISOLATOR))

    @property
    def connected(self) -> Source | None:
        """The source that changeover or source pair connects, None in between; the isolator is not looked at.

        Raises:
            RuntimeError: both are connected.
        """
        throw = int(self._c.emu_closed(self._handle, Part.CHANGEOVER))
        if self.board.backup_relay is None:
            return {0: Source.MAIN, 1: Source.BACKUP}.get(throw)
        backup = int(self._c.emu_closed(self._handle, Part.BACKUP_RELAY))
        if throw and backup:
            raise RuntimeError("both sources are connected to each other")
        return Source.MAIN if throw else Source.BACKUP if backup else None

    def driven(self, part: Part) -> bool:
        """Return whether the coil of a relay has current."""
        return bool(self._c.emu_driven(self._handle, part))

    def events(self, *kinds: Kind, since_s: float = 0.0) -> list[Event]:
        """Return the log, or its entries of some kinds, from a time on."""
        first = ctypes.POINTER(native.EventStruct)()
        count = self._c.emu_events(self._handle, ctypes.byref(first))
        since = since_s * CLOCK_HZ
        return [
            Event(one.cycle, Kind(one.kind), one.index, one.value)
            for one in first[:count]
            if one.cycle >= since and (not kinds or one.kind in kinds)
        ]

    def forget_events(self) -> None:
        """Empty the log."""
        self._c.emu_clear_events(self._handle)

    def trace(self, rate_hz: float | None) -> None:
        """Keep the voltages of both sources from now on, `rate_hz` a second; None ends that."""
        self._c.emu_trace(self._handle, round(CLOCK_HZ / rate_hz) if rate_hz else 0)

    def traced(self, source: Source) -> list[float]:
        """Return the voltages of a source since `trace` was called."""
        volts = ctypes.POINTER(ctypes.c_float)()
        count = self._c.emu_traced(self._handle, NUMBER[source], ctypes.byref(volts))
        return list(volts[:count]) if count else []

    def stats(self, *, clear: bool = False) -> Stats:
        """Return what the program has cost since the last clearing."""
        struct = native.StatsStruct()
        self._c.emu_stats(self._handle, ctypes.byref(struct), clear)
        return stats_of(struct, CLOCK_HZ)

    def truth(self, *, clear: bool = True) -> Truth:
        """Return what really flowed since the last clearing."""
        struct = native.TruthStruct()
        self._c.emu_truth(self._handle, ctypes.byref(struct), clear)
        return truth_of(struct, CLOCK_HZ)

    # -- memory

    @property
    def eeprom(self) -> bytes:
        """The whole image."""
        return bytes(self._c.emu_eeprom(self._handle)[: self._c.emu_eeprom_size(self._handle)])

    @eeprom.setter
    def eeprom(self, image: bytes) -> None:
        cells = self._c.emu_eeprom(self._handle)
        for address, byte in enumerate(image[: self._c.emu_eeprom_size(self._handle)]):
            cells[address] = byte

    @property
    def ram(self) -> range:
        """Addresses of the RAM."""
        return range(self._c.emu_ram_start(self._handle), self._c.emu_ram_end(self._handle) + 1)

    def peek(self, address: int, count: int = 1) -> bytes:
        """Return bytes of the data space: registers, I/O, RAM."""
        return bytes(self._c.emu_data(self._handle)[address : address + count])

    def poke(self, address: int, data: bytes) -> None:
        """Put bytes into RAM."""
        cells = self._c.emu_data(self._handle)
        for offset, byte in enumerate(data):
            cells[address + offset] = byte

    def watch(self, address: int | None) -> None:
        """Log each change of a byte of RAM, to some 3 us; None ends that."""
        self._c.emu_watch(self._handle, address or 0)

    def symbol(self, name: str) -> int:
        """Return the address of a symbol in the data space.

        Raises:
            KeyError: the program has none of this name.
        """
        address = int(self._c.emu_symbol(self._handle, name.encode()))
        if address < 0:
            raise KeyError(name)
        return address & 0xFFFF

    def _parts(self) -> Iterable[tuple[Part, Pin]]:
        yield Part.CHANGEOVER, self.board.changeover
        if self.board.backup_relay is not None:
            yield Part.BACKUP_RELAY, self.board.backup_relay
        yield Part.ISOLATOR, self.board.isolator
        for number, pin in enumerate(self.board.outlets, 1):
            yield Part.outlet(number), pin

    def _reference(self, part: Part) -> RelayModel:
        return RelayModel(normally_closed=part - Part.ISOLATOR in self.board.normally_closed)

    def _at(self, at_s: float | None) -> int:
        return self.cycle if at_s is None else round(at_s * CLOCK_HZ)
