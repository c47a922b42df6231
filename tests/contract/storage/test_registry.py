import pytest

from loadcenter.services.ports import DeviceRow, Store


def device(pdu_id: str, name: str) -> DeviceRow:
    return DeviceRow(pdu_id, name, 17, "$2b$12$abc", "PBKDF2$sha512$1$a$b")


async def test_devices_come_by_name(store: Store) -> None:
    rows = [device("b", "Alpha"), device("a", "Zulu"), device("c", "Regal 😀 " + "x" * 200)]
    for row in rows:
        await store.put_device(row)
    assert await store.devices() == [rows[0], rows[2], rows[1]]


async def test_a_device_is_replaced(store: Store) -> None:
    await store.put_device(device("a", "old"))
    await store.put_device(DeviceRow("a", "new", 18, "x", "y", '{"1": "Kühlschrank 😀"}'))
    assert await store.devices() == [DeviceRow("a", "new", 18, "x", "y", '{"1": "Kühlschrank 😀"}')]


async def test_a_device_is_forgotten_once(store: Store) -> None:
    await store.put_device(device("a", "one"))
    assert await store.delete_device("a")
    assert not await store.delete_device("a")
    assert await store.devices() == []


async def test_desired_settings_change_only_from_the_version_that_was_read(store: Store) -> None:
    assert await store.desired("a") is None
    assert not await store.put_desired("a", 6, "{}", before=5)
    assert await store.desired("a") is None
    assert await store.put_desired("a", 1, '{"name": "😀"}', before=0)
    assert not await store.put_desired("a", 1, "{}", before=0)
    assert await store.put_desired("a", 2, "{}", before=1)
    assert not await store.put_desired("a", 3, "{}", before=1)
    assert await store.desired("a") == (2, "{}")
    assert await store.desired("b") is None


@pytest.mark.parametrize("size", [0, 60_000])
async def test_settings_of_any_size_come_back(store: Store, size: int) -> None:
    assert await store.put_desired("a", 1, "x" * size, before=0)
    assert await store.desired("a") == (1, "x" * size)
