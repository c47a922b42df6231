"""A PDU at rest: nothing goes on with time but the heat of its relays and the draw of its outlets."""

from collections.abc import Sequence
from dataclasses import replace

from loadcenter.domain import protection, shedding
from loadcenter.domain.outlet import OutletState, Shed, arbitrate
from loadcenter.domain.pdu import Draft, PduInputs, PduState
from loadcenter.domain.protection import CARRIES_MA, QUIET_SHARE
from loadcenter.domain.quantities import BUS_RATING_MA
from loadcenter.domain.settings import PduConfig
from loadcenter.domain.thermal import warmed

SECOND_MS = 1000
SECONDS_MOST = 10
"""Heat is brought up to date each second; after a longer pause no more than this is reckoned."""


def nothing_new(state: PduState, inputs: PduInputs, config: PduConfig) -> bool:
    """Return whether no current calls for protection, nothing was done at once, and the bus is live."""
    if inputs.acted.tripped or inputs.acted.masked or not inputs.live:
        return False
    for index, outlet in enumerate(state.outlets):
        if not _calm(outlet, index, inputs, config):
            return False
    load = shedding.total(state.outlets, inputs.currents_ma, inputs.powers_mw)
    budget = shedding.budget_of(config, state.transfer.position)
    return not load.exceeds(budget) and load.current_ma <= BUS_RATING_MA


def _calm(outlet: OutletState, index: int, inputs: PduInputs, whole: PduConfig) -> bool:
    current_ma, guard, config = inputs.currents_ma[index], outlet.guard, whole.outlets[index]
    if (index + 1 in inputs.faulty) is not guard.faulty or guard.heat.trips:
        return False
    if not outlet.closed:
        return current_ma <= CARRIES_MA
    power_mw = inputs.power_mw(index)
    return (
        current_ma <= min(config.limit_ma, config.curve_ma)
        and power_mw <= config.limit_mw
        and (current_ma < whole.outlet_rating_ma // QUIET_SHARE) is (guard.quiet_since_ms is not None)
        and (guard.drew_now or current_ma <= CARRIES_MA)
    )


def rested(state: PduState, inputs: PduInputs, config: PduConfig, now_ms: int) -> PduState:
    """Return the state with the heat of its relays brought up to date; the same object within a second."""
    if now_ms - state.second_ms < SECOND_MS:
        return state
    outlets, second_ms = _seconds_on(state.outlets, inputs, config, state.second_ms, now_ms)
    standing = replace(state.standing, shed=shedding.plan(outlets, config, state.transfer.position.other))
    return replace(state, outlets=tuple(outlets), second_ms=second_ms, standing=standing)


def _seconds_on(
    outlets: Sequence[OutletState], inputs: PduInputs, config: PduConfig, second_ms: int, now_ms: int
) -> tuple[list[OutletState], int]:
    """Return the outlets with heat and draws of the seconds that have passed, and up to when that is."""
    passed = (now_ms - second_ms) // SECOND_MS
    seconds = min(SECONDS_MOST, passed)
    found = [
        _second_on(outlet, index, inputs, config.outlet_rating_ma, seconds)
        for index, outlet in enumerate(outlets)
    ]
    return found, second_ms + passed * SECOND_MS


def _second_on(
    outlet: OutletState, index: int, inputs: PduInputs, rating_ma: int, seconds: int
) -> OutletState:
    if outlet.guard.faulty:
        return outlet
    current_ma = inputs.currents_ma[index]
    heat = warmed(outlet.guard.heat, current_ma, seconds, rating_ma)
    draw_ma, draw_mw = outlet.draw_ma, outlet.draw_mw
    if outlet.closed and current_ma > CARRIES_MA:
        draw_ma, draw_mw = current_ma, inputs.power_mw(index)
    if heat is outlet.guard.heat and draw_ma == outlet.draw_ma and draw_mw == outlet.draw_mw:
        return outlet
    memory = outlet.memory
    if heat.stage_pct != memory.heat_pct:
        memory = replace(memory, heat_pct=heat.stage_pct)
    guard = replace(outlet.guard, heat=heat)
    return replace(outlet, guard=guard, memory=memory, draw_ma=draw_ma, draw_mw=draw_mw)


def keep_time(draft: Draft) -> None:
    """Bring heat and draws up to the second."""
    if draft.now_ms - draft.second_ms >= SECOND_MS:
        draft.outlets, draft.second_ms = _seconds_on(
            draft.outlets, draft.inputs, draft.config, draft.second_ms, draft.now_ms
        )


def at_rest(draft: Draft) -> bool:
    """Return whether nothing goes on with time alone, but the heat of the relays."""
    if draft.awaiting or draft.bus.dead_since_ms is not None or not draft.shedding.at_rest:
        return False
    if draft.bus_curve or draft.transfer.connected_ms is None:
        return False
    if draft.now_ms - draft.transfer.connected_ms < protection.MASK_MS:
        return False
    return all(_outlet_at_rest(outlet, draft.now_ms) for outlet in draft.outlets)


def _outlet_at_rest(outlet: OutletState, now_ms: int) -> bool:
    quiet_ms = outlet.guard.quiet_since_ms
    return (
        outlet.guard.at_rest
        and outlet.resume_ms is None
        and outlet.shed is not Shed.BUDGET
        and outlet.closed is arbitrate(outlet).closed
        and (quiet_ms is None or now_ms - quiet_ms >= protection.QUIET_MS)
    )
