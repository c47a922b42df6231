"""From what control knows to the shapes of the API, and back."""

from collections.abc import Mapping, Sequence

from loadcenter.adapters.web.models_control import (
    CandidateOut,
    CircuitOut,
    DryEventOut,
    DryOutletOut,
    DryResultOut,
    DryRunOut,
    GroupOut,
    LimitShape,
    PlannedOrderOut,
    PlanOut,
    ShedOut,
    ShortageOut,
    SiteDryEventOut,
    SiteDryOutletOut,
    SiteDryResultOut,
    SiteDryRunOut,
    SiteOut,
    SitePduShape,
    SiteShape,
    StageShape,
)
from loadcenter.domain.budget import Load
from loadcenter.domain.commands import CYCLE_OFF_MS_DEFAULT, Do, Order
from loadcenter.domain.dry_run import DryEvent, DryResult
from loadcenter.domain.origin import site_origin
from loadcenter.domain.plans import Plan, PlannedStep
from loadcenter.domain.quantities import from_milli, kwh_from_mwh, to_milli
from loadcenter.domain.reason import shed_sentence
from loadcenter.domain.site import Circuit, Limit, SiteConfig, Stage, circuits_of
from loadcenter.domain.site_dry_run import SiteDryResult
from loadcenter.domain.site_shedding import Mark
from loadcenter.domain.topology import OutletId
from loadcenter.services.control import Control
from loadcenter.services.dry_run import DryAnswer, SiteDryAnswer
from loadcenter.services.groups import KeptGroup
from loadcenter.services.headroom import Shortage
from loadcenter.services.labels import Labels
from loadcenter.services.sites import Site


def outlet_order(do: str, n: int, off_s: float | None, user: str) -> Order:
    """Return the order that a word of the API stands for."""
    match do:
        case "on" | "off":
            return Order(Do.SWITCH, n, on=do == "on", by=user)
        case "cycle":
            return Order(
                Do.CYCLE, n, off_ms=CYCLE_OFF_MS_DEFAULT if off_s is None else to_milli(off_s), by=user
            )
        case "reset_trip":
            return Order(Do.RESET_TRIP, n, by=user)
        case _:
            return Order(Do.LOCK, n, on=do == "lock", by=user)


def site_config(site_id: str, body: SiteShape) -> SiteConfig:
    """Return the site that a request describes."""
    return SiteConfig(
        site_id,
        body.name,
        {one.id: _limit_of(one.limit) for one in body.pdus},
        _limit_of(body.limit),
        _limit_of(body.main),
        _limit_of(body.backup),
        tuple(Stage(one.after_s, one.keep_priority) for one in body.stages),
        body.dwell_s,
        body.restore_delay_s,
        body.min_off_s,
        body.stale_after_s,
        body.max_restores_per_hour,
    )


def site_out(control: Control, site: Site) -> SiteOut:
    """Return a site with what it carries now."""
    config = site.config
    pdus = [control.views.pdu(pdu_id, config.stale_after_s * 1000) for pdu_id in config.pdus]
    stale = frozenset(pdu.pdu_id for pdu in pdus if pdu.stale)
    return SiteOut(
        id=config.site_id,
        version=site.version,
        name=config.name,
        pdus=[SitePduShape(id=pdu_id, limit=_limit(limit)) for pdu_id, limit in config.pdus.items()],
        limit=_limit(config.limit),
        main=_limit(config.main),
        backup=_limit(config.backup),
        stages=[StageShape(after_s=one.after_s, keep_priority=one.keep_priority) for one in config.stages],
        dwell_s=config.dwell_s,
        restore_delay_s=config.restore_delay_s,
        min_off_s=config.min_off_s,
        stale_after_s=config.stale_after_s,
        max_restores_per_hour=config.max_restores_per_hour,
        circuits=[circuit_out(one, stale) for one in circuits_of(config, pdus)],
        shed=[_shed(config, outlet, mark) for outlet, mark in sorted(site.state.marks.items())],
    )


def circuit_out(circuit: Circuit, stale: frozenset[str] = frozenset()) -> CircuitOut:
    """Return a circuit; `stale` names the PDUs that count with the most that they may carry."""
    return CircuitOut(
        level=circuit.level.value,
        name=circuit.name,
        title=circuit.title,
        limit=_limit(circuit.limit),
        current_a=_amps(circuit.load),
        power_w=_watts(circuit.load),
        over=circuit.over,
        stale=bool(circuit.pdus & stale),
    )


def shortage_out(shortage: Shortage, names: dict[str, Labels]) -> ShortageOut:
    """Return why an outlet does not fit; `names` are the labels of the PDUs of the candidates."""
    return ShortageOut(
        outlet=str(shortage.outlet),
        draw_a=_amps(shortage.draw),
        draw_w=_watts(shortage.draw),
        over=shortage.over,
        circuit=circuit_out(shortage.circuit),
        candidates=[
            CandidateOut(
                pdu_id=one.outlet.pdu_id,
                outlet=one.outlet.outlet,
                name=names[one.outlet.pdu_id].outlet(one.outlet.outlet).name,
                priority=one.priority,
                current_a=_amps(one.load),
                power_w=_watts(one.load),
            )
            for one in shortage.candidates
        ],
        enough=shortage.enough,
        displace=[str(one.outlet) for one in shortage.candidates] if shortage.enough else [],
    )


def group_out(kept: KeptGroup) -> GroupOut:
    """Return a group."""
    group = kept.group
    return GroupOut(
        id=group.group_id,
        version=kept.version,
        name=group.name,
        members=[str(outlet) for outlet in group.members],
    )


def plan_out(plan: Plan) -> PlanOut:
    """Return orders for later."""
    return PlanOut(
        id=plan.plan_id,
        by=plan.by,
        created_ms=plan.created_ms,
        open=plan.open,
        orders=[_planned(step) for step in plan.steps],
    )


def dry_run_out(answer: DryAnswer, labels: Labels) -> DryRunOut:
    """Return both results of a dry run."""
    return DryRunOut(
        since_ms=answer.since_ms,
        until_ms=answer.until_ms,
        covered=round(answer.covered, 4),
        current=_result(answer.current, labels),
        proposed=_result(answer.proposed, labels),
    )


def site_dry_run_out(answer: SiteDryAnswer, labels: Mapping[str, Labels]) -> SiteDryRunOut:
    """Return both results of a dry run of a site; `labels` are those of its PDUs."""
    return SiteDryRunOut(
        since_ms=answer.since_ms,
        until_ms=answer.until_ms,
        covered=round(answer.covered, 4),
        current=_site_result(answer.current, labels),
        proposed=_site_result(answer.proposed, labels),
    )


def _site_result(result: SiteDryResult, labels: Mapping[str, Labels]) -> SiteDryResultOut:
    return SiteDryResultOut(
        outlets=[
            SiteDryOutletOut(
                pdu_id=key.pdu_id,
                outlet=key.outlet,
                name=labels[key.pdu_id].outlet(key.outlet).name,
                sheds=one.sheds,
                off_min=one.off_minutes,
                lost_kwh=kwh_from_mwh(one.lost_mwh) or 0,
            )
            for key, one in sorted(result.outlets.items())
        ],
        events=[
            SiteDryEventOut(
                t_ms=one.ts_ms,
                what=one.code.value,
                pdu_id=None if one.outlet is None else one.outlet.pdu_id,
                outlet=None if one.outlet is None else one.outlet.outlet,
                data=dict(one.numbers),
            )
            for one in result.events
        ],
        event_count=result.event_count,
        over_min=result.over_minutes,
    )


def _shed(config: SiteConfig, outlet: OutletId, mark: Mark) -> ShedOut:
    return ShedOut(
        pdu_id=outlet.pdu_id,
        outlet=outlet.outlet,
        since_ms=mark.since_ms,
        draw_a=_amps(mark.draw),
        draw_w=_watts(mark.draw),
        text=shed_sentence(site_origin(config.site_id), mark.numbers),
    )


def _planned(step: PlannedStep) -> PlannedOrderOut:
    order = step.order
    return PlannedOrderOut(
        pdu_id=step.pdu_id,
        outlet=order.outlet,
        do=order.do.value,
        on=order.on,
        off_s=from_milli(order.off_ms),
        due_ms=step.due_ms,
        status=step.status.value,
        command_id=step.command_id or None,
        detail=step.detail,
    )


def _result(result: DryResult, labels: Labels) -> DryResultOut:
    return DryResultOut(
        outlets=[
            DryOutletOut(
                n=one.outlet,
                name=labels.outlet(one.outlet).name,
                sheds=one.sheds,
                trips=one.trips,
                warnings=one.warnings,
                off_min=one.off_minutes,
                lost_kwh=kwh_from_mwh(one.lost_mwh) or 0,
                possible_min=one.possible_minutes,
                scheduled_min=one.scheduled_minutes,
                scheduled_kwh=kwh_from_mwh(one.scheduled_mwh) or 0,
            )
            for one in result.outlets
        ],
        events=_events(result.events),
        event_count=result.event_count,
        over_min=result.over_minutes,
        possible_min=result.possible_minutes,
    )


def _events(events: Sequence[DryEvent]) -> list[DryEventOut]:
    return [
        DryEventOut(
            t_ms=one.ts_ms,
            what=one.what.value,
            outlet=one.outlet,
            current_a=_amps(one.load),
            limit_a=_amps(one.limit),
            power_w=_watts(one.load),
            limit_w=_watts(one.limit),
        )
        for one in events
    ]


def _limit_of(shape: LimitShape) -> Limit:
    return Limit(
        None if shape.current_a is None else to_milli(shape.current_a),
        None if shape.power_w is None else to_milli(shape.power_w),
    )


def _limit(limit: Limit) -> LimitShape:
    return LimitShape(current_a=from_milli(limit.current_ma), power_w=from_milli(limit.power_mw))


def _amps(load: Load) -> float:
    return load.current_ma / 1000


def _watts(load: Load) -> float:
    return load.power_mw / 1000
