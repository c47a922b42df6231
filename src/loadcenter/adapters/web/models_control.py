"""The shapes of control in the API (docs/api.md): sites, circuits, groups, orders for later, dry runs."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from loadcenter.adapters.web.models import OutletNumber, TimeMs
from loadcenter.adapters.web.models_schedules import ScheduleIn
from loadcenter.domain.commands import CYCLE_OFF_MS_MAX
from loadcenter.domain.groups import MEMBERS_MOST, STAGGER_S_MOST
from loadcenter.domain.plans import DELAY_S_MOST, STEPS_MOST
from loadcenter.domain.site import MOST_PDUS
from loadcenter.domain.topology import MAX_OUTLETS

Id = Annotated[str, Field(max_length=64)]
OutletName = Annotated[str, Field(max_length=64, description="PDU/N, for example rack-1/3")]
OutletDo = Literal["on", "off", "cycle", "reset_trip", "lock", "unlock"]


class LimitShape(BaseModel):
    """What a circuit may carry; null is no limit."""

    current_a: float | None = Field(default=None, gt=0, le=10_000, allow_inf_nan=False)
    power_w: float | None = Field(default=None, gt=0, le=10_000_000, allow_inf_nan=False)


class StageShape(BaseModel):
    """After this long on BACKUP only priorities 1 to `keep_priority` are kept."""

    after_s: int = Field(ge=0, le=86_400)
    keep_priority: int = Field(ge=0, le=8)


class SitePduShape(BaseModel):
    """A PDU of a site, and its limit."""

    id: Id
    limit: LimitShape = LimitShape()


class SiteShape(BaseModel):
    """What a site may carry and how it sheds."""

    name: str = Field(min_length=1, max_length=64)
    pdus: list[SitePduShape] = Field(min_length=1, max_length=MOST_PDUS)
    limit: LimitShape = LimitShape()
    main: LimitShape = LimitShape()
    backup: LimitShape = LimitShape()
    stages: list[StageShape] = Field(default=[], max_length=8)
    dwell_s: int = Field(default=1, ge=0, le=60)
    restore_delay_s: int = Field(default=30, ge=1, le=3600)
    min_off_s: int = Field(default=10, ge=0, le=3600)
    stale_after_s: int = Field(default=15, ge=5, le=600)
    max_restores_per_hour: int = Field(default=6, ge=1, le=60)


class SiteIn(SiteShape):
    """A new site (`base_version` 0), or a changed one, based on a version."""

    base_version: int = Field(ge=0)


class CircuitOut(BaseModel):
    """One limit of the tree with what stands behind it; `stale` where part of that is not known but counted as the most."""

    level: Literal["source", "pdu", "supply", "site"]
    name: str
    title: str
    limit: LimitShape
    current_a: float
    power_w: float
    over: bool
    stale: bool


class ShedOut(BaseModel):
    """An outlet that a site has shed, what it drew, and what was compared."""

    pdu_id: str
    outlet: int
    since_ms: int
    draw_a: float
    draw_w: float
    text: str


class SiteOut(SiteShape):
    """A site with what it carries now."""

    id: str
    version: int
    circuits: list[CircuitOut]
    shed: list[ShedOut]


class SitesOut(BaseModel):
    """All sites."""

    items: list[SiteOut]


class CircuitsOut(BaseModel):
    """The circuits of a PDU from leaf to root, with the site that it belongs to."""

    site: str | None
    items: list[CircuitOut]


class CandidateOut(BaseModel):
    """An outlet that would make room."""

    pdu_id: str
    outlet: int
    name: str
    priority: int
    current_a: float
    power_w: float


class ShortageOut(BaseModel):
    """Why an outlet does not fit, and what would make room; the body of a 409 `no_headroom` has these beside the problem."""

    outlet: str
    draw_a: float
    draw_w: float
    over: str
    circuit: CircuitOut
    candidates: list[CandidateOut]
    enough: bool
    displace: list[str] = Field(description="what to send back as `displace` to confirm")


class GroupShape(BaseModel):
    """Outlets in the order in which they are switched on."""

    name: str = Field(min_length=1, max_length=64)
    members: list[OutletName] = Field(min_length=1, max_length=MEMBERS_MOST)


class GroupIn(GroupShape):
    """A new group (`base_version` 0), or a changed one, based on a version."""

    base_version: int = Field(ge=0)


class GroupOut(GroupShape):
    """A group."""

    id: str
    version: int


class GroupsOut(BaseModel):
    """All groups."""

    items: list[GroupOut]


class TimingIn(BaseModel):
    """When orders are given, and that critical outlets may be switched off."""

    delay_s: float = Field(default=0, ge=0, le=DELAY_S_MOST, allow_inf_nan=False)
    stagger_s: float = Field(default=0.25, ge=0, le=STAGGER_S_MOST, allow_inf_nan=False)
    confirm: bool = False


class GroupCommandIn(TimingIn):
    """An order to a group: on in its order, off the other way round."""

    do: OutletDo
    off_s: float | None = Field(default=None, ge=1, le=CYCLE_OFF_MS_MAX / 1000)


class PlannedOrderIn(BaseModel):
    """One order of a plan."""

    pdu_id: Id
    outlet: OutletNumber
    do: OutletDo
    off_s: float | None = Field(default=None, ge=1, le=CYCLE_OFF_MS_MAX / 1000)


class PlanIn(TimingIn):
    """Orders for later, in turn."""

    orders: list[PlannedOrderIn] = Field(min_length=1, max_length=STEPS_MOST)


class PlannedOrderOut(BaseModel):
    """One order of a plan, and how far it has got."""

    pdu_id: str
    outlet: int | None
    do: str
    on: bool | None
    off_s: float | None
    due_ms: int
    status: Literal["waiting", "given", "refused", "cancelled", "missed"]
    command_id: str | None
    detail: str


class PlanOut(BaseModel):
    """Orders for later."""

    id: str
    by: str
    created_ms: int
    open: bool
    orders: list[PlannedOrderOut]


class PlansOut(BaseModel):
    """Plans, newest first."""

    items: list[PlanOut]


class DryRunIn(BaseModel):
    """A change of settings, schedules to try beside, and the span to try it all on."""

    since_ms: TimeMs
    until_ms: TimeMs
    pdu: dict[str, object] = {}
    out: list[dict[str, object]] = Field(default=[], max_length=MAX_OUTLETS)
    schedules: list[ScheduleIn] = Field(default=[], max_length=20)


class SiteDryRunIn(SiteShape):
    """A site as it might be, and the span to try it on."""

    since_ms: TimeMs
    until_ms: TimeMs


class SiteDryOutletOut(BaseModel):
    """What one outlet would have gone through."""

    pdu_id: str
    outlet: int
    name: str
    sheds: int
    off_min: int
    lost_kwh: float


class SiteDryEventOut(BaseModel):
    """Something that would have been told; `data` holds what was compared."""

    t_ms: int
    what: str
    pdu_id: str | None
    outlet: int | None
    data: dict[str, object]


class SiteDryResultOut(BaseModel):
    """What the limits of a site would have done; only outlets that would have been shed."""

    outlets: list[SiteDryOutletOut]
    events: list[SiteDryEventOut]
    event_count: int
    over_min: int


class SiteDryRunOut(BaseModel):
    """What the site in force and the proposed one would have done over the same minutes."""

    since_ms: int
    until_ms: int
    covered: float
    current: SiteDryResultOut
    proposed: SiteDryResultOut


class DryOutletOut(BaseModel):
    """What one outlet would have gone through."""

    n: int
    name: str
    sheds: int
    trips: int
    warnings: int
    off_min: int
    lost_kwh: float
    possible_min: int
    scheduled_min: int
    scheduled_kwh: float


class DryEventOut(BaseModel):
    """Something that would have happened, with what was compared."""

    t_ms: int
    what: Literal["shed", "restored", "trip", "limit_shed", "warning", "reset", "over_budget"]
    outlet: int | None
    current_a: float
    limit_a: float
    power_w: float
    limit_w: float


class DryResultOut(BaseModel):
    """What settings would have done."""

    outlets: list[DryOutletOut]
    events: list[DryEventOut]
    event_count: int
    over_min: int
    possible_min: int


class DryRunOut(BaseModel):
    """What the settings in force and the proposed ones would have done over the same minutes."""

    since_ms: int
    until_ms: int
    covered: float
    current: DryResultOut
    proposed: DryResultOut
