"""Desired settings: checked, versioned, published retained (MQTT-50)."""

from typing import Any

import pytest
from tests.fakes.builders import Center, birth

from loadcenter.services.fleet import NoSuchPduError
from loadcenter.services.ports import StoreUnavailableError
from loadcenter.services.tuning import SettingRefusedError, SettingsConflictError

SLOWER = {"sequence_ms": 500}


async def test_a_change_is_kept_published_retained_and_raises_the_version(center: Center) -> None:
    assert await center.tuning.change("rack-1", 0, SLOWER, [{"n": 2, "limit_ma": 2_500}]) == 1
    (sent,) = center.sent("desired")
    assert sent == {"v": 1, "version": 1, "pdu": SLOWER, "out": [{"n": 2, "limit_ma": 2_500}]}
    assert "loadcenter/v1/rack-1/down/desired" in center.broker.retained
    kept = await center.store.desired("rack-1")
    assert kept is not None
    assert kept[0] == 1


async def test_each_version_says_everything_that_was_changed_so_far(center: Center) -> None:
    await center.tuning.change("rack-1", 0, SLOWER, [{"n": 10, "limit_ma": 2_500}])
    await center.tuning.change("rack-1", 1, {"preferred": "backup"}, [{"n": 2, "limit_ms": 100}])
    await center.tuning.change("rack-1", 2, {}, [{"n": 10, "power_on": "always_off"}])
    assert center.sent("desired")[-1] == {
        "v": 1,
        "version": 3,
        "pdu": {"sequence_ms": 500, "preferred": "backup"},
        "out": [{"n": 2, "limit_ms": 100}, {"n": 10, "limit_ma": 2_500, "power_on": "always_off"}],
    }


async def test_whoever_comes_second_is_told_both_values_and_nothing_changes(center: Center) -> None:
    await center.tuning.change("rack-1", 0, SLOWER, [])
    with pytest.raises(SettingsConflictError, match=r"version 1 now.*500.*750"):
        await center.tuning.change("rack-1", 0, {"sequence_ms": 750}, [])
    assert len(center.sent("desired")) == 1


async def test_a_change_made_by_another_process_is_a_conflict_too(center: Center) -> None:
    await center.store.put_desired("rack-1", 1, "{}", 0)
    with pytest.raises(SettingsConflictError, match="version 1 now"):
        await center.tuning.change("rack-1", 0, SLOWER, [])
    assert await center.tuning.change("rack-1", 1, SLOWER, []) == 2


async def test_a_change_of_a_commit_that_was_given_up_and_happened_is_found_and_published(
    center: Center, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_desired = center.store.put_desired

    async def late(pdu_id: str, version: int, settings: str, before: int) -> bool:
        await put_desired(pdu_id, version, settings, before)
        raise StoreUnavailableError("it does not answer within 5 s")

    with monkeypatch.context() as patch:
        patch.setattr(center.store, "put_desired", late)
        with pytest.raises(StoreUnavailableError):
            await center.tuning.change("rack-1", 0, SLOWER, [])
    with pytest.raises(SettingsConflictError, match="version 1 now"):
        await center.tuning.change("rack-1", 0, SLOWER, [])
    assert [one["version"] for one in center.sent("desired")] == [1]
    assert await center.tuning.change("rack-1", 1, SLOWER, []) == 2


@pytest.mark.parametrize(
    ("pdu", "out", "says"),
    [
        ({"sequence_ms": 60_001}, [], r"sequence_ms is 60001: it must be 0 to 60000"),
        ({"sequence_ms": "250"}, [], "sequence_ms"),
        ({"sequence_ms": True}, [], "sequence_ms"),
        ({"preferred": "solar"}, [], "main, backup"),
        ({"sequenze_ms": 1}, [], "sequenze_ms"),
        ({}, [{"n": 1, "limit_ma": 99}], "limit_ma of outlet 1 is 99: it must be 100 to 10000"),
        ({}, [{"n": 1, "limit": 1}], "limit of outlet 1"),
        ({}, [{"n": 0}], "1 to 48"),
        ({}, [{"n": 49}], "1 to 48"),
        ({}, [{"limit_ma": 500}], "n of an outlet is None"),
        ({}, [{"n": [1]}], r"n of an outlet is \[1\]"),
        ({}, [{"n": "1"}], "n of an outlet is '1'"),
        ({}, [{"n": True}], "n of an outlet is True"),
    ],
)
async def test_a_setting_out_of_range_is_refused_with_its_name_and_range(
    center: Center, pdu: dict[str, Any], out: list[dict[str, Any]], says: str
) -> None:
    with pytest.raises(SettingRefusedError, match=says):
        await center.tuning.change("rack-1", 0, pdu, out)
    assert await center.store.desired("rack-1") is None
    assert center.sent("desired") == []


async def test_an_outlet_that_the_pdu_does_not_have_is_refused_once_it_is_known(center: Center) -> None:
    await center.hear("birth", birth(outlets=2))
    with pytest.raises(SettingRefusedError, match="1 to 2"):
        await center.tuning.change("rack-1", 0, {}, [{"n": 3, "limit_ma": 500}])


async def test_without_the_broker_a_change_is_kept_and_published_when_it_is_back(center: Center) -> None:
    center.broker.stop()
    assert await center.tuning.change("rack-1", 0, SLOWER, []) == 1
    assert center.fleet.twin("rack-1").desired_version == 1
    center.broker.start()
    await center.watch.look()
    assert [one["version"] for one in center.sent("desired")] == [1]


async def test_without_the_database_nothing_changes(center: Center) -> None:
    center.store.away = "gone"
    with pytest.raises(StoreUnavailableError):
        await center.tuning.change("rack-1", 0, SLOWER, [])
    assert center.fleet.twin("rack-1").desired_version == 0


async def test_an_unknown_pdu_has_no_settings(center: Center) -> None:
    with pytest.raises(NoSuchPduError):
        await center.tuning.change("rack-9", 0, {}, [])


async def test_nothing_is_published_before_the_first_change(center: Center) -> None:
    await center.tuning.publish("rack-1")
    assert center.sent("desired") == []
