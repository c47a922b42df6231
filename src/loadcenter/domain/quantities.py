"""Conversions between the integers of the wire and the units that people read. Nothing else converts."""

OUTLET_RATING_MA = 4000
"""Reference outlet relay: 4 A continuous (behaviour.md, section 1)."""

BUS_RATING_MA = 16_000
"""Reference changeover and isolator: 16 A continuous (behaviour.md, section 1)."""

MWH_PER_KWH = 1_000_000
MW_MS_PER_MWH = 3_600_000
"""One milliwatt-hour in milliwatt-milliseconds (3,600 s/h x 1,000 ms/s)."""


def from_milli(value: int | None) -> float | None:
    """Return mV, mA, mW or mHz as V, A, W or Hz; None stays None (unknown is not 0)."""
    return None if value is None else value / 1000


def to_milli(value: float) -> int:
    """Return V, A, W or Hz as the nearest integer of mV, mA, mW or mHz."""
    return round(value * 1000)


def kwh_from_mwh(value: int | None) -> float | None:
    """Return an energy in mWh as kWh; None stays None."""
    return None if value is None else value / MWH_PER_KWH


def apparent_power_mva(voltage_mv: int, current_ma: int) -> int:
    """Return apparent power in mVA (true RMS volts times true RMS amps)."""
    return voltage_mv * current_ma // 1000


def power_factor(power_mw: int | None, voltage_mv: int | None, current_ma: int | None) -> float | None:
    """Return real over apparent power, 0 to 1; None where one is unknown or nothing flows."""
    if power_mw is None or not voltage_mv or not current_ma:
        return None
    apparent = apparent_power_mva(voltage_mv, current_ma)
    return None if apparent == 0 else min(1.0, power_mw / apparent)
