from dataclasses import replace

import pytest

from loadcenter.domain.commands import CommandStatus, Do, Order
from loadcenter.domain.topology import Source
from loadcenter.services.ports import CommandRow, Store, StoreDataError

ROW = CommandRow(
    "c1", "rack-1", Order(Do.CYCLE, 2, None, 5000, None, "Änne 😀"), CommandStatus.PENDING, "", 1000
)


@pytest.mark.parametrize(
    "order",
    [
        Order(Do.SWITCH, 48, True, by="api"),
        Order(Do.LOCK, 1, False),
        Order(Do.CYCLE, 1, off_ms=3_600_000),
        Order(Do.TRANSFER, source=Source.BACKUP),
        Order(Do.CLEAR_LOCKOUT),
    ],
)
async def test_a_command_comes_back_as_it_was(store: Store, order: Order) -> None:
    row = replace(ROW, order=order, idempotency_key="k", detail="why", code="ok", settled_ms=7)
    assert await store.add_command(row) == row
    assert await store.command("c1") == row
    assert await store.command("c2") is None


async def test_a_known_idempotency_key_gives_the_command_kept_under_it(store: Store) -> None:
    first = replace(ROW, idempotency_key="key")
    await store.add_command(first)
    await store.settle_command("c1", CommandStatus.CONFIRMED, "ok", 2000, "")
    again = await store.add_command(replace(first, id="c2", created_ms=3000))
    assert again == replace(first, status=CommandStatus.CONFIRMED, code="ok", settled_ms=2000)
    assert await store.command("c2") is None


async def test_commands_without_a_key_are_all_kept(store: Store) -> None:
    await store.add_command(ROW)
    await store.add_command(replace(ROW, id="c2"))
    assert len(await store.commands(None, 10)) == 2


async def test_an_id_is_given_once(store: Store) -> None:
    await store.add_command(ROW)
    with pytest.raises(StoreDataError):
        await store.add_command(replace(ROW, pdu_id="rack-2"))
    assert await store.command("c1") == ROW


async def test_a_command_is_settled_and_a_late_answer_settles_it_again(store: Store) -> None:
    await store.add_command(ROW)
    await store.settle_command("c1", CommandStatus.ACCEPTED, "", 1500, "")
    row = await store.command("c1")
    assert row is not None
    assert (row.status, row.settled_ms) == (CommandStatus.ACCEPTED, None)
    await store.settle_command("c1", CommandStatus.UNKNOWN, "", 2000, "no answer")
    await store.settle_command("c1", CommandStatus.REJECTED, "latched", 9000, "trip")
    row = await store.command("c1")
    assert row == replace(ROW, status=CommandStatus.REJECTED, code="latched", settled_ms=9000, detail="trip")


async def test_settling_a_command_that_is_not_there_is_an_error(store: Store) -> None:
    with pytest.raises(StoreDataError, match="no command 'c9'"):
        await store.settle_command("c9", CommandStatus.CONFIRMED, "ok", 1, "")


async def test_the_latest_commands_come_first(store: Store) -> None:
    rows = [replace(ROW, id=f"c{at}", pdu_id=f"rack-{at % 2}", created_ms=at) for at in range(6)]
    for row in rows:
        await store.add_command(row)
    assert [row.id for row in await store.commands(None, 3)] == ["c5", "c4", "c3"]
    assert [row.id for row in await store.commands("rack-0", 2)] == ["c4", "c2"]
    assert await store.commands("nobody", 2) == []
