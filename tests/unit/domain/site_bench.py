"""A site on a bench for tests of its rules: PDUs with loads as given, orders that take a while, people who interfere."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from loadcenter.domain.budget import Load
from loadcenter.domain.origin import site_origin
from loadcenter.domain.site import Circuit, Limit, SeenOutlet, SeenPdu, SiteConfig, circuits_of
from loadcenter.domain.site_shedding import SiteState, Step, Told, overruled, step
from loadcenter.domain.topology import OutletId, Source
from loadcenter.services.site_text import read_state, write_state

SITE = "cellar"
START_MS = 1_800_000_000_000
RATED_MA = 16_000


@dataclass
class Plug:
    """One outlet with its load."""

    demand_ma: int = 1_000
    priority: int = 4
    on: bool = True
    by: str = "ada"
    protected: bool = False
    locked: bool = False
    tripped: bool = False
    stuck: bool = False
    draw_ma: int = 0

    @property
    def load_ma(self) -> int:
        return self.demand_ma if self.on or self.stuck else 0


@dataclass
class Rack:
    """One PDU; `heard` is False while its network is cut."""

    plugs: list[Plug]
    source: Source = Source.MAIN
    heard: bool = True
    budget_ma: int = RATED_MA
    last: SeenPdu | None = None
    last_ms: int = 0


@dataclass(frozen=True)
class Switching:
    """A relay that moved: when, which, to what, and who asked."""

    at_s: int
    outlet: OutletId
    on: bool
    by: str


@dataclass
class SiteBench:
    """Runs `site_shedding.step` each second over racks that a test changes."""

    racks: dict[str, Rack]
    config: SiteConfig
    latency_s: int = 1
    now_ms: int = START_MS
    state: SiteState = field(default_factory=SiteState)
    told: list[tuple[int, Told]] = field(default_factory=list)
    asked: list[tuple[int, OutletId, bool]] = field(default_factory=list)
    moved: list[Switching] = field(default_factory=list)
    under_way: list[tuple[int, OutletId, bool]] = field(default_factory=list)
    deaf: set[str] = field(default_factory=set)
    shifted_s: int = 0

    def __post_init__(self) -> None:
        self.seen()

    @property
    def second(self) -> int:
        return (self.now_ms - START_MS) // 1000 - self.shifted_s

    def plug(self, outlet: OutletId) -> Plug:
        return self.racks[outlet.pdu_id].plugs[outlet.outlet - 1]

    def run(self, seconds: int) -> "SiteBench":
        for _ in range(seconds):
            self.step()
        return self

    def step(self, by_ms: int = 1000) -> Step:
        """Let a second pass: orders arrive, readings come in, the rules decide."""
        self.now_ms += by_ms
        for order in [one for one in self.under_way if one[0] <= self.now_ms]:
            self.under_way.remove(order)
            self._obey(order[1], on=order[2])
        decided = step(self.state, self.seen(), self.config, self.now_ms)
        self.state = decided.state
        self.told += [(self.second, one) for one in decided.told]
        for outlet in decided.shed:
            self._ask(outlet, on=False)
        if decided.restore is not None:
            self._ask(decided.restore, on=True)
        return decided

    def restart(self) -> None:
        """Lose everything but what is kept."""
        self.state = read_state(write_state(self.state))

    def person(self, outlet: OutletId, *, on: bool) -> None:
        """Let a person switch an outlet, as through the control center."""
        plug = self.plug(outlet)
        self.state = overruled(self.state, outlet)
        self.under_way = [one for one in self.under_way if one[1] != outlet]
        if plug.locked or (plug.tripped and on):
            return
        self._switch(outlet, on=on, by="ada")
        plug.by = "ada"

    def seen(self) -> list[SeenPdu]:
        found = []
        for pdu_id, rack in self.racks.items():
            if rack.heard:
                rack.last, rack.last_ms = self._read(pdu_id, rack), self.now_ms
                found.append(rack.last)
                continue
            assert rack.last is not None
            stale = self.now_ms - rack.last_ms > self.config.stale_after_s * 1000
            outlets = tuple(replace(one, reachable=False) for one in rack.last.outlets)
            found.append(replace(rack.last, stale=stale, outlets=outlets))
        return found

    def circuits(self) -> tuple[Circuit, ...]:
        """Return the circuits with what they really carry."""
        return circuits_of(self.config, [self._read(pdu_id, rack) for pdu_id, rack in self.racks.items()])

    def on(self) -> list[str]:
        return [
            f"{pdu_id}/{number}"
            for pdu_id, rack in self.racks.items()
            for number, plug in enumerate(rack.plugs, 1)
            if plug.on
        ]

    def codes(self) -> list[str]:
        return [one.code.value for _, one in self.told]

    def _read(self, pdu_id: str, rack: Rack) -> SeenPdu:
        outlets = []
        for number, plug in enumerate(rack.plugs, 1):
            plug.draw_ma = plug.load_ma or plug.draw_ma
            outlets.append(
                SeenOutlet(
                    OutletId(pdu_id, number),
                    plug.on,
                    plug.by,
                    load(plug.load_ma),
                    load(plug.draw_ma),
                    plug.priority,
                    plug.protected,
                    plug.locked,
                    plug.tripped,
                )
            )
        return SeenPdu(pdu_id, rack.source, False, load(rack.budget_ma), tuple(outlets))

    def _ask(self, outlet: OutletId, *, on: bool) -> None:
        self.asked.append((self.second, outlet, on))
        if self.racks[outlet.pdu_id].heard and str(outlet) not in self.deaf:
            self.under_way.append((self.now_ms + self.latency_s * 1000, outlet, on))

    def _obey(self, outlet: OutletId, *, on: bool) -> None:
        plug = self.plug(outlet)
        if not plug.locked and not plug.tripped and plug.on is not on:
            self._switch(outlet, on=on, by=site_origin(self.config.site_id))
            plug.by = site_origin(self.config.site_id)

    def _switch(self, outlet: OutletId, *, on: bool, by: str) -> None:
        plug = self.plug(outlet)
        if plug.on is not on:
            plug.on = on
            self.moved.append(Switching(self.second, outlet, on, by))


def load(current_ma: int) -> Load:
    return Load(current_ma, current_ma * 230)


def bench(*racks: Sequence[Plug], **limits: object) -> SiteBench:
    """Return a bench with racks a, b, ...; `limits` are those of `SiteConfig`."""
    named = {chr(ord("a") + at): Rack(list(plugs)) for at, plugs in enumerate(racks)}
    pdus = limits.pop("pdus", {})
    assert isinstance(pdus, dict)
    config = SiteConfig(SITE, "Cellar", {name: pdus.get(name, Limit()) for name in named}, **limits)
    return SiteBench(named, config)
