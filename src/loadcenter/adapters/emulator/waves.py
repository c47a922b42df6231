"""What stands at the inputs: waves of sources and currents, and the sensors between them and the ADC."""

import ctypes
import math
from collections.abc import Sequence
from dataclasses import dataclass

from loadcenter.adapters.emulator.native import HARMONICS, ChannelStruct, HarmonicStruct, WaveStruct

HIGHEST_V = 5.0


@dataclass(frozen=True, slots=True)
class Harmonic:
    """Part of a wave: `ratio` of the fundamental's amplitude at `order` times its frequency."""

    order: float
    ratio: float
    phase_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Sine:
    """A sine from a start on, in V or A.

    Attributes:
        rms: of the fundamental.
        frequency_hz: at the start.
        phase_deg: at the start; with `continues` it is added to the phase that the segment before has reached.
        continues: go on from the phase of the segment before.
        offset: constant part.
        harmonics: at most six.
        ramp_hz_per_s: how fast the frequency changes.
        decay_s: the amplitude falls by e in this time; 0 is for ever.
        flicker: depth of a modulation of the amplitude, 0 to 1.
        flicker_hz: its frequency.
        notch_depth: part of the voltage that is lost in a notch, twice a cycle.
        notch_deg: where a notch begins after each zero crossing.
        notch_ms: how long it lasts.
    """

    rms: float
    frequency_hz: float = 50.0
    phase_deg: float = 0.0
    continues: bool = True
    offset: float = 0.0
    harmonics: tuple[Harmonic, ...] = ()
    ramp_hz_per_s: float = 0.0
    decay_s: float = 0.0
    flicker: float = 0.0
    flicker_hz: float = 0.0
    notch_depth: float = 0.0
    notch_deg: float = 0.0
    notch_ms: float = 0.0

    def struct(self) -> WaveStruct:
        """Return it as the C part takes it.

        Raises:
            ValueError: it has more than six harmonics.
        """
        if len(self.harmonics) > HARMONICS:
            raise ValueError(f"a wave has at most {HARMONICS} harmonics, not {len(self.harmonics)}")
        harmonics = [HarmonicStruct(h.order, h.ratio, math.radians(h.phase_deg)) for h in self.harmonics]
        return WaveStruct(
            amplitude=self.rms * math.sqrt(2),
            frequency_hz=self.frequency_hz,
            phase=math.radians(self.phase_deg),
            dc=self.offset,
            ramp_hz_per_s=self.ramp_hz_per_s,
            decay_s=self.decay_s,
            modulation=self.flicker,
            modulation_hz=self.flicker_hz,
            notch_depth=self.notch_depth,
            notch_phase=math.radians(self.notch_deg),
            notch_s=self.notch_ms / 1000,
            harmonics=(HarmonicStruct * HARMONICS)(*harmonics),
            harmonic_count=len(harmonics),
            continues=self.continues,
            loop_from=-1,
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """Samples as a wave, interpolated linearly.

    Attributes:
        samples: in V or A, times `scale`.
        rate_hz: samples a second.
        scale: what they are multiplied by.
        loop_from: sample from which it begins anew after the last; None is silence.
    """

    samples: Sequence[float]
    rate_hz: float
    scale: float = 1.0
    loop_from: int | None = None

    def struct(self) -> WaveStruct:
        """Return it as the C part takes it, which copies the samples.

        Raises:
            ValueError: there are fewer than two samples, or the loop begins behind the last but one.
        """
        count = len(self.samples)
        if count < 2 or (self.loop_from or 0) > count - 2:  # noqa: PLR2004
            raise ValueError("a recording has at least two samples, and a loop holds at least two")
        return WaveStruct(
            amplitude=self.scale,
            samples=(ctypes.c_float * count)(*self.samples),
            sample_count=count,
            sample_rate_hz=self.rate_hz,
            loop_from=-1 if self.loop_from is None else self.loop_from,
        )


Wave = Sine | Recording

DEAD = Sine(0.0)
"""A source without voltage; its phase goes on."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """What stands between a quantity and a pin of the ADC.

    Attributes:
        gain: 1 is exact.
        zero_offset_v: error of the zero.
        noise_lsb: standard deviation of the noise, in counts of the ADC.
        spike_per_million: conversions that read 0 or full scale.
        stuck_v: the pin stands at this voltage, whatever is measured.
    """

    gain: float = 1.0
    zero_offset_v: float = 0.0
    noise_lsb: float = 0.5
    spike_per_million: int = 0
    stuck_v: float | None = None

    def struct(self, quantity: int, index: int, volt_per_unit: float, *, ratiometric: bool) -> ChannelStruct:
        """Return it as the C part takes it, for a quantity that gives `volt_per_unit` at the pin."""
        return ChannelStruct(
            quantity=quantity,
            index=index,
            ratiometric=ratiometric,
            spike_per_million=self.spike_per_million,
            volt_per_unit=volt_per_unit * self.gain,
            zero_ratio=0.5 + self.zero_offset_v / HIGHEST_V,
            noise_lsb=self.noise_lsb,
            stuck_v=-1.0 if self.stuck_v is None else self.stuck_v,
            low_v=0.0,
            high_v=HIGHEST_V,
        )
