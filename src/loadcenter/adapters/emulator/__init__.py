"""The real firmware in an emulated AVR, with the mains, the loads and the relays around it.

`Emulator` runs an ELF of `firmware/uno` in libsimavr and gives it waveforms at its ADC, bytes at its UART and contacts
that move as relays do. It needs gcc, libsimavr and libelf; `EmulatorUnavailableError` says what to install.
"""

from loadcenter.adapters.emulator.board import Board, Pin
from loadcenter.adapters.emulator.build import EmulatorUnavailableError
from loadcenter.adapters.emulator.emulator import CLOCK_HZ, Emulator
from loadcenter.adapters.emulator.plugged import Current, Impedance, Load, Rectifier
from loadcenter.adapters.emulator.records import Event, Kind, Reset, Stats, Truth
from loadcenter.adapters.emulator.relays import Part, RelayModel
from loadcenter.adapters.emulator.waves import DEAD, Harmonic, Recording, Sensor, Sine, Wave

__all__ = [
    "CLOCK_HZ",
    "DEAD",
    "Board",
    "Current",
    "Emulator",
    "EmulatorUnavailableError",
    "Event",
    "Harmonic",
    "Impedance",
    "Kind",
    "Load",
    "Part",
    "Pin",
    "Recording",
    "Rectifier",
    "RelayModel",
    "Reset",
    "Sensor",
    "Sine",
    "Stats",
    "Truth",
    "Wave",
]
