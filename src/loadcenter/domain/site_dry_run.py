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
from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.domain.site import (
    NO_LIMIT,
    Circuit,
    Limit,
    SeenOutlet,
    SeenPdu,
    SiteConfig,
    circuits_of,
    total_of,
)
from loadcenter.domain.site_shedding import SiteState, Step, step
from loadcenter.domain.topology import OutletId, Source

_MWH_PER_MW_MINUTE = 60
_SECOND_MS = 1_000
_NOTHING = Load(0, 0)


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
    over: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.totals = {pdu_id: _totals(one) for pdu_id, one in self.recorded.items()}
        self.sources = {pdu_id: _sources(one) for pdu_id, one in self.recorded.items()}
        self.over = self._over()

    def _over(self) -> set[int]:
        """Return the minutes in which a circuit is over with everything on."""
        found: set[int] = set()
        for pdu_id, totals in self.totals.items():
            found |= _passing(self.config.pdus.get(pdu_id, NO_LIMIT), [totals])
        for source in Source:
            parts = [
                [
                    load if at is source else _NOTHING
                    for load, at in zip(totals, self.sources[key], strict=True)
                ]
                for key, totals in self.totals.items()
            ]
            found |= _passing(self.config.limit_of(source), parts)
        return found | _passing(self.config.limit, list(self.totals.values()))

    def minute(self, minute: int) -> None:
        """Let the rules decide in one minute, by the second, as long as something may change."""
        if not self._may_decide(minute):
            self._account(minute)
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
        """Return whether a rule may have something to do, without asking the rules themselves."""
        if self.config.stages or self.state.overloads:
            return True
        if not self.off and not self.state.marks:
            return minute in self.over
        off = {pdu_id: Load(0, 0) for pdu_id in self.totals}
        for key in self.off:
            wanted = self._wanted(key, minute)
            off[key.pdu_id] = total_of((off[key.pdu_id], wanted))
        bare = [
            SeenPdu(
                pdu_id,
                self.sources[pdu_id][minute],
                True,
                totals[minute].less(off[pdu_id].current_ma, off[pdu_id].power_mw),
                (),
            )
            for pdu_id, totals in self.totals.items()
        ]
        circuits = circuits_of(self.config, bare)
        return any(circuit.over for circuit in circuits) or self._may_restore(circuits)

    def _may_restore(self, circuits: Sequence[Circuit]) -> bool:
        marks = self.state.marks
        if any(not mark.seen_off or mark.asked_ms is not None for mark in marks.values()):
            return True
        first = min(marks, key=lambda key: (self._settings(key).priority, key), default=None)
        return first is not None and all(
            circuit.limit.fits_well(circuit.load, marks[first].draw)
            for circuit in circuits
            if circuit.feeds(first)
        )

    def _settings(self, key: OutletId) -> OutletConfig:
        return self.configs[key.pdu_id].outlets[key.outlet - 1]

    def _waits(self, seen: Sequence[SeenPdu], now_ms: int) -> bool:
        """Return whether time alone will lead to a decision while the loads stay as they are."""
        dwell_ms = self.config.dwell_s * 1000
        if any(now_ms - one.since_ms <= dwell_ms for one in self.state.overloads.values()):
            return True
        return not self.state.overloads and self._may_restore(circuits_of(self.config, seen))

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
        settings = self._settings(key)
        wanted = self._wanted(key, minute)
        on = key not in self.off
        return SeenOutlet(
            key,
            on,
            "" if on else site_origin(self.config.site_id),
            wanted if on else _NOTHING,
            wanted if on else _NOTHING,
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


def _passing(limit: Limit, parts: Sequence[Sequence[Load]]) -> set[int]:
    """Return the minutes in which the parts together are over a limit."""
    if limit.is_none:
        return set()
    return {at for at, loads in enumerate(zip(*parts, strict=False)) if limit.passed_by(total_of(loads))}


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
