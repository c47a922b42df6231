"""The shapes of the API (docs/api.md). SI units, the unit in the name; null is unknown, never 0."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from loadcenter.domain.events import Severity
from loadcenter.domain.topology import MAX_OUTLETS, Grade, Source
from loadcenter.services.labels import NAME_MAX
from loadcenter.services.updates import Progress, Stage

OutletNumber = Annotated[int, Field(ge=1, le=MAX_OUTLETS)]
TimeMs = Annotated[int, Field(ge=0, le=253_402_300_799_999, description="UTC in ms, to the end of year 9999")]
RowId = Annotated[int, Field(ge=0, le=2**53 - 1)]


class SessionIn(BaseModel):
    """A log-in."""

    username: str = Field(max_length=64)
    password: str = Field(max_length=256)


class SessionOut(BaseModel):
    """Who is logged in, and what this server is."""

    user: str
    expires_ms: int
    demo: bool
    version: str


class SourceOut(BaseModel):
    """One source of a PDU."""

    source: Source
    grade: Grade | None
    voltage_v: float | None
    frequency_hz: float | None


class PendingOut(BaseModel):
    """A command under way."""

    id: str
    do: str
    on: bool | None


class OutletOut(BaseModel):
    """One outlet as its PDU reports it."""

    n: int
    name: str
    on: bool | None
    cause: str | None
    why: str
    trip: str | None
    locked: bool | None
    critical: bool
    priority: int | None
    protected: bool | None
    voltage_v: float | None
    current_a: float | None
    power_w: float | None
    power_factor: float | None
    energy_kwh: float | None
    today_kwh: float | None
    limit_a: float | None
    pending: PendingOut | None


class PduOut(BaseModel):
    """One PDU as it reports itself."""

    id: str
    name: str
    online: bool
    boot: int | None
    firmware: str | None
    model: str | None
    as_of_ms: int | None
    age_ms: int | None
    quality: Literal["good", "stale", "unknown"]
    nominal_v: float | None
    nominal_hz: float | None
    active: Source | None
    preferred: Source | None
    live: bool | None
    isolator: Literal["open", "closed"] | None
    sources: list[SourceOut]
    power_w: float | None
    current_a: float | None
    rating_a: float | None
    outlets: list[OutletOut]
    settings_version: int | None
    desired_version: int
    lockout: bool
    alarms: int


class PdusOut(BaseModel):
    """All PDUs."""

    items: list[PduOut]
    server_ms: int


class OutletCommandIn(BaseModel):
    """An order to one outlet."""

    do: Literal["on", "off", "cycle", "reset_trip", "lock", "unlock"]
    off_s: float | None = Field(
        default=None, ge=1, le=3600, description="pause of a cycle, in s; 5 if not given"
    )
    displace: list[str] = Field(
        default=[], max_length=MAX_OUTLETS, description="with on: PDU/N of what is switched off to make room"
    )
    confirm: bool = Field(default=False, description="a critical outlet may be switched off")


class PduCommandIn(BaseModel):
    """An order to a whole PDU."""

    do: Literal["transfer", "clear_lockout"]
    source: Source | None = None


class CommandOut(BaseModel):
    """A command and how far it has got."""

    id: str
    pdu_id: str
    do: str
    outlet: int | None
    on: bool | None
    source: Source | None
    off_s: float | None
    by: str
    status: str
    code: str
    message: str
    created_ms: int
    settled_ms: int | None
    expires_at_ms: int | None


class CommandsOut(BaseModel):
    """Latest commands, newest first."""

    items: list[CommandOut]


class EventOut(BaseModel):
    """One thing that has happened."""

    id: int
    pdu_id: str
    ts_ms: int
    code: str
    title: str
    severity: Severity
    outlet: int | None
    source: Source | None
    cause: str | None
    text: str
    remedy: str
    because: int | None
    boot: int
    seq: int
    data: dict[str, object]


class EventsOut(BaseModel):
    """A page of events, newest first; `next` is the cursor of the following page."""

    items: list[EventOut]
    next: str | None


class AlarmOut(BaseModel):
    """A condition with a life."""

    id: int
    pdu_id: str
    kind: str
    title: str
    text: str
    severity: Severity
    outlet: int | None
    source: Source | None
    first_ms: int
    last_ms: int
    count: int
    cleared_ms: int | None
    acknowledged_ms: int | None
    acknowledged_by: str
    note: str


class AlarmsOut(BaseModel):
    """Alarms, newest first."""

    items: list[AlarmOut]


class AcknowledgeIn(BaseModel):
    """A person has seen an alarm."""

    note: str = Field(default="", max_length=500)


class Band(BaseModel):
    """Columns of one quantity; each as long as `t_ms` of its series."""

    min: list[float | None]
    avg: list[float | None]
    max: list[float | None]


class SeriesOut(BaseModel):
    """One channel over a range; outlets have power, current, voltage and energy, sources voltage and frequency."""

    channel: str
    name: str
    t_ms: list[int]
    power_w: Band | None = None
    current_a: Band | None = None
    voltage_v: Band | None = None
    frequency_hz: Band | None = None
    energy_kwh: list[float] | None = None
    in_gap_kwh: list[float] | None = None
    total_kwh: float | None = None


class HistoryOut(BaseModel):
    """The series of a range, and what happened in it."""

    tier: Literal["raw", "1m", "15m", "1h", "1d"]
    bucket_ms: int
    since_ms: int
    until_ms: int
    series: list[SeriesOut]
    events: list[EventOut]


class EnergySeriesOut(BaseModel):
    """Energy of one outlet; each column has one value for each period."""

    outlet: int
    name: str
    energy_kwh: list[float]
    in_gap_kwh: list[float]
    covered_s: list[float]
    total_kwh: float


class EnergyOut(BaseModel):
    """Energy by whole local days, weeks or months; period `n` lasts from `bounds_ms[n]` until `bounds_ms[n + 1]`."""

    period: Literal["day", "week", "month"]
    bounds_ms: list[int]
    series: list[EnergySeriesOut]


class OutletNameIn(BaseModel):
    """A new label of an outlet."""

    n: OutletNumber
    name: str | None = Field(default=None, max_length=NAME_MAX)
    critical: bool | None = None


class NamesIn(BaseModel):
    """New labels of a PDU and its outlets; what is absent stays."""

    name: str | None = Field(default=None, min_length=1, max_length=NAME_MAX)
    outlets: list[OutletNameIn] = Field(default=[], max_length=MAX_OUTLETS)


class DesiredOut(BaseModel):
    """Settings that a PDU shall run."""

    version: int
    pdu: dict[str, object]
    out: list[dict[str, object]]


class SettingsOut(BaseModel):
    """Desired settings beside the version that the PDU reports to run."""

    desired: DesiredOut
    reported_version: int | None


class SettingsIn(BaseModel):
    """New settings, based on a version: refused when somebody else was faster."""

    base_version: int = Field(ge=0)
    pdu: dict[str, object] = {}
    out: list[dict[str, object]] = Field(default=[], max_length=MAX_OUTLETS)


class ServerState(BaseModel):
    """Whether broker and database can be used."""

    broker: Literal["ok", "away"]
    database: Literal["ok", "away"]


class DisturbanceOut(BaseModel):
    """Something that the demo can break."""

    id: str
    label: str
    hint: str
    needs_outlet: bool
    lasts: bool


class DisturbancesOut(BaseModel):
    """What can be broken, and what is broken now: PDU -> disturbance -> outlet."""

    items: list[DisturbanceOut]
    active: dict[str, dict[str, int | None]]


class DisturbanceIn(BaseModel):
    """Where to break it."""

    outlet: OutletNumber | None = None


class ReadyOut(BaseModel):
    """Whether the server can do its job, and what keeps it from it."""

    ready: bool
    checks: dict[str, str]


class DeviceIn(BaseModel):
    """A PDU to register."""

    id: str = Field(max_length=64)
    name: str = Field(default="", max_length=NAME_MAX)
    replace: bool = Field(default=False, description="give a registered PDU a new password")


class DeviceOut(BaseModel):
    """A registered PDU."""

    id: str
    name: str
    created_ms: int


class NewDeviceOut(BaseModel):
    """A PDU just registered; the password is shown this once and kept only as a hash."""

    id: str
    password: str
    mosquitto: str = Field(description="line for a password file of Mosquitto")
    update_key: str = Field(description="key of signed updates, for its gateway alone")


class UpdateIn(BaseModel):
    """An image that is kept in the data folder, for the gateway of one PDU."""

    version: str = Field(pattern=r"^[0-9A-Za-z.+-]{1,32}$")
    image: str = Field(pattern=r"^[0-9a-f]{64}$", description="its SHA-256, which is its name there")


class UpdateOut(BaseModel):
    """How far an update is."""

    pdu: str
    version: str
    size: int
    taken: int = Field(description="bytes that the gateway has")
    stage: Stage
    code: str = Field(description="why it was refused, empty if it was not")
    changed_ms: int

    @staticmethod
    def of(progress: Progress) -> "UpdateOut":
        """Return it as it is answered."""
        return UpdateOut(
            pdu=progress.pdu_id,
            version=progress.version,
            size=progress.size,
            taken=progress.taken,
            stage=progress.stage,
            code=progress.code,
            changed_ms=progress.changed_ms,
        )


class DevicesOut(BaseModel):
    """Registered PDUs by name."""

    items: list[DeviceOut]
