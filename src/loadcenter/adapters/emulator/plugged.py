"""What can be plugged into an outlet: it takes current from whatever source its contacts connect it to."""

from dataclasses import dataclass

from loadcenter.adapters.emulator.native import LoadStruct
from loadcenter.adapters.emulator.waves import Wave

IMPEDANCE, RECTIFIER, WAVE = range(3)


@dataclass(frozen=True, slots=True)
class Impedance:
    """Resistance and inductance in series, less of both while it starts: heater, lamp, motor, or a short.

    Attributes:
        ohm: above 0.
        henry: 0 or more.
        start_factor: current of the start against that of the run.
        start_hold_s: how long the start lasts before it fades.
        start_tau_s: time constant of the fading.
    """

    ohm: float
    henry: float = 0.0
    start_factor: float = 1.0
    start_hold_s: float = 0.0
    start_tau_s: float = 0.0

    def struct(self) -> LoadStruct:
        """Return it as the C part takes it."""
        start = (self.start_factor, self.start_hold_s, self.start_tau_s)
        names = ("start_factor", "start_hold_s", "start_tau_s")
        return LoadStruct(
            kind=IMPEDANCE, ohm=self.ohm, henry=self.henry, **dict(zip(names, start, strict=True))
        )


@dataclass(frozen=True, slots=True)
class Rectifier:
    """A bridge that charges a capacitor through a resistance, from which a constant power is taken.

    Attributes:
        watt: taken while there is charge.
        farad: of the capacitor.
        ohm: of the inrush limiter; the peak of the first charge is the mains peak over it.
        drop_v: of the bridge.
    """

    watt: float
    farad: float
    ohm: float
    drop_v: float = 2.0

    def struct(self) -> LoadStruct:
        """Return it as the C part takes it."""
        return LoadStruct(kind=RECTIFIER, watt=self.watt, farad=self.farad, ohm=self.ohm, drop_v=self.drop_v)


@dataclass(frozen=True, slots=True)
class Current:
    """A current whatever the voltage is: a recording, or a sine of exact size and phase.

    Attributes:
        wave: in A.
        from_start: begin the wave each time voltage comes, not once and for all.
    """

    wave: Wave
    from_start: bool = False

    def struct(self) -> LoadStruct:
        """Return it as the C part takes it."""
        return LoadStruct(kind=WAVE, from_start=self.from_start, wave=self.wave.struct())


Load = Impedance | Rectifier | Current
