"""Sites, groups and plans are kept, and changed only by whoever knew the version before."""

from collections.abc import Sequence

from tests.contract.storage.records import T0

from loadcenter.domain.rollups import Counters, OutletRollup, Stat, Tier, bucket_start_ms
from loadcenter.services.ports import DrawColumns, GroupRow, IngestBatch, PlanRow, RollupKey, SiteRow, Store

CELLAR = SiteRow("cellar", 1, '{"name": "Cellar"}')


async def test_a_site_is_kept_with_its_state(store: Store) -> None:
    assert await store.put_site(CELLAR, 0)
    await store.put_site_state("cellar", '{"marks": {}}')
    await store.put_site_state("nowhere", "x")
    assert await store.sites() == [SiteRow("cellar", 1, CELLAR.config, '{"marks": {}}')]


async def test_a_site_is_changed_only_from_the_version_that_is_stored(store: Store) -> None:
    assert await store.put_site(CELLAR, 0)
    assert not await store.put_site(SiteRow("cellar", 2, "other"), 0)
    assert await store.put_site(SiteRow("cellar", 2, "other"), 1)
    assert [row.config for row in await store.sites()] == ["other"]


async def test_a_site_is_forgotten(store: Store) -> None:
    await store.put_site(CELLAR, 0)
    assert await store.delete_site("cellar")
    assert not await store.delete_site("cellar")
    assert await store.sites() == []


async def test_groups_are_kept_by_id(store: Store) -> None:
    lights = GroupRow("lights", 1, "Lights", '["rack-1/1"]')
    assert await store.put_group(lights, 0)
    assert await store.put_group(GroupRow("aux", 1, "Aux", "[]"), 0)
    assert not await store.put_group(lights, 0)
    assert [row.group_id for row in await store.groups()] == ["aux", "lights"]
    assert await store.delete_group("aux")
    assert await store.groups() == [lights]


async def test_open_plans_are_all_returned_and_of_the_others_the_latest(store: Store) -> None:
    for number in range(6):
        await store.put_plan(PlanRow(f"p-{number}", T0 + number, "ada", number % 2 == 0, "[]"))
    await store.put_plan(PlanRow("p-0", T0, "ada", True, '["changed"]'))
    found = await store.plans(1)
    assert [row.plan_id for row in found] == ["p-5", "p-4", "p-2", "p-0"]
    assert found[-1].steps == '["changed"]'


async def test_minutes_come_as_columns_with_what_is_unknown_as_nothing(store: Store) -> None:
    start = bucket_start_ms(T0, Tier.MINUTE)
    known = OutletRollup(60_000, Stat(2, 100, 900, 1_001), Stat(), Stat(3, 10, 40, 61), Counters(0, 0, 0, 0))
    minutes = {
        RollupKey("rack-1", 1, start): known,
        RollupKey("rack-1", 1, start + 120_000): OutletRollup(60_000, Stat(), Stat(), Stat()),
        RollupKey("rack-1", 2, start + 2 * 86_400_000): known,
    }
    await store.commit(IngestBatch(outlet_minutes=minutes))
    found = await store.draw_minutes("rack-1", [1, 2, 3], start, start + 3 * 86_400_000)
    assert {n: tuple(map(list, columns_of(one))) for n, one in found.items()} == {
        1: ([start, start + 120_000], [20, 0], [40, 0], [500, 0], [900, 0]),
        2: ([start + 2 * 86_400_000], [20], [40], [500], [900]),
    }
    assert await store.draw_minutes("rack-9", [1], start, start + 60_000) == {}


def columns_of(one: DrawColumns) -> tuple[Sequence[int], ...]:
    return one.start_ms, one.mean_ma, one.most_ma, one.mean_mw, one.most_mw
