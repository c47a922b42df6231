"""Named stories of a site, in virtual time: which outlets are on at the end, every relay that moved and why, what was told.

Racks are a, b, ...; outlets draw what their plugs say. A move is written `SECOND OUTLET on|off WHO`; `site` is the site.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from tests.unit.domain.site_bench import Plug, SiteBench, bench

from loadcenter.domain.origin import site_origin
from loadcenter.domain.site import Limit, Stage
from loadcenter.domain.site_shedding import shifted
from loadcenter.domain.topology import Source, parse_outlet_id

Act = Callable[[SiteBench], object]


@dataclass(frozen=True)
class Story:
    """One story: what there is, what happens at which second, and what must come of it."""

    racks: tuple[tuple[Plug, ...], ...]
    limits: Mapping[str, object]
    happens: Mapping[int, Act]
    until_s: int
    on: str
    moves: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    asked: int | None = field(default=None)


def person(outlet: str, *, on: bool) -> Act:
    return lambda site: site.person(parse_outlet_id(outlet), on=on)


def demand(outlet: str, ma: int) -> Act:
    return lambda site: setattr(site.plug(parse_outlet_id(outlet)), "demand_ma", ma)


def flag(outlet: str, name: str, *, value: bool) -> Act:
    return lambda site: setattr(site.plug(parse_outlet_id(outlet)), name, value)


def trip(outlet: str) -> Act:
    def act(site: SiteBench) -> None:
        plug = site.plug(parse_outlet_id(outlet))
        plug.tripped, plug.on = True, False

    return act


def heard(rack: str, *, value: bool) -> Act:
    return lambda site: setattr(site.racks[rack], "heard", value)


def source(rack: str, value: Source) -> Act:
    return lambda site: setattr(site.racks[rack], "source", value)


def clock(by_s: int) -> Act:
    def act(site: SiteBench) -> None:
        site.state = shifted(site.state, by_s * 1000)
        site.now_ms += by_s * 1000
        for rack in site.racks.values():
            rack.last_ms += by_s * 1000
        site.shifted_s += by_s

    return act


def both(*acts: Act) -> Act:
    return lambda site: [act(site) for act in acts]


def restart(site: SiteBench) -> None:
    site.restart()


def plugs(*drawn: int | tuple[int, int] | Plug) -> tuple[Plug, ...]:
    """Plugs by demand in mA, or (demand, priority); without one the priority is the number."""
    found = []
    for number, one in enumerate(drawn, 1):
        match one:
            case Plug():
                found.append(one)
            case (int(ma), int(priority)):
                found.append(Plug(ma, priority))
            case int(ma):
                found.append(Plug(ma, number))
    return tuple(found)


TEN = {"limit": Limit(10_000)}

STORIES: dict[str, Story] = {
    "all is well and nothing moves": Story((plugs(3_000, 3_000),), TEN, {}, 120, "a/1 a/2"),
    "an overload takes the lowest priority": Story(
        (plugs(4_000, 4_000, 3_000),), TEN, {}, 20, "a/1 a/2", ("3 a/3 off site",), ("shed",)
    ),
    "two PDUs of one site give up the lowest of both": Story(
        (plugs((4_000, 1), (3_000, 5)), plugs((4_000, 2), (3_000, 7))),
        TEN,
        {},
        20,
        "a/1 b/1",
        ("3 b/2 off site", "3 a/2 off site"),
        ("shed", "shed"),
    ),
    "what is not needed to be within is kept": Story(
        (plugs((4_000, 1), (5_000, 6), (1_200, 8)),),
        TEN,
        {},
        20,
        "a/1 a/2",
        ("3 a/3 off site",),
        ("shed",),
    ),
    "a small one is kept where a larger one must go anyway": Story(
        (plugs((8_000, 1), (5_000, 6), (1_000, 8)),),
        TEN,
        {},
        20,
        "a/1 a/3",
        ("3 a/2 off site",),
        ("shed",),
    ),
    "a motor start that is over before the dwell": Story(
        (plugs(4_000, 4_000),),
        {"limit": Limit(10_000), "dwell_s": 3},
        {5: demand("a/2", 8_000), 7: demand("a/2", 4_000)},
        60,
        "a/1 a/2",
    ),
    "a motor start at the limit of one and a half waits for nothing": Story(
        (plugs(4_000, 4_000),),
        {"limit": Limit(10_000), "dwell_s": 30},
        {5: demand("a/2", 14_000)},
        20,
        "a/1",
        ("6 a/2 off site",),
        ("shed",),
    ),
    "the lowest priority is idle, so the next one goes": Story(
        (plugs((6_000, 1), (5_000, 5), (0, 8)),), TEN, {}, 20, "a/1 a/3", ("3 a/2 off site",), ("shed",)
    ),
    "one that only stands by draws too little to be shed": Story(
        (plugs((6_000, 1), (5_000, 5), (150, 8)),), TEN, {}, 20, "a/1 a/3", ("3 a/2 off site",), ("shed",)
    ),
    "a protected outlet stays although it is the lowest": Story(
        (plugs((6_000, 1), (3_000, 2), Plug(3_000, 8, protected=True)),),
        TEN,
        {},
        20,
        "a/1 a/3",
        ("3 a/2 off site",),
        ("shed",),
    ),
    "only protected ones are left, which is told once": Story(
        (plugs(Plug(6_000, 1, protected=True), Plug(6_000, 2, protected=True)),),
        TEN,
        {60: demand("a/1", 1_000)},
        90,
        "a/1 a/2",
        (),
        ("over_budget", "within_budget"),
    ),
    "a locked outlet stays, and a higher priority goes in its place": Story(
        (plugs((6_000, 1), Plug(6_000, 8, locked=True), (500, 5)),),
        TEN,
        {},
        20,
        "a/2 a/3",
        ("3 a/1 off site",),
        ("shed",),
    ),
    "a futile shed stops": Story(
        (plugs((6_000, 1), (3_000, 4), Plug(3_000, 8, stuck=True)),),
        TEN,
        {},
        60,
        "a/1 a/2",
        ("3 a/3 off site",),
        ("shed", "shed_futile"),
    ),
    "after a futile shed the end of the overload lets it begin anew": Story(
        (plugs((6_000, 1), (3_000, 4), Plug(3_000, 8, stuck=True)),),
        TEN,
        {30: demand("a/1", 1_000), 40: demand("a/1", 6_500)},
        60,
        "a/1",
        ("3 a/3 off site", "42 a/2 off site"),
        ("shed", "shed_futile", "within_budget", "shed"),
    ),
    "it comes back when there is room": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {50: demand("a/1", 500)},
        100,
        "a/1 a/2 a/3",
        ("3 a/3 off site", "51 a/3 on site"),
        ("shed", "restored"),
    ),
    "it does not come back without room for its inrush": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {50: demand("a/1", 1_000)},
        200,
        "a/1 a/2",
        ("3 a/3 off site",),
        ("shed",),
    ),
    "a load that rose while it was asked to open needs room for all of it": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {1: lambda site: setattr(site, "latency_s", 3), 3: demand("a/3", 6_000), 50: demand("a/1", 500)},
        120,
        "a/1 a/2",
        ("5 a/3 off site",),
        ("shed",),
    ),
    "the highest priority comes back first, one at a time": Story(
        (plugs((8_000, 1), (3_000, 4), (3_000, 6)),),
        {"limit": Limit(9_000)},
        {20: demand("a/1", 100)},
        120,
        "a/1 a/2 a/3",
        ("2 a/3 off site", "2 a/2 off site", "33 a/2 on site", "64 a/3 on site"),
        ("shed", "shed", "restored", "restored"),
    ),
    "a load that is too large for the restores goes to and fro no more often than allowed": Story(
        (plugs((4_000, 1), (4_000, 5)),),
        {"limit": Limit(10_000), "max_restores_per_hour": 2, "restore_delay_s": 10},
        {
            at: act
            for start in range(5, 400, 50)
            for at, act in ((start, demand("a/1", 9_000)), (start + 20, demand("a/1", 1_000)))
        },
        420,
        "a/1",
        (
            "7 a/2 off site",
            "26 a/2 on site",
            "57 a/2 off site",
            "76 a/2 on site",
            "107 a/2 off site",
        ),
        ("shed", "restored", "shed", "restored", "shed"),
    ),
    "a person's off meanwhile is kept": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {20: person("a/3", on=False), 50: demand("a/1", 500)},
        200,
        "a/1 a/2",
        ("3 a/3 off site",),
        ("shed",),
    ),
    "a person's on against the site is shed again": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {20: person("a/3", on=True)},
        60,
        "a/1 a/2",
        ("3 a/3 off site", "19 a/3 on ada", "22 a/3 off site"),
        ("shed", "shed"),
    ),
    "a person's off while the order is under way": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {3: person("a/3", on=False), 50: demand("a/1", 500)},
        120,
        "a/1 a/2",
        ("2 a/3 off ada",),
        ("shed",),
    ),
    "a lock on what is shed keeps it off": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {
            20: flag("a/3", "locked", value=True),
            40: flag("a/3", "locked", value=False),
            50: demand("a/1", 500),
        },
        200,
        "a/1 a/2",
        ("3 a/3 off site",),
        ("shed",),
    ),
    "a trip on what is shed ends the wish to close it": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {20: trip("a/3"), 50: demand("a/1", 500)},
        200,
        "a/1 a/2",
        ("3 a/3 off site",),
        ("shed",),
    ),
    "one that does not obey is left out, and the next is taken": Story(
        (plugs((6_000, 1), (3_000, 4), (3_000, 8)),),
        TEN,
        {1: lambda site: setattr(site, "deaf", {"a/3"})},
        40,
        "a/1 a/3",
        ("18 a/2 off site",),
        ("shed", "shed"),
        asked=2,
    ),
    "a PDU that is no longer heard counts with its own budget": Story(
        (plugs((2_000, 1), (2_000, 4)), plugs((2_000, 1), (2_000, 4))),
        {"limit": Limit(19_000), "stale_after_s": 15},
        {10: heard("b", value=False)},
        60,
        "a/1 b/1 b/2",
        ("27 a/2 off site",),
        ("shed",),
    ),
    "a gap shorter than the time allowed sheds nothing": Story(
        (plugs((2_000, 1), (2_000, 4)), plugs((2_000, 1), (2_000, 4))),
        {"limit": Limit(19_000), "stale_after_s": 15},
        {10: heard("b", value=False), 22: heard("b", value=True)},
        90,
        "a/1 a/2 b/1 b/2",
    ),
    "nothing comes back while a PDU is not heard": Story(
        (plugs((2_000, 1), (2_000, 4)), plugs((2_000, 1), (2_000, 4))),
        {"limit": Limit(19_000), "stale_after_s": 15},
        {10: heard("b", value=False), 100: heard("b", value=True)},
        140,
        "a/1 a/2 b/1 b/2",
        ("27 a/2 off site", "101 a/2 on site"),
        ("shed", "restored"),
    ),
    "a PDU falls silent while it is asked to close: the others are shed as ever": Story(
        (plugs((2_000, 1), (2_000, 6)), plugs((2_000, 2), (2_000, 5))),
        {"limit": Limit(30_000), "pdus": {"a": Limit(10_000), "b": Limit(10_000)}},
        {
            1: demand("a/1", 9_000),
            20: demand("a/1", 1_000),
            33: lambda site: setattr(site, "deaf", {"a/2"}),
            34: heard("a", value=False),
            60: demand("b/1", 9_000),
        },
        80,
        "a/1 b/1",
        ("3 a/2 off site", "62 b/2 off site"),
        ("shed", "restored", "over_budget", "shed"),
    ),
    "it is heard again, and asked once more": Story(
        (plugs((2_000, 1), (2_000, 6)),),
        {"limit": Limit(10_000)},
        {
            1: demand("a/1", 9_000),
            20: demand("a/1", 1_000),
            33: lambda site: setattr(site, "deaf", {"a/2"}),
            34: heard("a", value=False),
            90: both(heard("a", value=True), lambda site: setattr(site, "deaf", set())),
        },
        130,
        "a/1 a/2",
        ("3 a/2 off site", "91 a/2 on site"),
        ("shed", "restored", "over_budget", "within_budget", "restored"),
    ),
    "a PDU falls silent as it is asked to open, and had obeyed": Story(
        (plugs((6_000, 1), (3_000, 5)), plugs((3_000, 2))),
        {"limit": Limit(10_000), "stale_after_s": 60},
        {
            3: lambda site: setattr(site.racks["a"], "heard", False),
            40: heard("a", value=True),
            50: demand("a/1", 1_000),
        },
        120,
        "a/1 a/2 b/1",
        ("3 a/2 off site", "18 b/1 off site", "71 b/1 on site", "102 a/2 on site"),
        ("shed", "shed", "restored", "restored"),
    ),
    "the server restarts while an order is under way": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {2: restart, 50: demand("a/1", 500)},
        100,
        "a/1 a/2 a/3",
        ("3 a/3 off site", "51 a/3 on site"),
        ("shed", "restored"),
    ),
    "the server restarts each second and nothing differs": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {**dict.fromkeys(range(1, 99), restart), 50: both(restart, demand("a/1", 500))},
        100,
        "a/1 a/2 a/3",
        ("3 a/3 off site", "51 a/3 on site"),
        ("shed", "restored"),
    ),
    "the clock is set forward an hour while something is shed": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {10: both(clock(3600), demand("a/1", 500))},
        60,
        "a/1 a/2 a/3",
        ("3 a/3 off site", "34 a/3 on site"),
        ("shed", "restored"),
    ),
    "the clock is set back an hour while something is shed": Story(
        (plugs(4_000, 4_000, 3_000),),
        TEN,
        {10: both(clock(-3600), demand("a/1", 500))},
        60,
        "a/1 a/2 a/3",
        ("3 a/3 off site", "34 a/3 on site"),
        ("shed", "restored"),
    ),
    "BACKUP is too small for what two PDUs carry": Story(
        (plugs((3_000, 1), (3_000, 5)), plugs((3_000, 2), (3_000, 6))),
        {"backup": Limit(7_000)},
        {10: both(source("a", Source.BACKUP), source("b", Source.BACKUP))},
        60,
        "a/1 b/1",
        ("11 b/2 off site", "11 a/2 off site"),
        ("shed", "shed"),
    ),
    "a PDU on MAIN does not count on BACKUP": Story(
        (plugs((3_000, 1), (3_000, 5)), plugs((3_000, 2), (3_000, 6))),
        {"backup": Limit(7_000)},
        {10: source("a", Source.BACKUP)},
        60,
        "a/1 a/2 b/1 b/2",
    ),
    "back on MAIN, what BACKUP could not carry returns in turn": Story(
        (plugs((3_000, 1), (3_000, 5)), plugs((3_000, 2), (3_000, 6))),
        {"backup": Limit(7_000)},
        {
            10: both(source("a", Source.BACKUP), source("b", Source.BACKUP)),
            100: both(source("a", Source.MAIN), source("b", Source.MAIN)),
        },
        180,
        "a/1 a/2 b/1 b/2",
        ("11 b/2 off site", "11 a/2 off site", "101 a/2 on site", "132 b/2 on site"),
        ("shed", "shed", "restored", "restored"),
    ),
    "the only PDU leaves a BACKUP that was too small for what must stay": Story(
        (plugs(Plug(5_000, 1, protected=True)),),
        {"backup": Limit(4_000)},
        {10: source("a", Source.BACKUP), 40: source("a", Source.MAIN)},
        60,
        "a/1",
        (),
        ("over_budget", "within_budget"),
    ),
    "the longer BACKUP lasts the less is kept": Story(
        (plugs((1_000, 1), (1_000, 4), (1_000, 8)),),
        {"stages": (Stage(60, 7), Stage(300, 2))},
        {10: source("a", Source.BACKUP)},
        400,
        "a/1",
        ("71 a/3 off site", "311 a/2 off site"),
        ("shed", "shed"),
    ),
    "after BACKUP the stages let go again": Story(
        (plugs((1_000, 1), (1_000, 4), (1_000, 8)),),
        {"stages": (Stage(60, 2),)},
        {10: source("a", Source.BACKUP), 200: source("a", Source.MAIN)},
        300,
        "a/1 a/2 a/3",
        ("71 a/2 off site", "71 a/3 off site", "201 a/2 on site", "232 a/3 on site"),
        ("shed", "shed", "restored", "restored"),
    ),
    "a source that flaps moves nothing on a site with room": Story(
        (plugs(3_000, 3_000),),
        {"backup": Limit(8_000), "stages": (Stage(60, 1),)},
        {at: source("a", Source.BACKUP if at % 40 else Source.MAIN) for at in range(20, 400, 20)},
        400,
        "a/1 a/2",
    ),
    "the timer of the stages survives a restart": Story(
        (plugs((1_000, 1), (1_000, 8)),),
        {"stages": (Stage(60, 7),)},
        {10: source("a", Source.BACKUP), 40: restart},
        100,
        "a/1",
        ("71 a/2 off site",),
        ("shed",),
    ),
    "the limit of one PDU is kept though the site has room": Story(
        (
            plugs((3_000, 1), (3_000, 5)),
            plugs(
                (3_000, 2),
            ),
        ),
        {"limit": Limit(20_000), "pdus": {"a": Limit(4_000)}},
        {},
        20,
        "a/1 b/1",
        ("3 a/2 off site",),
        ("shed",),
    ),
    "what the leaf gives up counts at the root": Story(
        (plugs((3_000, 1), (3_000, 5)), plugs((3_000, 2), (3_000, 8))),
        {"limit": Limit(9_500), "pdus": {"a": Limit(4_000)}},
        {},
        20,
        "a/1 b/1 b/2",
        ("3 a/2 off site",),
        ("shed",),
    ),
    "a limit in watts sheds as one in amps": Story(
        (plugs((3_000, 1), (3_000, 5)),),
        {"limit": Limit(None, 1_000_000)},
        {},
        20,
        "a/1",
        ("3 a/2 off site",),
        ("shed",),
    ),
    "no limit at all sheds nothing": Story((plugs(30_000, 30_000),), {}, {}, 60, "a/1 a/2"),
    "answers that take eight seconds are waited for": Story(
        (plugs((6_000, 1), (3_000, 4), (3_000, 8)),),
        TEN,
        {1: lambda site: setattr(site, "latency_s", 8)},
        60,
        "a/1 a/2",
        ("10 a/3 off site",),
        ("shed",),
    ),
    "an overload that grows while it is shed takes the next": Story(
        (plugs((6_000, 1), (3_000, 4), (3_000, 8)),),
        TEN,
        {4: demand("a/1", 9_000)},
        30,
        "a/1",
        ("3 a/3 off site", "6 a/2 off site"),
        ("shed", "shed"),
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    story = STORIES[name]
    site = bench(*([Plug(**vars(plug)) for plug in rack] for rack in story.racks), **dict(story.limits))
    for second in range(1, story.until_s + 1):
        act = story.happens.get(second)
        if act is not None:
            act(site)
        site.step()
    who = {site_origin("cellar"): "site"}
    moves = tuple(
        f"{one.at_s} {one.outlet} {'on' if one.on else 'off'} {who.get(one.by, one.by)}" for one in site.moved
    )
    assert (moves, tuple(site.codes())) == (story.moves, story.told)
    assert site.on() == story.on.split()
    if story.asked is not None:
        assert len(site.asked) == story.asked


def test_there_are_at_least_forty_stories() -> None:
    assert len(STORIES) >= 40
