"""Protection of one outlet: what its current says at each step, and the latch of a trip.

In the order of their urgency: the instantaneous trip, which was done between two steps and is a fact here; the
inverse-time curve, which always runs; the person's own limit with its time and action; the heat of the relay. An
outlet that carries current although it is open has a relay that failed: after a trip the isolator must open for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from loadcenter.domain import curves
from loadcenter.domain.events import Detail, EventCode
from loadcenter.domain.quantities import OUTLET_RATING_MA
from loadcenter.domain.settings import LimitAction, OutletConfig
from loadcenter.domain.thermal import COLD, TAU_S, Heat, trip_ma

CARRIES_MA = 200
"""Current above this flows for certain: ten times the noise of an ACS712 at rest (behaviour.md, section 3)."""

WELDED_MS = 200
"""A relay that was commanded off and still carries current for this long is welded (behaviour.md, section 3)."""

FAILED_MS = 60
"""A tripped outlet that carries current for this long did not open (behaviour.md, section 3)."""

INSTANTANEOUS_MA = 17_600
"""Peak current of the instantaneous trip for an outlet of 4 A (behaviour.md, section 3; a board constant)."""

INSTANTANEOUS_MS = 1
"""Three scans of 400 us, rounded."""

MASK_MS = 150
"""How long an inrush mask holds back the instantaneous trip (behaviour.md, section 3)."""

MASK_GAP_MS = 2000
"""From the beginning of one mask of an outlet to the next that it may begin by itself."""

QUIET_SHARE = 4
QUIET_MS = 200
"""A load that has drawn less than a quarter of the rating for this long may start up by itself."""

CLEARED_PCT = 95
"""Hysteresis of a warning: it ends at this share of the limit."""

BARREN_CLOSINGS = 3
BARREN_MS = 1000
"""An outlet must be closed for this long before it counts that nothing was drawn."""


class Trip(StrEnum):
    """What opened an outlet: `spec/codes.toml`, category trip."""

    OVERCURRENT = "overcurrent"
    INSTANTANEOUS = "instantaneous"
    INVERSE_TIME = "inverse_time"
    OVERPOWER = "overpower"
    THERMAL = "thermal"
    BUS_TOTAL = "bus_total"
    BREAKER_FAILURE = "breaker_failure"


@dataclass(frozen=True, slots=True)
class Latch:
    """A trip that holds an outlet open until a person resets it, with the numbers that were compared.

    Attributes:
        trip: what opened it.
        measured: in mA; in mW for `OVERPOWER`.
        limit: in the same unit.
        limit_ms: time over the limit; for `INVERSE_TIME` what the curve took.
    """

    trip: Trip
    measured: int
    limit: int
    limit_ms: int

    @property
    def numbers(self) -> Mapping[str, Detail]:
        """The numbers as the data of an event or a result."""
        name, limit = ("p_mw", "limit_mw") if self.trip is Trip.OVERPOWER else ("i_ma", "limit_ma")
        return {"trip": self.trip.value, name: self.measured, limit: self.limit, "limit_ms": self.limit_ms}


@dataclass(frozen=True, slots=True)
class Guard:
    """What protection remembers of one outlet from step to step; lost with the supply, unlike the latch.

    Attributes:
        over_since_ms: since when a limit of the person is exceeded, None while none is.
        warned: that was told, as the action is to warn.
        picked_up_ms: since when the current is over the pick-up of the curve.
        curve: progress of the curve.
        stuck_since_ms: when current was first seen through the open relay, None while none flows.
        welded: the relay is known not to open, until it is closed again.
        faulty: the current sensor does not tell.
        heat: of the relay.
        mask_ms: when the last inrush mask began, None once another one may.
        quiet_since_ms: since when the closed outlet draws so little that its load may start up.
        drew: it has drawn current at some time.
        drew_now: it has drawn current since it was closed.
        barren: closings in a row in which nothing was drawn.
    """

    over_since_ms: int | None = None
    warned: bool = False
    picked_up_ms: int | None = None
    curve: int = 0
    stuck_since_ms: int | None = None
    welded: bool = False
    faulty: bool = False
    heat: Heat = COLD
    mask_ms: int | None = None
    quiet_since_ms: int | None = None
    drew: bool = False
    drew_now: bool = False
    barren: int = 0

    @property
    def at_rest(self) -> bool:
        """Whether nothing but heat goes on with time."""
        return (
            self.over_since_ms is None
            and not self.warned
            and self.picked_up_ms is None
            and self.curve == 0
            and self.stuck_since_ms is None
            and not self.welded
            and self.mask_ms is None
        )

    def masked(self, now_ms: int) -> bool:
        """Return whether the instantaneous trip is held back."""
        return self.mask_ms is not None and now_ms - self.mask_ms < MASK_MS

    def quiet(self, now_ms: int) -> bool:
        """Return whether the load may begin a mask by starting up."""
        since_ms = self.quiet_since_ms
        return self.mask_ms is None and since_ms is not None and now_ms - since_ms >= QUIET_MS


CLEAR = Guard()
"""Nothing wrong, nothing known."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one step looks at, of one outlet.

    Attributes:
        closed: whether the relay is commanded on.
        tripped: whether a trip is latched.
        failed: whether that trip is already the failure of its relay.
        current_ma: true RMS current of the last cycles.
        power_mw: real power; None is unknown.
        faulty: the current sensor does not tell.
        peak_ma: the instantaneous trip has opened it since the last step, at this current.
        masked: its load has started by itself.
        rating_ma: what its relay carries for ever.
    """

    closed: bool
    tripped: bool
    failed: bool
    current_ma: int
    power_mw: int | None = None
    faulty: bool = False
    peak_ma: int | None = None
    masked: bool = False
    rating_ma: int = OUTLET_RATING_MA


@dataclass(frozen=True, slots=True)
class Watched:
    """Outcome of a step: the guard, and what became true in it.

    Attributes:
        guard: to be remembered.
        latch: the outlet trips now, or its trip turns out to be a failure of the relay.
        shed: the outlet is shed for its own limit.
        told: events, with their data.
    """

    guard: Guard
    latch: Latch | None = None
    shed: bool = False
    told: tuple[tuple[EventCode, Mapping[str, Detail]], ...] = ()


def watch(guard: Guard, seen: Seen, config: OutletConfig, reset_s: int, step_ms: int, now_ms: int) -> Watched:
    """Return the guard after one step, with a latch if the outlet trips now.

    A limit of the person must be exceeded at every step for `limit_ms` from the first of them; one step at or below
    it starts anew.

    Args:
        guard: what was remembered.
        seen: the outlet now.
        config: its limits.
        reset_s: time in which the curve forgets.
        step_ms: since the step before.
        now_ms: monotonic time.
    """
    guard, told = _sensor(guard, seen)
    if seen.masked or guard.mask_ms is not None:
        guard = _mask(guard, seen, now_ms)
    if seen.peak_ma is not None:
        latch = Latch(Trip.INSTANTANEOUS, seen.peak_ma, INSTANTANEOUS_MA, INSTANTANEOUS_MS)
        return Watched(_opened(guard), latch, told=told)
    if seen.faulty:
        return Watched(guard, told=told)
    watched = (
        _watch_closed(guard, seen, config, reset_s, step_ms, now_ms)
        if seen.closed
        else _watch_open(guard, seen, config, reset_s, step_ms, now_ms)
    )
    return replace(watched, told=told + watched.told) if told else watched


def in_overcurrent(guard: Guard, config: OutletConfig) -> bool:
    """Return whether an overcurrent is in progress that ends in a trip if it lasts."""
    limited = guard.over_since_ms is not None and config.limit_action is LimitAction.TRIP
    return limited or guard.picked_up_ms is not None


def closing(guard: Guard, now_ms: int) -> Guard:
    """Return the guard of an outlet that is being closed: its inrush is masked."""
    return replace(guard, mask_ms=now_ms, drew_now=False, quiet_since_ms=None, stuck_since_ms=None)


def opening(guard: Guard, closed_ms: int) -> tuple[Guard, bool]:
    """Return the guard of an outlet that is being opened after `closed_ms`, and whether its circuit is suspect."""
    barren = guard.barren
    if guard.drew_now:
        barren = 0
    elif guard.drew and closed_ms >= BARREN_MS and not guard.faulty:
        barren = min(BARREN_CLOSINGS + 1, barren + 1)
    suspect = barren == BARREN_CLOSINGS and guard.barren < BARREN_CLOSINGS
    return replace(guard, barren=barren), suspect


def masking(guard: Guard, now_ms: int) -> Guard:
    """Return the guard with an inrush mask that begins now."""
    return replace(guard, mask_ms=now_ms)


def _opened(guard: Guard) -> Guard:
    return replace(guard, over_since_ms=None, warned=False, picked_up_ms=None, quiet_since_ms=None)


def _sensor(guard: Guard, seen: Seen) -> tuple[Guard, tuple[tuple[EventCode, Mapping[str, Detail]], ...]]:
    if seen.faulty is guard.faulty:
        return guard, ()
    code = EventCode.SENSOR_FAULT if seen.faulty else EventCode.SENSOR_RESTORED
    return replace(guard, faulty=seen.faulty, over_since_ms=None, picked_up_ms=None), ((code, {}),)


def _mask(guard: Guard, seen: Seen, now_ms: int) -> Guard:
    if seen.masked:
        return replace(guard, mask_ms=now_ms)
    over = guard.mask_ms is not None and now_ms - guard.mask_ms >= MASK_GAP_MS
    return replace(guard, mask_ms=None) if over else guard


def _watch_closed(
    guard: Guard, seen: Seen, config: OutletConfig, reset_s: int, step_ms: int, now_ms: int
) -> Watched:
    current_ma = seen.current_ma
    guard = _follow(guard, seen, config, reset_s, step_ms, now_ms)
    latch = _curve_trip(guard, current_ma, config, now_ms) or _thermal_trip(guard, seen)
    if latch is not None:
        return Watched(_opened(guard), latch)
    return _limit(guard, seen, config, now_ms)


def _follow(guard: Guard, seen: Seen, config: OutletConfig, reset_s: int, step_ms: int, now_ms: int) -> Guard:
    """Return the guard of a closed outlet with curve, quiet time and draw brought up to this step."""
    current_ma = seen.current_ma
    drawing = current_ma > CARRIES_MA
    quiet = current_ma < seen.rating_ma // QUIET_SHARE
    over = current_ma > config.curve_ma
    still = (guard.drew_now is drawing or guard.drew_now) and (guard.quiet_since_ms is not None) is quiet
    calm = not over and guard.curve == 0 and guard.picked_up_ms is None
    if still and calm and guard.stuck_since_ms is None and not guard.welded:
        return guard
    return replace(
        guard,
        drew=guard.drew or drawing,
        drew_now=guard.drew_now or drawing,
        quiet_since_ms=_since(guard.quiet_since_ms, quiet, now_ms),
        picked_up_ms=_since(guard.picked_up_ms, over, now_ms),
        # The step that first sees it counts too: the cycle that it was measured over has passed.
        curve=curves.advanced(
            guard.curve,
            current_ma,
            config.curve,
            config.curve_ma,
            config.curve_tms_permille,
            reset_s,
            step_ms,
        ),
        stuck_since_ms=None,
        welded=False,
    )


def _since(since_ms: int | None, holds: bool, now_ms: int) -> int | None:
    if not holds:
        return None
    return now_ms if since_ms is None else since_ms


def _curve_trip(guard: Guard, current_ma: int, config: OutletConfig, now_ms: int) -> Latch | None:
    if guard.picked_up_ms is None or guard.curve < curves.trips_at(config.curve_tms_permille):
        return None
    return Latch(Trip.INVERSE_TIME, current_ma, config.curve_ma, now_ms - guard.picked_up_ms)


def _thermal_trip(guard: Guard, seen: Seen) -> Latch | None:
    if not guard.heat.trips:
        return None
    return Latch(Trip.THERMAL, seen.current_ma, trip_ma(seen.rating_ma), TAU_S * 1000)


def _limit(guard: Guard, seen: Seen, config: OutletConfig, now_ms: int) -> Watched:
    """Return the outcome of the person's own limit."""
    power_mw = seen.power_mw or 0
    over_power = power_mw > config.limit_mw
    if seen.current_ma <= config.limit_ma and not over_power:
        return _within(guard, seen.current_ma, power_mw, config)
    since_ms = now_ms if guard.over_since_ms is None else guard.over_since_ms
    if guard.over_since_ms is None:
        guard = replace(guard, over_since_ms=now_ms)
    if guard.warned or now_ms - since_ms < config.limit_ms:
        return Watched(guard)
    latch = (
        Latch(Trip.OVERPOWER, power_mw, config.limit_mw, config.limit_ms)
        if over_power and seen.current_ma <= config.limit_ma
        else Latch(Trip.OVERCURRENT, seen.current_ma, config.limit_ma, config.limit_ms)
    )
    match config.limit_action:
        case LimitAction.TRIP:
            return Watched(_opened(guard), latch)
        case LimitAction.SHED:
            told = (
                EventCode.SHED,
                {**latch.numbers, "i_ma": seen.current_ma, "p_mw": power_mw, "reason": "limit"},
            )
            return Watched(_opened(guard), shed=True, told=(told,))
        case LimitAction.WARN:
            data = {**latch.numbers, "i_ma": seen.current_ma, "p_mw": power_mw}
            return Watched(replace(guard, warned=True), told=((EventCode.LIMIT_EXCEEDED, data),))


def _within(guard: Guard, current_ma: int, power_mw: int, config: OutletConfig) -> Watched:
    if guard.over_since_ms is not None:
        guard = replace(guard, over_since_ms=None)
    if guard.warned and _well_below(current_ma, power_mw, config):
        data: dict[str, Detail] = {
            "i_ma": current_ma,
            "limit_ma": config.limit_ma,
            "p_mw": power_mw,
            "limit_mw": config.limit_mw,
        }
        return Watched(replace(guard, warned=False), told=((EventCode.LIMIT_CLEARED, data),))
    return Watched(guard)


def _well_below(current_ma: int, power_mw: int, config: OutletConfig) -> bool:
    below_a = current_ma * 100 <= config.limit_ma * CLEARED_PCT
    return below_a and power_mw * 100 <= config.limit_mw * CLEARED_PCT


def _watch_open(
    guard: Guard, seen: Seen, config: OutletConfig, reset_s: int, step_ms: int, now_ms: int
) -> Watched:
    if guard.over_since_ms is not None or guard.warned or guard.picked_up_ms is not None:
        guard = _opened(guard)
    if guard.quiet_since_ms is not None:
        guard = replace(guard, quiet_since_ms=None)
    if guard.curve:
        faded = curves.advanced(
            guard.curve, 0, config.curve, config.curve_ma, config.curve_tms_permille, reset_s, step_ms
        )
        guard = replace(guard, curve=faded)
    current_ma = seen.current_ma
    if current_ma <= CARRIES_MA:
        return Watched(guard if guard.stuck_since_ms is None else replace(guard, stuck_since_ms=None))
    since_ms = now_ms if guard.stuck_since_ms is None else guard.stuck_since_ms
    guard = replace(guard, stuck_since_ms=since_ms)
    must_be_open = seen.tripped or current_ma > seen.rating_ma
    if must_be_open and not seen.failed and now_ms - since_ms >= FAILED_MS:
        latch = Latch(Trip.BREAKER_FAILURE, current_ma, CARRIES_MA, FAILED_MS)
        return Watched(replace(guard, welded=True), latch)
    if guard.welded or now_ms - since_ms < WELDED_MS:
        return Watched(guard)
    data: dict[str, Detail] = {"i_ma": current_ma, "limit_ma": CARRIES_MA}
    return Watched(replace(guard, welded=True), told=((EventCode.RELAY_WELDED, data),))
