"""The device twin: what a PDU has reported of itself, and how old that is. Desired settings stand beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from loadcenter.domain.events import Cause
from loadcenter.domain.readings import OutletReading, Quality, SourceReading, Telemetry
from loadcenter.domain.topology import Grade, Source

STALE_AFTER_MS = 5_000
"""Readings older than this are shown as stale: five missed samples at 1 Hz."""

SILENT_AFTER_MS = 15_000
"""No telemetry for this long is an alarm (behaviour.md, section 7)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a PDU says of itself at birth."""

    boot: int
    model: str
    firmware: str
    outlets: int
    nominal_voltage_mv: int
    nominal_frequency_mhz: int
    outlet_rating_ma: int
    total_rating_ma: int
    period_ms: int


@dataclass(frozen=True, slots=True)
class ReportedOutlet:
    """An outlet as its PDU last reported it."""

    outlet: int
    on: bool
    cause: Cause
    by: str
    trip: str | None
    locked: bool
    limit_ma: int | None


@dataclass(frozen=True, slots=True)
class ReportedState:
    """The last `state` of a PDU; `up_ms` and `received_ms` tell its age."""

    boot: int
    up_ms: int
    received_ms: int
    active: Source
    preferred: Source
    live: bool
    isolator_closed: bool
    grades: Mapping[Source, Grade]
    outlets: tuple[ReportedOutlet, ...]
    settings_version: int
    last_n: int
    lockout: bool


DRIFT_PER = 1_000
"""A device's clock may run slow by one part in this: 20 times the worst crystal. Without that allowance a good PDU
would look ever older, by some seconds a day."""


@dataclass(frozen=True, slots=True)
class UptimeAnchor:
    """When a boot began (`origin_ms`, UTC), as the fastest messages tell; `heard_ms` is the time of the last one."""

    boot: int
    origin_ms: int
    heard_ms: int

    def sharpen(self, boot: int, up_ms: int, received_ms: int) -> "UptimeAnchor":
        """Return the anchor after a live message: the smallest delay is the best estimate, but for the drift since."""
        origin_ms = received_ms - up_ms
        if boot != self.boot:
            return UptimeAnchor(boot, origin_ms, received_ms)
        drift_ms = -(-max(0, received_ms - self.heard_ms) // DRIFT_PER)
        return UptimeAnchor(boot, min(origin_ms, self.origin_ms + drift_ms), received_ms)

    def shifted(self, step_ms: int) -> "UptimeAnchor":
        """Return the anchor after our own clock was set by `step_ms`."""
        return UptimeAnchor(self.boot, self.origin_ms + step_ms, self.heard_ms + step_ms)


@dataclass(frozen=True, slots=True)
class Twin:
    """Everything known of one PDU from what it sent. Nothing here was assumed: None is unknown.

    Attributes:
        off_before: outlets that were off in the readings before `readings`: what flows through one that is off now too
            has nothing to do with its switching.
    """

    pdu_id: str
    online: bool = False
    online_since_ms: int | None = None
    identity: Identity | None = None
    state: ReportedState | None = None
    readings: Telemetry | None = None
    readings_up_ms: int = 0
    off_before: frozenset[int] = frozenset()
    anchor: UptimeAnchor | None = None
    refusal: str = ""
    desired_version: int = 0
    desired: Mapping[str, object] = field(default_factory=dict)

    def quality(self, now_ms: int) -> Quality | None:
        """Return whether the readings can be trusted now; None before the first."""
        as_of_ms = self.as_of_ms
        if as_of_ms is None:
            return None
        if not self.online or now_ms - as_of_ms > STALE_AFTER_MS:
            return Quality.STALE
        return Quality.GOOD

    @property
    def as_of_ms(self) -> int | None:
        """UTC of the newest readings, reckoned from the device's uptime so that its clock does not matter."""
        if self.readings is None or self.anchor is None:
            return None
        return self.anchor.origin_ms + self.readings_up_ms

    def silent(self, now_ms: int) -> bool:
        """Return whether a known PDU has sent no telemetry for `SILENT_AFTER_MS`, or said goodbye."""
        if self.identity is None:
            return False
        if not self.online:
            return True
        since_ms = self.online_since_ms if self.as_of_ms is None else self.as_of_ms
        return since_ms is not None and now_ms - since_ms > SILENT_AFTER_MS

    def uptime_ms(self, now_ms: int) -> int | None:
        """Return the device's uptime now, reckoned from the last message; None before the first."""
        return None if self.anchor is None else now_ms - self.anchor.origin_ms

    def outlet_state(self, outlet: int) -> ReportedOutlet | None:
        """Return what was reported of an outlet, None if nothing was."""
        outlets = self.state.outlets if self.state else ()
        return next((one for one in outlets if one.outlet == outlet), None)

    def outlet_reading(self, outlet: int) -> OutletReading | None:
        """Return the last reading of an outlet, None before the first."""
        outlets = self.readings.outlets if self.readings else ()
        return next((one for one in outlets if one.outlet == outlet), None)

    def source_reading(self, source: Source) -> SourceReading | None:
        """Return the last reading of a source, None before the first."""
        sources = self.readings.sources if self.readings else ()
        return next((one for one in sources if one.source is source), None)

    def heard(self, boot: int, up_ms: int, received_ms: int) -> "Twin":
        """Return the twin after a live message that carried the device's uptime."""
        return replace(self, anchor=self._sharpened(boot, up_ms, received_ms))

    def with_readings(self, readings: Telemetry, boot: int, up_ms: int, received_ms: int) -> "Twin":
        """Return the twin after live telemetry; a record older than the one shown changes nothing."""
        if self.identity is not None and boot < self.identity.boot:
            return self  # a straggler of the boot before
        if self.readings is not None and up_ms < self.readings_up_ms and self._same_boot(boot):
            return self
        if self.readings is not None and up_ms == self.readings_up_ms and self._same_boot(boot):
            off = self.off_before  # the same record, by the other connection
        else:
            off = (
                frozenset(one.outlet for one in self.readings.outlets if not one.on)
                if self.readings
                else frozenset()
            )
        anchor = self._sharpened(boot, up_ms, received_ms)
        return replace(self, anchor=anchor, readings=readings, readings_up_ms=up_ms, off_before=off)

    def with_state(self, state: ReportedState) -> "Twin":
        """Return the twin after a `state`; one older than the one shown (same boot) changes nothing."""
        shown = self.state
        if shown is not None and shown.boot == state.boot and state.up_ms < shown.up_ms:
            return self
        return replace(self, state=state)

    def _sharpened(self, boot: int, up_ms: int, received_ms: int) -> UptimeAnchor:
        start = self.anchor or UptimeAnchor(boot, received_ms - up_ms, received_ms)
        return start.sharpen(boot, up_ms, received_ms)

    def _same_boot(self, boot: int) -> bool:
        return self.anchor is not None and self.anchor.boot == boot
