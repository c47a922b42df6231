"""Shedding: which outlets open so that a source stays within its budget, and when they close again.

Over its budget for a second (or at one and a half of it for a tenth), a source loses the outlet of the lowest priority
that draws current, and one more every 0.3 s while the measured total is still over. If the total does not fall by
what the outlet drew, shedding has no effect and stops. Back come those that were shed, the highest priority first, one
at a time, each only with room for its draw and its inrush.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loadcenter.domain.budget import Headroom, Load, whole_watts
from loadcenter.domain.outlet import OutletState, Shed
from loadcenter.domain.protection import CARRIES_MA
from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.domain.topology import Source

OVER_MS = 1000
"""Over 100 % of the budget for this long, something is shed (behaviour.md, section 5)."""

HEAVY_MS = 100
"""The same over 150 %."""

TOTAL_MOST_MA = 65_535
"""A sum of currents ends here: what a device keeps in 16 bits, and four times any budget."""

STEP_MS = 300
"""From one outlet to the next: several cycles, so that the total is measured anew."""


@dataclass(frozen=True, slots=True)
class SheddingState:
    """What shedding remembers.

    Attributes:
        over_since_ms: since when the budget is exceeded.
        heavy_since_ms: since when one and a half of it is.
        shed_ms: when the last outlet was shed in this overload, None before the first.
        before: the total before that, and what the outlet drew.
        futile: shedding had no effect; it waits until the overload ends.
        told: it was told that nothing is left to shed.
        changed_ms: when an outlet was last shed or restored.
        restored: the last of both was a restore.
    """

    over_since_ms: int | None = None
    heavy_since_ms: int | None = None
    shed_ms: int | None = None
    before: tuple[Load, Load] | None = None
    futile: bool = False
    told: bool = False
    changed_ms: int | None = None
    restored: bool = False

    @property
    def at_rest(self) -> bool:
        """Whether nothing is over its budget."""
        return self.over_since_ms is None and not self.futile and not self.told


@dataclass(frozen=True, slots=True)
class Verdict:
    """What shedding wants in one step.

    Attributes:
        state: to be remembered.
        shed: index of the outlet to open now.
        futile: it has just turned out that shedding has no effect.
        exhausted: it has just turned out that nothing is left to shed.
        within: the total, which was told to be over with nothing left to shed, is within the budget again.
    """

    state: SheddingState
    shed: int | None = None
    futile: bool = False
    exhausted: bool = False
    within: bool = False


def total(outlets: Sequence[OutletState], currents_ma: Sequence[int], powers_mw: Sequence[int]) -> Load:
    """Return what all outlets carry; one whose sensor is faulty counts with its last known draw."""
    current_ma = power_mw = 0
    for index, outlet in enumerate(outlets):
        if outlet.guard.faulty:
            if outlet.closed:
                current_ma += outlet.draw_ma
                power_mw += outlet.draw_mw
        else:
            current_ma += currents_ma[index]
            power_mw += whole_watts(powers_mw[index]) if powers_mw else 0
    return Load(min(TOTAL_MOST_MA, current_ma), power_mw)


def budget_of(config: PduConfig, source: Source) -> Load:
    """Return what `source` may carry."""
    return Load(*config.budget_of(source))


def judge(
    state: SheddingState,
    room: Headroom,
    outlets: Sequence[OutletState],
    currents_ma: Sequence[int],
    config: PduConfig,
    now_ms: int,
) -> Verdict:
    """Return what shedding wants now, at the total and budget of `room`."""
    if not room.load.exceeds(room.budget):
        if state.over_since_ms is None and not state.told and not state.futile:
            return Verdict(state)
        calm = SheddingState(changed_ms=state.changed_ms, restored=state.restored)
        return Verdict(calm, within=state.told)
    state = _timed(state, room, now_ms)
    if state.futile or not _due(state, now_ms):
        return Verdict(state)
    if _had_no_effect(state, room.load):
        return Verdict(replace(state, futile=True), futile=True)
    index = first_to_shed(outlets, currents_ma, config.outlets)
    if index is None:
        return Verdict(replace(state, told=True), exhausted=not state.told)
    draw = Load(currents_ma[index], 0)
    shed = replace(state, shed_ms=now_ms, before=(room.load, draw), changed_ms=now_ms, restored=False)
    return Verdict(shed, shed=index)


def first_to_shed(
    outlets: Sequence[OutletState], draws_ma: Sequence[int], configs: Sequence[OutletConfig]
) -> int | None:
    """Return the outlet of the lowest priority that may be shed and draws current, the last one among equals."""
    found = None
    for index, (outlet, config) in enumerate(zip(outlets, configs, strict=True)):
        lower = found is None or config.priority >= configs[found].priority
        if lower and _may_shed(outlet, config) and draws_ma[index] > CARRIES_MA:
            found = index
    return found


def plan(outlets: Sequence[OutletState], config: PduConfig, source: Source) -> tuple[int, ...]:
    """Return the numbers of the outlets to open so that `source` can carry the rest, by their last known draws."""
    draws_ma = [outlet.draw_ma if outlet.closed else 0 for outlet in outlets]
    load = Load(min(TOTAL_MOST_MA, sum(draws_ma)), sum(outlet.draw_mw for outlet in outlets if outlet.closed))
    budget = budget_of(config, source)
    shed: list[int] = []
    while load.exceeds(budget):
        index = first_to_shed(outlets, draws_ma, config.outlets)
        if index is None:
            break
        load = load.less(draws_ma[index], outlets[index].draw_mw)
        draws_ma[index] = 0
        shed.append(index + 1)
    return tuple(sorted(shed))


def first_to_restore(
    state: SheddingState,
    room: Headroom,
    outlets: Sequence[OutletState],
    config: PduConfig,
    now_ms: int,
) -> int | None:
    """Return the outlet that may close again now: the highest priority of those shed, if it fits well."""
    if state.over_since_ms is not None or not _rested(state, config, now_ms):
        return None
    shed = [index for index, outlet in enumerate(outlets) if outlet.shed is Shed.BUDGET]
    if not shed:
        return None
    index = min(shed, key=lambda at: (config.outlets[at].priority, at))
    outlet = outlets[index]
    if now_ms - outlet.changed_ms < config.min_off_s * 1000:
        return None
    return index if room.fits_well(outlet.draw_ma, outlet.draw_mw) else None


def _may_shed(outlet: OutletState, config: OutletConfig) -> bool:
    return (
        outlet.closed
        and outlet.shed is None
        and not config.protected
        and not outlet.memory.locked
        and not outlet.guard.faulty
    )


def _timed(state: SheddingState, room: Headroom, now_ms: int) -> SheddingState:
    heavy = room.load.exceeds_half_more(room.budget)
    over_since_ms = now_ms if state.over_since_ms is None else state.over_since_ms
    heavy_since_ms = state.heavy_since_ms if heavy else None
    if heavy and heavy_since_ms is None:
        heavy_since_ms = now_ms
    if (over_since_ms, heavy_since_ms) == (state.over_since_ms, state.heavy_since_ms):
        return state
    return replace(state, over_since_ms=over_since_ms, heavy_since_ms=heavy_since_ms)


def _due(state: SheddingState, now_ms: int) -> bool:
    if state.shed_ms is not None:
        return now_ms - state.shed_ms >= STEP_MS
    heavy = state.heavy_since_ms is not None and now_ms - state.heavy_since_ms >= HEAVY_MS
    return heavy or (state.over_since_ms is not None and now_ms - state.over_since_ms >= OVER_MS)


def _had_no_effect(state: SheddingState, load: Load) -> bool:
    if state.before is None:
        return False
    before, draw = state.before
    return before.current_ma - load.current_ma < draw.current_ma // 2


def _rested(state: SheddingState, config: PduConfig, now_ms: int) -> bool:
    if state.changed_ms is None:
        return True
    wait_s = max(config.restore_delay_s, config.min_on_s) if state.restored else config.restore_delay_s
    return now_ms - state.changed_ms >= wait_s * 1000
