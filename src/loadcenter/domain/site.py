"""A site: several PDUs behind one supply, and the limits that no single PDU can keep.

Limits are a tree: site, the loads on MAIN and those on BACKUP, PDU; below that each PDU keeps the budgets of its sources
and the limits of its outlets by itself. Each is a `Circuit` here, from leaf to root. A limit of None is no limit. What is
not known counts as the most that it can be: a PDU that is not heard counts with its own budget, never with 0.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from loadcenter.domain.budget import Load
from loadcenter.domain.events import Detail
from loadcenter.domain.protection import CARRIES_MA
from loadcenter.domain.topology import OutletId, Source


@dataclass(frozen=True, slots=True)
class Limit:
    """What a circuit may carry, in mA (sum of the outlets' currents) and mW; None is no limit."""

    current_ma: int | None = None
    power_mw: int | None = None

    @property
    def is_none(self) -> bool:
        """Whether nothing is limited."""
        return self.current_ma is None and self.power_mw is None

    def passed_by(self, load: Load) -> bool:
        """Return whether `load` is over the limit, in current or in power."""
        return self._any(load, lambda value, most: value > most)

    def half_more_passed_by(self, load: Load) -> bool:
        """Return whether `load` is over one and a half of the limit."""
        return self._any(load, lambda value, most: value * 2 > most * 3)

    def fits_well(self, load: Load, draw: Load) -> bool:
        """Return whether `draw` fits, with half of it more for its inrush and a tenth of the limit to spare."""
        raised = Load(
            load.current_ma * 10 + draw.current_ma * 15,
            load.power_mw * 10 + draw.power_mw * 15,
        )
        return not self._any(raised, lambda value, most: value > most * 9)

    def _any(self, load: Load, compare: Callable[[int, int], bool]) -> bool:
        return (self.current_ma is not None and compare(load.current_ma, self.current_ma)) or (
            self.power_mw is not None and compare(load.power_mw, self.power_mw)
        )


NO_LIMIT = Limit()


@dataclass(frozen=True, slots=True)
class Stage:
    """After `after_s` on BACKUP, a PDU keeps only its outlets of priority 1 to `keep_priority`."""

    after_s: int
    keep_priority: int


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """What a site may carry and how it sheds.

    Attributes:
        site_id: its name in addresses, 1 to 32 of a-z, 0-9 and hyphen.
        name: what people call it.
        pdus: the limit of each PDU that belongs to it, by name.
        limit: of all of them together.
        main: of those that are on MAIN.
        backup: of those that are on BACKUP, one generator for instance.
        stages: what is given up while BACKUP lasts, in the order of their times.
        dwell_s: time over a limit before something is shed, 0 to 60 s; over one and a half of it nothing is waited for.
        restore_delay_s: time after the last shed or restore before the next restore, 1 to 3,600 s.
        min_off_s: least time off before a restore, 0 to 3,600 s.
        stale_after_s: a PDU that was not heard for this long counts with its own budget, 5 to 600 s; until then with
            what it drew last.
        max_restores_per_hour: of one outlet, 1 to 60; after that it waits.
    """

    site_id: str
    name: str
    pdus: Mapping[str, Limit]
    limit: Limit = NO_LIMIT
    main: Limit = NO_LIMIT
    backup: Limit = NO_LIMIT
    stages: tuple[Stage, ...] = ()
    dwell_s: int = 1
    restore_delay_s: int = 30
    min_off_s: int = 10
    stale_after_s: int = 15
    max_restores_per_hour: int = 6

    def limit_of(self, source: Source) -> Limit:
        """Return what the PDUs on `source` may carry together."""
        return self.main if source is Source.MAIN else self.backup

    def kept_priority(self, on_backup_ms: int) -> int | None:
        """Return the last priority that is kept after this long on BACKUP, None while all are."""
        due = [stage.keep_priority for stage in self.stages if on_backup_ms >= stage.after_s * 1000]
        return min(due, default=None)


@dataclass(frozen=True, slots=True)
class SeenOutlet:
    """One outlet as the control center knows it.

    Attributes:
        outlet: which.
        on: whether its relay is commanded on, as reported last.
        by: who asked for that.
        load: what it carries, as read last.
        draw: what it drew when it was last seen to carry current.
        priority: 1 is kept longest.
        protected: never shed.
        locked: locked in its state.
        tripped: latched by protection.
        reachable: its PDU can be asked now, and its readings are fresh.
    """

    outlet: OutletId
    on: bool
    by: str
    load: Load
    draw: Load
    priority: int = 4
    protected: bool = False
    locked: bool = False
    tripped: bool = False
    reachable: bool = True

    @property
    def sheddable(self) -> bool:
        """Whether it may be opened, and opening it takes load away."""
        return (
            self.on
            and self.reachable
            and not self.protected
            and not self.locked
            and not self.tripped
            and self.load.current_ma > CARRIES_MA
        )


@dataclass(frozen=True, slots=True)
class SeenPdu:
    """One PDU as the control center knows it.

    Attributes:
        pdu_id: its name.
        source: the source that it was last on.
        stale: it was not heard for longer than the site allows.
        most: the most that it carries by its own budget.
        outlets: from outlet 1; empty while it has never reported.
    """

    pdu_id: str
    source: Source
    stale: bool
    most: Load
    outlets: tuple[SeenOutlet, ...]

    @property
    def load(self) -> Load:
        """What it carries: as measured, or the most that it can where that is not known."""
        return self.most if self.stale else total_of(one.load for one in self.outlets)


class Level(StrEnum):
    """Place of a circuit in the tree."""

    SOURCE = "source"
    PDU = "pdu"
    SUPPLY = "supply"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Circuit:
    """One limit of the tree with what stands behind it.

    Attributes:
        level: where it stands.
        name: PDU, source or site; with `level` it names the circuit.
        limit: what it may carry.
        load: what it carries.
        pdus: the PDUs behind it.
    """

    level: Level
    name: str
    limit: Limit
    load: Load
    pdus: frozenset[str]

    @property
    def key(self) -> str:
        """Its name in the state of the site."""
        return f"{self.level}:{self.name}"

    @property
    def title(self) -> str:
        """What a sentence calls it."""
        match self.level:
            case Level.SOURCE:
                pdu_id, _, source = self.name.partition(" ")
                return f"{source.upper()} of {pdu_id}"
            case Level.PDU:
                return f"the limit of {self.name}"
            case Level.SUPPLY:
                return f"{self.name.upper()} of the site"
            case Level.SITE:
                return f"the site '{self.name}'"
            case _:
                assert_never(self.level)

    @property
    def over(self) -> bool:
        """Whether it carries more than it may."""
        return self.limit.passed_by(self.load)

    @property
    def numbers(self) -> Mapping[str, Detail]:
        """The numbers compared, as the data of an event; without those that are not limited."""
        found: dict[str, Detail] = {"circuit": self.key}
        if self.limit.current_ma is not None:
            found |= {"total_ma": self.load.current_ma, "budget_ma": self.limit.current_ma}
        if self.limit.power_mw is not None:
            found |= {"total_mw": self.load.power_mw, "budget_mw": self.limit.power_mw}
        return found

    def feeds(self, outlet: OutletId) -> bool:
        """Return whether the outlet is behind it."""
        return outlet.pdu_id in self.pdus

    def plus(self, draw: Load) -> "Circuit":
        """Return it with more load."""
        load = Load(self.load.current_ma + draw.current_ma, self.load.power_mw + draw.power_mw)
        return Circuit(self.level, self.name, self.limit, load, self.pdus)

    def without(self, outlets: Iterable[SeenOutlet]) -> "Circuit":
        """Return it without what these outlets carry."""
        gone = total_of(one.load for one in outlets if self.feeds(one.outlet))
        return self.plus(Load(-gone.current_ma, -gone.power_mw))


def total_of(loads: Iterable[Load]) -> Load:
    """Return the sum of loads."""
    current_ma = power_mw = 0
    for load in loads:
        current_ma += load.current_ma
        power_mw += load.power_mw
    return Load(current_ma, power_mw)


def circuits_of(config: SiteConfig, pdus: Sequence[SeenPdu]) -> tuple[Circuit, ...]:
    """Return the limited circuits of a site, from leaf to root."""
    own = [
        Circuit(
            Level.PDU, pdu.pdu_id, config.pdus.get(pdu.pdu_id, NO_LIMIT), pdu.load, frozenset({pdu.pdu_id})
        )
        for pdu in pdus
    ]
    supplies = [
        _together(
            Level.SUPPLY, source, config.limit_of(source), [pdu for pdu in pdus if pdu.source is source]
        )
        for source in Source
    ]
    found = [*own, *supplies, _together(Level.SITE, config.site_id, config.limit, pdus)]
    return tuple(one for one in found if not one.limit.is_none)


def _together(level: Level, name: str, limit: Limit, pdus: Sequence[SeenPdu]) -> Circuit:
    return Circuit(level, name, limit, total_of(pdu.load for pdu in pdus), frozenset(p.pdu_id for p in pdus))


def choose(circuit: Circuit, outlets: Iterable[SeenOutlet]) -> tuple[SeenOutlet, ...]:
    """Return which of `outlets` to open so that `circuit` is within its limit, by what each carries now.

    The lowest priority goes first, of equals the later one. Then those are kept after all, the highest priority first,
    that the others make up for: none of the answer can be left out. If all together are not enough, all are returned.
    """
    chosen: list[SeenOutlet] = []
    for one in sorted((one for one in outlets if circuit.feeds(one.outlet)), key=_rank, reverse=True):
        if not circuit.without(chosen).over:
            break
        chosen.append(one)
    if circuit.without(chosen).over:
        return tuple(chosen)
    for one in sorted(chosen, key=_rank):
        others = [other for other in chosen if other is not one]
        if not circuit.without(others).over:
            chosen = others
    return tuple(chosen)


def _rank(one: SeenOutlet) -> tuple[int, OutletId]:
    return one.priority, one.outlet


MOST_PDUS = 200
"""PDUs of one site; its step over 200 of eight outlets takes 10 ms."""

_SITE_ID = re.compile(r"[a-z0-9-]{1,32}")

_RANGES = (
    ("dwell_s", 0, 60),
    ("restore_delay_s", 1, 3600),
    ("min_off_s", 0, 3600),
    ("stale_after_s", 5, 600),
    ("max_restores_per_hour", 1, 60),
)
_MOST_MA, _MOST_MW = 10_000_000, 10_000_000_000
_NAME_MOST, _STAGES_MOST, _STAGE_MOST_S, _PRIORITIES = 64, 8, 86_400, 8


class SiteError(ValueError):
    """A value of a site is out of range; the message names it and its range."""


def check_site(config: SiteConfig) -> SiteConfig:
    """Return `config` unchanged if each value is in its range.

    Raises:
        SiteError: one is not.
    """
    if not _SITE_ID.fullmatch(config.site_id):
        raise SiteError(f"'{config.site_id}' is no id of a site: use 1 to 32 of a-z, 0-9 and '-'")
    if not 1 <= len(config.name) <= _NAME_MOST:
        raise SiteError(f"name must have 1 to {_NAME_MOST} characters")
    if not 1 <= len(config.pdus) <= MOST_PDUS:
        raise SiteError(f"a site has 1 to {MOST_PDUS} PDUs, this one has {len(config.pdus)}")
    for name, low, high in _RANGES:
        if not low <= getattr(config, name) <= high:
            raise SiteError(f"{name} is {getattr(config, name)}: it must be {low} to {high}")
    for limit in (config.limit, config.main, config.backup, *config.pdus.values()):
        _check_limit(limit)
    _check_stages(config.stages)
    return config


def _check_limit(limit: Limit) -> None:
    for name, value, most in (
        ("current_a", limit.current_ma, _MOST_MA),
        ("power_w", limit.power_mw, _MOST_MW),
    ):
        if value is not None and not 0 < value <= most:
            raise SiteError(
                f"{name} of a limit is {value / 1000:g}: give more than 0 up to {most // 1000}, or null for no limit"
            )


def _check_stages(stages: Sequence[Stage]) -> None:
    if len(stages) > _STAGES_MOST:
        raise SiteError(f"a site has at most {_STAGES_MOST} stages, this one has {len(stages)}")
    for one in stages:
        if not 0 <= one.after_s <= _STAGE_MOST_S:
            raise SiteError(f"after_s of a stage is {one.after_s}: it must be 0 to {_STAGE_MOST_S}")
        if not 0 <= one.keep_priority <= _PRIORITIES:
            raise SiteError(
                f"keep_priority of a stage is {one.keep_priority}: it must be 0 (keep none but protected ones) to "
                f"{_PRIORITIES}"
            )
