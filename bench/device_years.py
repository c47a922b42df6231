"""Years of PDUs under the rules of their sites, in virtual time: what must never happen, counted (`YEARS_…`).

SCALE=1 is 1,000 device-years: 200 sites of five PDUs for a year each. Loads come and go by their rhythm, people switch and
lock, relays stick, networks fail, sources change, the server restarts and its clock is set. After each such event the site is
stepped by the second until nothing has moved for a while, then in longer steps up to the next event. `SEED=7` repeats one
site alone; every seed with a violation is printed.
"""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from bench import figures
from bench.figures import Figure, Figures, Settings
from tests.unit.domain.site_bench import Plug, Rack, SiteBench

from loadcenter.domain.origin import is_automatic
from loadcenter.domain.site import Limit, SiteConfig, Stage, circuits_of
from loadcenter.domain.site_shedding import shifted
from loadcenter.domain.topology import OutletId, Source

SITES = 200
PDUS = 5
OUTLETS = 4
YEAR_S = 365 * 86_400
EVENTS_A_DAY = 4
CALM_S = 45
"""So long after an event, and after the last movement, each second is stepped through."""
IDLE_MS = 600_000
HOUR_S = 3_600
OVER_MOST_S = 120
"""An overload with something left to shed must be over by then: two orders that are not obeyed, and a third."""


@dataclass
class Course:
    """One site for a year, with what must never happen watched over."""

    seed: int
    chance: random.Random = field(init=False)
    site: SiteBench = field(init=False)
    off_by_person: set[OutletId] = field(default_factory=set)
    over_since: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    steps: int = 0
    events: int = 0
    checked: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        racks = {f"rack-{n}": Rack([self._plug() for _ in range(OUTLETS)]) for n in range(1, PDUS + 1)}
        pick = self.chance.choice
        config = SiteConfig(
            "site",
            "Site",
            {name: Limit(pick([None, 5_000, 7_000])) for name in racks},
            Limit(pick([14_000, 20_000, 26_000])),
            backup=Limit(pick([None, 8_000, 12_000])),
            stages=pick([(), (Stage(300, 6), Stage(1800, 3))]),
            restore_delay_s=pick([10, 30, 120]),
            max_restores_per_hour=pick([2, 6]),
        )
        self.site = SiteBench(racks, config, latency_s=self.chance.randint(1, 3))

    def run(self, length_s: int) -> "Course":
        """Let the time pass."""
        end_s = length_s
        for at_s in self._times(end_s):
            self._idle_until(at_s)
            self._event()
            self._settle()
        self._idle_until(end_s)
        return self

    def _times(self, end_s: int) -> Iterator[int]:
        at_s = 0.0
        while (at_s := at_s + self.chance.expovariate(EVENTS_A_DAY / 86_400)) < end_s:
            yield int(at_s)

    def _plug(self) -> Plug:
        return Plug(
            self.chance.choice([0, 300, 800, 1_500, 2_500, 4_000]),
            self.chance.randint(1, 8),
            protected=self.chance.random() < 0.1,
        )

    def _idle_until(self, at_s: int) -> None:
        while self.site.second < at_s:
            self._step(min(IDLE_MS, (at_s - self.site.second) * 1000))

    def _settle(self) -> None:
        calm_s = 0
        while calm_s < CALM_S:
            moved = len(self.site.moved)
            self._step(1000)
            calm_s = 0 if len(self.site.moved) > moved or self.site.under_way else calm_s + 1

    def _event(self) -> None:
        self.events += 1
        outlet = OutletId(f"rack-{self.chance.randint(1, PDUS)}", self.chance.randint(1, OUTLETS))
        plug, rack = self.site.plug(outlet), self.site.racks[outlet.pdu_id]
        match self.chance.choices(range(9), (40, 12, 12, 4, 3, 4, 10, 5, 2))[0]:
            case 0:
                plug.demand_ma = self.chance.choice([0, 300, 800, 1_500, 2_500, 4_000])
            case 1 | 2 as word:
                self._person(outlet, on=word == 1)
            case 3:
                plug.locked ^= True
            case 4:
                plug.stuck ^= True
            case 5:
                rack.heard ^= True
            case 6:
                rack.source = rack.source.other
            case 7:
                self.site.restart()
            case 8:
                self._set_clock(self.chance.choice([-7_200, -30, 30, 7_200]))
        if self.chance.random() < 0.3:
            self._mend()

    def _mend(self) -> None:
        for rack in self.site.racks.values():
            rack.heard = True
            rack.source = Source.MAIN
            for plug in rack.plugs:
                plug.stuck = plug.locked = False

    def _person(self, outlet: OutletId, *, on: bool) -> None:
        if not self.site.racks[outlet.pdu_id].heard:
            return
        self.site.person(outlet, on=on)
        if not self.site.plug(outlet).locked:
            (self.off_by_person.discard if on else self.off_by_person.add)(outlet)

    def _set_clock(self, by_s: int) -> None:
        site = self.site
        site.state = shifted(site.state, by_s * 1000)
        site.now_ms += by_s * 1000
        site.shifted_s += by_s
        site.under_way = [(at + by_s * 1000, outlet, on) for at, outlet, on in site.under_way]
        for rack in site.racks.values():
            rack.last_ms += by_s * 1000

    def _step(self, by_ms: int) -> None:
        moved = len(self.site.moved)
        decided = self.site.step(by_ms)
        self.steps += 1
        for one in self.site.moved[moved:]:
            if is_automatic(one.by):
                self._check_move(one.outlet, on=one.on)
        if decided.restore is not None:
            self._check_restore(decided.restore)
        if by_ms == 1000 and (self.site.state.overloads or self.steps % 10 == 0):
            self._check_overloads()

    def _check_move(self, outlet: OutletId, *, on: bool) -> None:
        self.checked += 1
        plug = self.site.plug(outlet)
        if not on and (plug.protected or plug.locked):
            self._violated(f"{outlet} is protected or locked and was shed")
        if on and outlet in self.off_by_person:
            self._violated(f"{outlet} was switched off by a person and restored")
        if on:
            restores = [
                one
                for one in self.site.moved[-400:]
                if one.outlet == outlet
                and one.on
                and is_automatic(one.by)
                and self.site.second - one.at_s < HOUR_S
            ]
            if len(restores) > self.site.config.max_restores_per_hour:
                self._violated(f"{outlet} was restored {len(restores)} times within an hour")

    def _check_restore(self, outlet: OutletId) -> None:
        """Half of its draw more and a tenth of each limit are left, by what the control center sees."""
        draw_ma = self.site.plug(outlet).draw_ma
        for circuit in circuits_of(self.site.config, self.site.seen()):
            limit_ma = circuit.limit.current_ma
            if limit_ma is None or not circuit.feeds(outlet):
                continue
            self.checked += 1
            if circuit.load.current_ma * 10 + draw_ma * 15 > limit_ma * 9:
                self._violated(f"{outlet} was restored into {circuit.load.current_ma} of {limit_ma} mA")

    def _check_overloads(self) -> None:
        """An overload lasts only where nothing can be done about it."""
        whole = all(rack.heard for rack in self.site.racks.values())
        stuck = any(plug.stuck for rack in self.site.racks.values() for plug in rack.plugs)
        over = {one.key: one for one in self.site.circuits() if one.over} if whole and not stuck else {}
        self.over_since = {key: self.over_since.get(key, self.site.second) for key in over}
        for key, since_s in self.over_since.items():
            futile = key in self.site.state.overloads and self.site.state.overloads[key].futile
            if self.site.second - since_s <= OVER_MOST_S or futile:
                continue
            self.checked += 1
            left = [one.outlet for pdu in self.site.seen() for one in pdu.outlets if one.sheddable]
            if any(over[key].feeds(one) for one in left):
                self._violated(f"{key} has been over its limit for {self.site.second - since_s} s")

    def _violated(self, what: str) -> None:
        self.violations.append(f"seed {self.seed}, second {self.site.second}: {what}")


def one_site(seed: int, length_s: int) -> tuple[list[str], int, int, int, int]:
    """Return the violations, events, movements, steps and checks of one course."""
    course = Course(seed).run(length_s)
    return course.violations, course.events, len(course.site.moved), course.steps, course.checked


def measure(settings: Settings, *, first: int = 1, sites: int = 0) -> Figures:
    """Run all courses, two at a time."""
    sites = sites or max(1, round(SITES * settings.scale))
    length_s = round(YEAR_S * min(1.0, settings.scale * SITES))
    seeds = range(first, first + sites)
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1, sites)) as pool:
        found = list(pool.map(one_site, seeds, [length_s] * sites))
    violations = [text for one in found for text in one[0]]
    for text in violations[:50]:
        print(f"  {text}", flush=True)
    events, moved, steps, checked = (sum(one[at] for one in found) for at in range(1, 5))
    years = sites * PDUS * length_s / YEAR_S
    note = (
        f"seeds {seeds[0]} to {seeds[-1]}: {events:,} events, {moved:,} movements of relays, {steps:,} steps, "
        f"{checked:,} checks"
    )
    return {
        "YEARS_devices": Figure(years, "device-years", ">= 1000", note=note),
        "YEARS_violations": Figure(len(violations), "violations", "0", note=note),
    }


def main() -> Figures:
    """Measure as the environment says."""
    seed = int(figures.number("SEED", 0.5))
    settings = figures.settings(1.0)
    return measure(settings, first=seed, sites=1) if seed else measure(settings)


if __name__ == "__main__":
    figures.run("device_years", main)
