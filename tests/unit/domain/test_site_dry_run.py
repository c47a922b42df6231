"""The rules of a site over recorded minutes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadcenter.domain import site_dry_run as site_dry_run_module
from loadcenter.domain.dry_run import OutletMinutes, Recorded
from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.domain.site import Limit, SiteConfig, Stage
from loadcenter.domain.site_dry_run import site_dry_run
from loadcenter.domain.topology import OutletId, Source

CONFIGS = {
    "a": PduConfig((OutletConfig(priority=1), OutletConfig(priority=5))),
    "b": PduConfig((OutletConfig(priority=2), OutletConfig(priority=6, protected=True))),
}


def record(*columns, sources=((0, Source.MAIN),)):
    outlets = []
    for column in columns:
        mw = [ma * 230 for ma in column]
        outlets.append(OutletMinutes(column, mw, column, mw))
    return Recorded(0, len(columns[0]), len(columns[0]), tuple(outlets), sources)


def site(**limits):
    return SiteConfig("hall", "Hall", {"a": Limit(), "b": Limit()}, **limits)


def told(result):
    return [(event.ts_ms // 60_000, event.code.value, str(event.outlet)) for event in result.events]


def test_within_the_limits_nothing_happens():
    both = {"a": record([1_000] * 9, [1_000] * 9), "b": record([1_000] * 9, [1_000] * 9)}
    result = site_dry_run(both, CONFIGS, site(limit=Limit(5_000)))
    assert (result.event_count, result.over_minutes, result.outlets) == (0, 0, {})


def test_the_lowest_that_may_go_is_shed_and_comes_back():
    both = {
        "a": record([1_000, 4_000, 4_000, 1_000, 1_000], [2_000] * 5),
        "b": record([1_000] * 5, [2_000] * 5),
    }
    result = site_dry_run(both, CONFIGS, site(limit=Limit(8_000)))
    assert told(result) == [(1, "shed", "a/2"), (3, "restored", "a/2")]
    one = result.outlets[OutletId("a", 2)]
    assert (one.sheds, one.off_minutes, one.lost_mwh) == (1, 2, 2 * (2_000 * 230 // 60))
    assert result.over_minutes == 0


def test_what_cannot_be_shed_is_counted_as_over():
    both = {"a": record([0] * 4, [0] * 4), "b": record([0] * 4, [3_000, 3_000, 3_000, 0])}
    result = site_dry_run(both, CONFIGS, site(limit=Limit(2_000)))
    assert told(result) == [(0, "over_budget", "None"), (3, "within_budget", "None")]
    assert result.over_minutes == 3


def test_backup_has_its_limit_and_its_stages():
    sources = ((0, Source.MAIN), (2, Source.BACKUP), (9, Source.MAIN))
    both = {"a": record([2_000] * 12, [2_000] * 12, sources=sources), "b": record([2_000] * 12, [0] * 12)}
    limited = site_dry_run(both, CONFIGS, site(backup=Limit(3_000)))
    assert told(limited) == [(2, "shed", "a/2"), (9, "restored", "a/2")]
    staged = site_dry_run(both, CONFIGS, site(stages=(Stage(240, 3),)))
    assert told(staged) == [(6, "shed", "a/2"), (9, "restored", "a/2")]


def test_no_pdu_no_minutes():
    assert site_dry_run({}, {}, site(limit=Limit(1))).event_count == 0


COLUMN = st.lists(st.sampled_from([0, 150, 900, 2_500, 4_000]), min_size=6, max_size=6)


@settings(deadline=None, max_examples=25)
@given(st.lists(COLUMN, min_size=4, max_size=4), st.integers(1, 12), st.integers(0, 5), st.booleans())
def test_the_minutes_that_are_passed_by_would_have_decided_nothing(columns, limit, leaves, limited):
    sources = ((0, Source.MAIN), (leaves, Source.BACKUP)) if leaves else ((0, Source.MAIN),)
    both = {"a": record(*columns[:2], sources=sources), "b": record(*columns[2:])}
    config = site(limit=Limit(limit * 1_000), backup=Limit(3_000) if limited else Limit())
    quick = site_dry_run(both, CONFIGS, config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_dry_run_module._Run, "_may_decide", lambda *_: True)
        slow = site_dry_run(both, CONFIGS, config)
    assert (quick.events, quick.outlets, quick.over_minutes) == (slow.events, slow.outlets, slow.over_minutes)
