"""Heat of an outlet: the thermal image of IEC 60255-149 with one time constant.

Heat follows `(I / I_trip)^2` with a time constant of 300 s, and 1 is the trip. `I_trip` is 1.1 times the rating of the
relay, so that an outlet at its rating never trips, and one that has been hot trips sooner.
"""

from dataclasses import dataclass

TAU_S = 300
"""Time constant of a relay and its wiring; behaviour.md, section 3."""

TRIP_PPM = 1_000_000
RATIO_MOST = 5000
"""Five times the trip current; more than that is the business of faster protection."""

STAGES_PCT = (25, 50, 75, 100)
"""Heat that is written to memory: at these, since memory wears."""


@dataclass(frozen=True, slots=True)
class Heat:
    """Heat in millionths of the trip level, and the remainder carried to the next second (0 to 299)."""

    ppm: int = 0
    rest: int = 0

    @property
    def stage_pct(self) -> int:
        """The highest of `STAGES_PCT` that is reached, 0 below the first."""
        return min(100, self.ppm // (TRIP_PPM // 4) * 25)

    @property
    def trips(self) -> bool:
        """Whether the outlet must open."""
        return self.ppm >= TRIP_PPM


COLD = Heat()


def of_stage(stage_pct: int) -> Heat:
    """Return the heat that a stage in memory stands for."""
    return Heat(stage_pct * (TRIP_PPM // 100)) if stage_pct else COLD


def trip_ma(rating_ma: int) -> int:
    """Return the current whose heat is just the trip: the factor k = 1.1 of IEC 60255-149."""
    return rating_ma * 11 // 10


def warmed(heat: Heat, current_ma: int, seconds: int, rating_ma: int) -> Heat:
    """Return the heat after `seconds` (1 to 10) at this current, of a relay with this rating."""
    if heat is COLD and current_ma == 0:
        return heat
    ratio = min(RATIO_MOST, current_ma * 1000 // trip_ma(rating_ma))
    total = (ratio * ratio - heat.ppm) * seconds + heat.rest
    return Heat(heat.ppm + total // TAU_S, total % TAU_S)
