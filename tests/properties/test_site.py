"""What holds of every site, whatever its loads do and whoever interferes."""

from collections import Counter
from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.domain.site_bench import Plug, SiteBench, bench, load

from loadcenter.domain.origin import is_automatic, site_origin
from loadcenter.domain.protection import CARRIES_MA
from loadcenter.domain.site import Circuit, Level, Limit, SeenOutlet, choose
from loadcenter.domain.topology import OutletId, Source

HOUR_S = 3600
NAMES = ("a", "b")
OUTLETS = st.builds(OutletId, st.sampled_from(NAMES), st.integers(1, 3))
PLUGS = st.builds(
    Plug,
    demand_ma=st.sampled_from([0, 100, 500, 1_500, 3_000, 4_000]),
    priority=st.integers(1, 8),
    on=st.booleans(),
    protected=st.sampled_from([False, False, False, True]),
)
ACTIONS = st.one_of(
    st.tuples(st.just("demand"), st.tuples(OUTLETS, st.sampled_from([0, 200, 1_000, 3_500]))),
    st.tuples(st.just("off"), OUTLETS),
    st.tuples(st.just("on"), OUTLETS),
    st.tuples(st.just("lock"), OUTLETS),
    st.tuples(st.just("trip"), OUTLETS),
    st.tuples(st.just("stick"), OUTLETS),
    st.tuples(st.just("hear"), st.sampled_from(NAMES)),
    st.tuples(st.just("source"), st.sampled_from(NAMES)),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([1, 2, 5, 17, 40])),
)
COURSES = st.lists(ACTIONS, max_size=12)


@st.composite
def sites(draw: st.DrawFn) -> SiteBench:
    racks = [draw(st.lists(PLUGS, min_size=3, max_size=3)) for _ in NAMES]
    amps = st.one_of(st.none(), st.sampled_from([2_000, 5_000, 9_000]))
    return bench(
        *racks,
        limit=Limit(draw(amps)),
        backup=Limit(draw(amps)),
        pdus={"a": Limit(draw(amps))},
        max_restores_per_hour=draw(st.integers(1, 4)),
    )


def act(site: SiteBench, action: tuple[str, object]) -> None:
    match action:
        case ("demand", (OutletId() as outlet, int(demand_ma))):
            site.plug(outlet).demand_ma = demand_ma
        case ("off" | "on" as word, OutletId() as outlet):
            site.person(outlet, on=word == "on")
        case ("lock", OutletId() as outlet):
            site.plug(outlet).locked ^= True
        case ("trip", OutletId() as outlet):
            plug = site.plug(outlet)
            plug.tripped, plug.on = not plug.tripped, False
        case ("stick", OutletId() as outlet):
            site.plug(outlet).stuck ^= True
        case ("hear", str(name)):
            site.racks[name].heard ^= True
        case ("source", str(name)):
            site.racks[name].source = site.racks[name].source.other
        case ("restart", _):
            site.restart()
        case ("wait", int(seconds)):
            site.run(seconds)
    site.step()


@settings(deadline=None, max_examples=30)
@given(sites(), COURSES)
def test_a_protected_or_locked_outlet_is_never_shed(
    site: SiteBench, course: list[tuple[str, object]]
) -> None:
    site.step()
    for action in course:
        before = len(site.asked)
        act(site, action)
        for _, outlet, on in site.asked[before:]:
            assert on or not site.plug(outlet).protected
    assert not [one for one in site.moved if site.plug(one.outlet).protected and is_automatic(one.by)]


@settings(deadline=None, max_examples=30)
@given(
    sites(),
    COURSES,
    OUTLETS,
    st.lists(ACTIONS.filter(lambda one: one[0] not in ("on", "lock", "trip")), max_size=6),
)
def test_what_a_person_switched_off_stays_off(
    site: SiteBench, before: list[tuple[str, object]], outlet: OutletId, after: list[tuple[str, object]]
) -> None:
    site.step()
    for action in before:
        act(site, action)
    plug = site.plug(outlet)
    plug.locked = False
    site.person(outlet, on=False)
    for action in (*after, ("wait", 40)):
        act(site, action)
        assert not plug.on


@settings(deadline=None, max_examples=30)
@given(sites(), COURSES)
def test_no_outlet_is_switched_more_often_than_its_bound(
    site: SiteBench, course: list[tuple[str, object]]
) -> None:
    site.step()
    for action in course:
        act(site, action)
    asked_on = Counter(outlet for _, outlet, on in site.asked if on)
    hours = site.second // HOUR_S + 1
    assert all(times <= hours * site.config.max_restores_per_hour for times in asked_on.values())
    asked_off = Counter(outlet for _, outlet, on in site.asked if not on)
    persons = Counter(one.outlet for one in site.moved if one.on and not is_automatic(one.by))
    for outlet, times in asked_off.items():
        # each shed needs that it was on: from the start, by a person, or restored; an order that is lost is given again
        lost = site.second // 60 + 1
        assert times <= 1 + persons[outlet] + asked_on[outlet] + lost


@settings(deadline=None, max_examples=30)
@given(sites(), COURSES)
def test_a_restore_never_takes_a_circuit_over_its_limit_and_leaves_a_reserve(
    site: SiteBench, course: list[tuple[str, object]]
) -> None:
    site.step()
    for action in course:
        act(site, action)
    for at_s, one in site.told:
        if one.code == "restored":
            for unit in ("ma", "mw"):
                total, budget = one.numbers.get(f"total_{unit}"), one.numbers.get(f"budget_{unit}")
                if isinstance(total, int) and isinstance(budget, int):
                    draw = one.numbers[f"draw_{unit}"]
                    assert isinstance(draw, int)
                    assert total + draw * 3 // 2 <= budget * 9 // 10 + 1, at_s


@settings(deadline=None, max_examples=25)
@given(sites(), COURSES)
def test_on_a_steady_site_nothing_moves_any_more_and_the_state_stays_the_same(
    site: SiteBench, course: list[tuple[str, object]]
) -> None:
    site.step()
    for action in course:
        act(site, action)
    for rack in site.racks.values():
        rack.heard = True
        for plug in rack.plugs:
            plug.stuck = False
    site.run(400)
    moved, told, state = len(site.moved), len(site.told), site.state
    site.run(100)
    assert (len(site.moved), len(site.told)) == (moved, told)
    assert site.state is state


@settings(deadline=None, max_examples=30)
@given(sites())
def test_what_may_be_shed_brings_each_circuit_within_its_limit(site: SiteBench) -> None:
    site.run(60)
    sheddable = [
        plug
        for rack in site.racks.values()
        for plug in rack.plugs
        if plug.on and not plug.protected and plug.load_ma > CARRIES_MA
    ]
    for circuit in site.circuits():
        behind = [
            plug
            for name, rack in site.racks.items()
            if name in circuit.pdus
            for plug in rack.plugs
            if plug in sheddable
        ]
        assert not circuit.over or not behind


@settings(deadline=None, max_examples=30)
@given(sites(), COURSES)
def test_a_restart_at_any_time_changes_nothing(site: SiteBench, course: list[tuple[str, object]]) -> None:
    other = deepcopy(site)
    for action in course:
        act(site, action)
        act(other, action)
        other.restart()
    assert site.moved == other.moved
    assert site.state == other.state


SEEN = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from([300, 700, 1_000, 2_500, 4_000])), min_size=1, max_size=7
)


@settings(deadline=None, max_examples=200)
@given(SEEN, st.integers(1, 15_000), st.integers(0, 3_000))
def test_the_outlets_to_shed_are_the_fewest_of_the_lowest_priority(
    drawn: list[tuple[int, int]], limit_ma: int, kept_ma: int
) -> None:
    outlets = [
        SeenOutlet(OutletId("a", number), True, "", load(ma), load(ma), priority)
        for number, (priority, ma) in enumerate(drawn, 1)
    ]
    total = load(kept_ma + sum(ma for _, ma in drawn))
    circuit = Circuit(Level.SITE, "s", Limit(limit_ma), total, frozenset({"a"}))
    chosen = choose(circuit, outlets)
    if circuit.without(chosen).over:
        assert set(chosen) == set(outlets), "all together are not enough"
        return
    for one in chosen:
        assert circuit.without([other for other in chosen if other is not one]).over, "one more than needed"
    highest = min((one.priority for one in chosen), default=9)
    assert not chosen or circuit.without([one for one in outlets if one.priority > highest]).over, (
        "those of lower priority would have been enough"
    )


@given(st.booleans())
def test_the_same_sight_gives_the_same_decision(on_backup: bool) -> None:
    first = bench([Plug(4_000), Plug(3_000, 8)], limit=Limit(5_000))
    second = bench([Plug(4_000), Plug(3_000, 8)], limit=Limit(5_000))
    for one in (first, second):
        one.racks["a"].source = Source.BACKUP if on_backup else Source.MAIN
        one.run(30)
    assert first.moved == second.moved
    assert first.state == second.state
    assert [one.by for one in first.moved] == [site_origin("cellar")]
