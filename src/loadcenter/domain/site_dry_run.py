"""What other limits of a site would have done: its own rules over recorded minutes of its PDUs.

As in `dry_run` the mean of each minute stands for its seconds, and an outlet that is off is taken to have wanted what it drew.
PDUs obey within a second and are always heard; what they would have shed by themselves is left out. Minutes in which no
circuit is over and nothing is off decide nothing and are passed by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loadcenter.domain.budget import Load
from loadcenter.domain.dry_run import EVENTS_MOST, MINUTE_MS, Recorded
from loadcenter.domain.events import Detail, EventCode
from loadcenter.domain.origin import site_origin
from loadcenter.domain.protection import CARRIES_MA
from loadcenter.domain.settings import PduConfig
from loadcenter.domain.site import SeenOutlet, SeenPdu, SiteConfig, circuits_of
from loadcenter.domain.site_shedding import SiteState, Step, step
from loadcenter.domain.topology import OutletId, Source

_MWH_PER_MW_MINUTE = 60
_SECOND_MS = 1_000


@dataclass(frozen=True, slots=True)
class SiteDryEvent:
    """Something that would have been told, with the numbers compared; the outlet is None for a circuit."""

    ts_ms: int
    code: EventCode
    outlet: OutletId | None
    numbers: Mapping[str, Detail]


@dataclass(slots=True)
class SiteDryOutlet:
    """What one outlet would have gone through: how often shed, minutes off although it drew current, and what it drew then."""

    sheds: int = 0
    off_minutes: int = 0
    lost_mwh: int = 0


@dataclass(frozen=True, slots=True)
class SiteDryResult:
    """What the limits of a site would have done.

    Attributes:
        outlets: those that would have been shed at all.
        events: the first `EVENTS_MOST`, in order; `event_count` of them all.
        over_minutes: minutes at whose end a circuit is over its limit.
    """

    outlets: Mapping[OutletId, SiteDryOutlet]
    events: tuple[SiteDryEvent, ...]
    event_count: int
    over_minutes: int


def site_dry_run(
    recorded: Mapping[str, Recorded], configs: Mapping[str, PduConfig], config: SiteConfig
) -> SiteDryResult:
    """Return what `config` would have done over records of the same minutes, with the priorities of `configs`."""
    run = _Run(recorded, configs, config)
    for minute in range(min((one.minutes for one in recorded.values()), default=0)):
        run.minute(minute)
    return SiteDryResult(run.outlets, tuple(run.events), run.event_count, run.over_minutes)


@dataclass(slots=True)
class _Run:
    """One run over the records."""

    recorded: Mapping[str, Recorded]
    configs: Mapping[str, PduConfig]
    config: SiteConfig
    state: SiteState = field(default_factory=SiteState)
    off: set[OutletId] = field(default_factory=set)
    outlets: dict[OutletId, SiteDryOutlet] = field(default_factory=dict)
    events: list[SiteDryEvent] = field(default_factory=list)
    event_count: int = 0
    over_minutes: int = 0
    totals: dict[str, list[Load]] = field(init=False)
    sources: dict[str, list[Source]] = field(init=False)

    def __post_init__(self) -> None:
        self.totals = {pdu_id: _totals(one) for pdu_id, one in self.recorded.items()}
        self.sources = {pdu_id: _sources(one) for pdu_id, one in self.recorded.items()}

    def minute(self, minute: int) -> None:
        """Let the rules decide in one minute, by the second, as long as something may change."""
        if not self._may_decide(minute):
            return
        now_ms = min(one.since_ms for one in self.recorded.values()) + minute * MINUTE_MS
        end_ms = now_ms + MINUTE_MS
        seen = self._seen(minute)
        while now_ms < end_ms:
            decided = step(self.state, seen, self.config, now_ms)
            rests = decided.state is self.state
            self.state = decided.state
            if self._carry_out(decided, now_ms):
                seen = self._seen(minute)
            elif rests and not self._waits(seen, now_ms):
                break
            now_ms += _SECOND_MS
        self.over_minutes += any(circuit.over for circuit in circuits_of(self.config, seen))
        self._account(minute)

    def _may_decide(self, minute: int) -> bool:
        if self.off or self.state.marks or self.state.overloads or self.config.stages:
            return True
        bare = [
            SeenPdu(pdu_id, self.sources[pdu_id][minute], True, totals[minute], ())
            for pdu_id, totals in self.totals.items()
        ]
        return any(circuit.over for circuit in circuits_of(self.config, bare))

    def _waits(self, seen: Sequence[SeenPdu], now_ms: int) -> bool:
        """Return whether time alone will lead to a decision while the loads stay as they are."""
        dwell_ms = self.config.dwell_s * 1000
        if any(now_ms - one.since_ms <= dwell_ms for one in self.state.overloads.values()):
            return True
        known = {one.outlet: one for pdu in seen for one in pdu.outlets}
        first = min(
            (known[key] for key in self.state.marks if key in known),
            key=lambda one: (one.priority, one.outlet),
            default=None,
        )
        if first is None or self.state.overloads:
            return False
        mark = self.state.marks[first.outlet]
        return not mark.seen_off or all(
            circuit.limit.fits_well(circuit.load, mark.draw)
            for circuit in circuits_of(self.config, seen)
            if circuit.feeds(first.outlet)
        )

    def _carry_out(self, decided: Step, now_ms: int) -> bool:
        for told in decided.told:
            self.event_count += 1
            if len(self.events) < EVENTS_MOST:
                outlet = None if told.outlet is None else OutletId(told.pdu_id, told.outlet)
                self.events.append(SiteDryEvent(now_ms, told.code, outlet, told.numbers))
        for key in decided.shed:
            self.off.add(key)
            self.outlets.setdefault(key, SiteDryOutlet()).sheds += 1
        if decided.restore is not None:
            self.off.discard(decided.restore)
        return bool(decided.shed) or decided.restore is not None

    def _seen(self, minute: int) -> list[SeenPdu]:
        return [
            SeenPdu(
                pdu_id,
                self.sources[pdu_id][minute],
                stale=False,
                most=Load(0, 0),
                outlets=tuple(self._outlet(pdu_id, number, minute) for number in _numbers(one)),
            )
            for pdu_id, one in self.recorded.items()
        ]

    def _outlet(self, pdu_id: str, number: int, minute: int) -> SeenOutlet:
        key = OutletId(pdu_id, number)
        settings = self.configs[pdu_id].outlets[number - 1]
        wanted = self._wanted(key, minute)
        on = key not in self.off
        return SeenOutlet(
            key,
            on,
            "" if on else site_origin(self.config.site_id),
            wanted if on else Load(0, 0),
            wanted,
            settings.priority,
            settings.protected,
        )

    def _wanted(self, key: OutletId, minute: int) -> Load:
        column = self.recorded[key.pdu_id].outlets[key.outlet - 1]
        return Load(column.mean_ma[minute], column.mean_mw[minute])

    def _account(self, minute: int) -> None:
        for key in self.off:
            wanted = self._wanted(key, minute)
            if wanted.current_ma > CARRIES_MA:
                self.outlets[key].off_minutes += 1
                self.outlets[key].lost_mwh += wanted.power_mw // _MWH_PER_MW_MINUTE


def _numbers(recorded: Recorded) -> range:
    return range(1, len(recorded.outlets) + 1)


def _totals(recorded: Recorded) -> list[Load]:
    if not recorded.outlets:
        return [Load(0, 0)] * recorded.minutes
    ma = map(sum, zip(*(one.mean_ma for one in recorded.outlets), strict=True))
    mw = map(sum, zip(*(one.mean_mw for one in recorded.outlets), strict=True))
    return [Load(*both) for both in zip(ma, mw, strict=True)]


def _sources(recorded: Recorded) -> list[Source]:
    found: list[Source] = []
    ends = [first for first, _ in recorded.sources[1:]] + [recorded.minutes]
    for (_, source), end in zip(recorded.sources, ends, strict=True):
        found += [source] * (end - len(found))
    return found
