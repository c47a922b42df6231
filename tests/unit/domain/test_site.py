from dataclasses import replace

import pytest
from tests.unit.domain.site_bench import Plug, bench, load

from loadcenter.domain.budget import Load
from loadcenter.domain.site import (
    Circuit,
    Level,
    Limit,
    SeenPdu,
    SiteConfig,
    SiteError,
    Stage,
    check_site,
    circuits_of,
)
from loadcenter.domain.topology import Source

SITE = SiteConfig("cellar", "Cellar", {"a": Limit(10_000)})


def test_a_limit_of_none_is_no_limit():
    none = Limit()
    assert none.is_none
    assert not none.passed_by(Load(10**9, 10**12))
    assert none.fits_well(Load(10**9, 10**12), Load(10**9, 10**9))


@pytest.mark.parametrize(("ma", "mw", "over"), [(5_001, 0, True), (5_000, 100, False), (0, 101, True)])
def test_a_limit_is_passed_in_current_or_in_power(ma, mw, over):
    assert Limit(5_000, 100).passed_by(Load(ma, mw)) is over


def test_a_draw_fits_with_half_of_it_more_and_a_tenth_to_spare():
    limit = Limit(10_000)
    assert limit.fits_well(Load(6_000, 0), Load(2_000, 0))
    assert not limit.fits_well(Load(6_001, 0), Load(2_000, 0))


def test_circuits_go_from_leaf_to_root_and_leave_out_what_has_no_limit():
    site = bench(
        [Plug(1_000)], [Plug(2_000)], limit=Limit(9_000), backup=Limit(5_000), pdus={"b": Limit(4_000)}
    )
    site.racks["b"].source = Source.BACKUP
    found = circuits_of(site.config, site.seen())
    assert [(one.key, one.load.current_ma) for one in found] == [
        ("pdu:b", 2_000),
        ("supply:backup", 2_000),
        ("site:cellar", 3_000),
    ]
    assert [one.title for one in found] == ["the limit of b", "BACKUP of the site", "the site 'cellar'"]


def test_a_pdu_that_is_not_heard_counts_with_its_own_budget():
    silent = SeenPdu("a", Source.MAIN, stale=True, most=load(16_000), outlets=())
    assert silent.load == load(16_000)
    assert replace(silent, stale=False).load == Load(0, 0)


def test_the_numbers_of_a_circuit_leave_out_what_is_not_limited():
    circuit = Circuit(Level.SITE, "s", Limit(None, 500), Load(2_000, 460_000), frozenset({"a"}))
    assert circuit.numbers == {"circuit": "site:s", "total_mw": 460_000, "budget_mw": 500}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"site_id": "No!"}, "a-z, 0-9"),
        ({"name": ""}, "1 to 64 characters"),
        ({"pdus": {}}, "1 to 200 PDUs"),
        ({"dwell_s": 61}, "dwell_s is 61: it must be 0 to 60"),
        ({"stale_after_s": 4}, "5 to 600"),
        ({"limit": Limit(0)}, "more than 0"),
        ({"backup": Limit(None, -1)}, "power_w of a limit is -0.001"),
        ({"stages": (Stage(-1, 2),)}, "after_s of a stage is -1"),
        ({"stages": (Stage(1, 9),)}, "keep_priority of a stage is 9"),
        ({"stages": (Stage(1, 1),) * 9}, "at most 8 stages"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_range(change, says):
    with pytest.raises(SiteError, match=says):
        check_site(replace(SITE, **change))
    assert check_site(SITE) is SITE
