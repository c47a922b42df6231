"""Registered PDUs, their credentials and their names."""

import pytest
from tests.fakes.builders import START_MS, Center

from loadcenter.domain.topology import TopologyError
from loadcenter.services.fleet import NoSuchPduError
from loadcenter.services.labels import Labels, OutletLabel, read_labels, write_labels
from loadcenter.services.ports import StoreUnavailableError
from loadcenter.services.registry import AlreadyRegisteredError


async def test_a_registered_pdu_is_known_at_once_and_only_hashes_are_kept(center: Center) -> None:
    assert (await center.registry.add("rack-2", "Second rack")).password == "device-password"
    assert center.fleet.registered("rack-2")
    row = {one.pdu_id: one for one in await center.store.devices()}["rack-2"]
    assert (row.name, row.bcrypt_hash, row.mosquitto_hash) == ("Second rack", "bcrypt of it", "pbkdf2 of it")
    assert "device-password" not in str(row)
    assert center.admissions == 1


async def test_without_a_name_a_pdu_is_called_by_its_id(center: Center) -> None:
    await center.registry.add("rack-2", "")
    assert center.fleet.labels("rack-2").name == "rack-2"


@pytest.mark.parametrize("pdu_id", ["", "Rack", "a b", "x" * 33, "+", "#", "a/b", "räck"])
async def test_a_name_that_is_no_topic_level_is_refused(center: Center, pdu_id: str) -> None:
    with pytest.raises(TopologyError, match="a-z"):
        await center.registry.add(pdu_id, "")


async def test_a_registered_pdu_is_not_replaced_by_accident(center: Center) -> None:
    with pytest.raises(AlreadyRegisteredError, match="--replace"):
        await center.registry.add("rack-1", "")
    assert center.admissions == 0


async def test_a_new_password_changes_neither_names_nor_the_day_of_registration(center: Center) -> None:
    await center.registry.rename("rack-1", "Rack in the cellar", {1: OutletLabel(1, "Router", critical=True)})
    await center.clock.advance(86_400_000)
    await center.registry.add("rack-1", "", replace_secret=True)
    (row,) = await center.store.devices()
    assert (row.created_ms, row.bcrypt_hash) == (START_MS, "bcrypt of it")
    assert center.fleet.labels("rack-1").name == "Rack in the cellar"
    assert center.fleet.labels("rack-1").outlet(1) == OutletLabel(1, "Router", critical=True)


async def test_a_pdu_that_is_registered_again_keeps_what_it_has_reported(center: Center) -> None:
    await center.greet()
    await center.registry.add("rack-1", "", replace_secret=True)
    assert center.fleet.twin("rack-1").identity is not None


async def test_names_survive_a_restart(center: Center) -> None:
    await center.registry.rename("rack-1", "Küche", {2: OutletLabel(2, "Kühlschrank")})
    again = await Center(store=center.store).open()
    assert again.fleet.labels("rack-1") == Labels("Küche", {2: OutletLabel(2, "Kühlschrank")})


async def test_an_unknown_pdu_cannot_be_renamed(center: Center) -> None:
    with pytest.raises(NoSuchPduError):
        await center.registry.rename("rack-9", "x", {})


async def test_while_the_database_is_away_nothing_is_registered(center: Center) -> None:
    center.store.away = "gone"
    with pytest.raises(StoreUnavailableError):
        await center.registry.add("rack-2", "")
    assert not center.fleet.registered("rack-2")


def test_labels_are_read_as_they_were_written() -> None:
    outlets = {n: OutletLabel(n, f"outlet “{n}”", critical=n == 2) for n in (3, 1, 2)}
    assert read_labels("rack", write_labels(outlets)) == Labels("rack", outlets)


def test_an_outlet_nobody_has_named_is_called_by_its_number() -> None:
    labels = read_labels("rack", "")
    assert labels.outlet(4) == OutletLabel(4, "Outlet 4")
    assert Labels("rack", {4: OutletLabel(4, "", critical=True)}).outlet(4) == OutletLabel(
        4, "Outlet 4", critical=True
    )


@pytest.mark.parametrize("text", ["{", "{}", '[{"n": 0}]', '[{"name": "x"}]'])
def test_labels_that_nobody_wrote_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_labels("rack", text)
