"""Facts of a board: where its relays and sensors are, and what they give."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FULL_SCALE_V = 2.5
"""From the middle of the ADC's range to its end."""

FULL_SCALE_COUNTS = 512
MICROVOLTS_A_COUNT = 5_000_000 / 1024
UNO_OUTLETS = 4
"""More currents than these need the sixteen channels of an ATmega2560."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A pin of a port, and whether its high level means on."""

    port: str
    bit: int
    active_high: bool = True


@dataclass(frozen=True, slots=True)
class Board:
    """One board. The values that stand here are those of the reference unit for 230 V and 50 Hz.

    Attributes:
        chip: as libsimavr calls it.
        outlets: pins of the outlet relays, outlet 1 first.
        changeover: pin of the changeover's coil, or of the main relay of a source pair.
        isolator: pin of the bus isolator.
        backup_relay: pin of the second relay of a source pair, None on a board with a changeover.
        live: pin of the bus-live input.
        current_channels: ADC channel of each outlet.
        voltage_channels: those of the main and the backup source.
        normally_closed: outlets, counted from 1, whose relay is closed while its coil has no current.
        nominal_v: RMS.
        nominal_hz: of the mains.
        volt_per_ampere: of the current sensors, at 5 V.
        full_scale: voltage that reaches the end of the ADC's range, over the nominal peak.
    """

    chip: str = "atmega328p"
    outlets: tuple[Pin, ...] = (Pin("D", 4), Pin("D", 5), Pin("D", 6), Pin("D", 7))
    changeover: Pin = Pin("B", 0)
    isolator: Pin = Pin("B", 1)
    backup_relay: Pin | None = None
    live: Pin = Pin("D", 2, active_high=False)
    current_channels: tuple[int, ...] = (0, 1, 2, 3)
    voltage_channels: tuple[int, int] = (4, 5)
    normally_closed: tuple[int, ...] = ()
    nominal_v: float = 230.0
    nominal_hz: float = 50.0
    volt_per_ampere: float = 0.1
    full_scale: float = 1.6

    @staticmethod
    def of(facts: Mapping[str, Any]) -> "Board":
        """Return the board that a firmware build was made for.

        Args:
            facts: `board.json` of the build.

        Raises:
            KeyError: a fact is missing.
        """
        high = bool(facts["active_high"])
        count = int(facts["outlets"])
        first = int(facts["first_current_channel"])
        closed = int(facts["normally_closed_outlets"])
        pair = bool(facts["source_pair"])

        def pin(name: str, active_high: bool = high) -> Pin:
            return Pin(facts[name]["port"], int(facts[name]["bit"]), active_high)

        return Board(
            chip="atmega2560" if count > UNO_OUTLETS else "atmega328p",
            outlets=tuple(pin(f"outlet_{outlet}") for outlet in range(1, count + 1)),
            changeover=pin("main_relay" if pair else "changeover"),
            isolator=pin("isolator"),
            backup_relay=pin("backup_relay") if pair else None,
            live=pin("live", not facts["live_active_low"]),
            current_channels=tuple(range(first, first + count)),
            voltage_channels=(int(facts["main_channel"]), int(facts["backup_channel"])),
            normally_closed=tuple(outlet for outlet in range(1, count + 1) if closed >> (outlet - 1) & 1),
            nominal_v=int(facts["nominal_mv"]) / 1000,
            nominal_hz=int(facts["nominal_mhz"]) / 1000,
            volt_per_ampere=MICROVOLTS_A_COUNT / int(facts["microamps_per_count"]),
            full_scale=FULL_SCALE_COUNTS / int(facts["nominal_peak_counts"]),
        )

    @property
    def volt_per_volt(self) -> float:
        """What a voltage sensor gives at the ADC's pin."""
        return FULL_SCALE_V / (self.full_scale * self.nominal_v * math.sqrt(2))

    @property
    def cycle_s(self) -> float:
        """One cycle of the mains."""
        return 1 / self.nominal_hz
