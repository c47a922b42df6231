"""Schedules, their runs and marks, and what they depend on (`ports.ScheduleStore`); each method is one transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Row, Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.dialect import (
    KEYS_PER_STATEMENT,
    chunks,
    insert_new,
    insert_only,
    upsert,
    write_rows,
)
from loadcenter.adapters.storage.schedule_plans import plan_text, read_plan
from loadcenter.adapters.storage.schema import (
    energy_price,
    hold_off,
    holiday,
    schedule,
    schedule_mark,
    schedule_run,
)
from loadcenter.adapters.storage.transactions import Database
from loadcenter.domain.occurrences import Edge, Past, RunKey, RunResult
from loadcenter.domain.schedules import Act
from loadcenter.domain.topology import OutletId
from loadcenter.services.ports.schedules import (
    HoldRow,
    MarkKind,
    MarkRow,
    PriceRow,
    RunFilter,
    RunRow,
    ScheduleRow,
)

_WHOLE = "", 0
"""PDU and outlet of a mark that means all of an occurrence."""


class SqlSchedules:
    """The `ScheduleStore` port on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def schedules(self) -> list[ScheduleRow]:
        """See `ScheduleStore.schedules`."""
        rows = await self._rows(select(schedule).order_by(schedule.c.name))
        return [_schedule(row) for row in rows]

    async def put_schedule(self, row: ScheduleRow, before: int) -> bool:
        """See `ScheduleStore.put_schedule`."""
        return await self._database.write(partial(_put_schedule, row=row, before=before))

    async def delete_schedule(self, schedule_id: str) -> bool:
        """See `ScheduleStore.delete_schedule`."""
        return await self._database.write(partial(_delete_schedule, schedule_id=schedule_id))

    async def decide(
        self, runs: Sequence[RunRow], marks: Sequence[MarkRow], decided_ms: Mapping[str, int]
    ) -> frozenset[RunKey]:
        """See `ScheduleStore.decide`."""
        return await self._database.write(partial(_decide, runs=runs, marks=marks, decided_ms=decided_ms))

    async def settle_run(self, key: RunKey, past: Past, command_id: str | None, detail: str) -> None:
        """See `ScheduleStore.settle_run`."""
        values = {
            "result": past.result.value,
            "code": past.code,
            "command_id": command_id,
            "detail": detail,
        }

        async def settle(connection: AsyncConnection) -> None:
            await connection.execute(update(schedule_run).where(*_is(key)).values(values))

        await self._database.write(settle)

    async def runs(self, wanted: RunFilter) -> list[RunRow]:
        """See `ScheduleStore.runs`."""
        run, query = schedule_run.c, select(schedule_run)
        if wanted.since_ms is not None:
            query = query.where(run.due_ms >= wanted.since_ms)
        if wanted.until_ms is not None:
            query = query.where(run.due_ms < wanted.until_ms)
        if wanted.schedule_id is not None:
            query = query.where(run.schedule_id == wanted.schedule_id)
        if wanted.place is not None:
            query = query.where(run.pdu_id == wanted.place.pdu_id, run.outlet == wanted.place.outlet)
        latest = query.order_by(run.due_ms.desc(), run.edge.desc(), run.schedule_id, run.pdu_id, run.outlet)
        return [_run(row) for row in await self._rows(latest.limit(wanted.limit))]

    async def past_of(self, starts_ms: Collection[int], now_ms: int) -> dict[RunKey, Past]:
        """See `ScheduleStore.past_of`."""
        found: dict[RunKey, Past] = {}
        for some in chunks(sorted(starts_ms), KEYS_PER_STATEMENT):
            rows = await self._rows(select(schedule_run).where(schedule_run.c.start_ms.in_(some)))
            found |= {one.key: one.past for one in map(_run, rows) if not one.missed_after(now_ms)}
        return found

    async def runs_under_way(self) -> list[RunRow]:
        """See `ScheduleStore.runs_under_way`."""
        query = select(schedule_run).where(schedule_run.c.result == RunResult.SENT.value)
        return [_run(row) for row in await self._rows(query.order_by(schedule_run.c.due_ms))]

    async def forget_runs(self, before_ms: int) -> int:
        """See `ScheduleStore.forget_runs`."""

        async def forget(connection: AsyncConnection) -> int:
            gone = await connection.execute(delete(schedule_run).where(schedule_run.c.due_ms < before_ms))
            await connection.execute(delete(schedule_mark).where(schedule_mark.c.start_ms < before_ms))
            return int(gone.rowcount)

        return await self._database.write(forget)

    async def marks(self) -> list[MarkRow]:
        """See `ScheduleStore.marks`."""
        return [_mark(row) for row in await self._rows(select(schedule_mark))]

    async def put_marks(self, rows: Iterable[MarkRow]) -> None:
        """See `ScheduleStore.put_marks`."""
        values = [_mark_values(row) for row in rows]
        await self._database.write(partial(write_rows, how=insert_new, table=schedule_mark, rows=values))

    async def delete_marks(self, schedule_id: str, kind: MarkKind, start_ms: int | None = None) -> bool:
        """See `ScheduleStore.delete_marks`."""
        mark = schedule_mark.c
        query = delete(schedule_mark).where(mark.schedule_id == schedule_id, mark.kind == kind.value)
        return await self._delete(query if start_ms is None else query.where(mark.start_ms == start_ms))

    async def holds(self) -> list[HoldRow]:
        """See `ScheduleStore.holds`."""
        rows = await self._rows(select(hold_off).order_by(hold_off.c.pdu_id, hold_off.c.outlet))
        return [HoldRow(OutletId(row.pdu_id, row.outlet), row.since_ms, row.given_by) for row in rows]

    async def put_hold(self, row: HoldRow) -> None:
        """See `ScheduleStore.put_hold`."""
        values = [(row.place.pdu_id, row.place.outlet, row.since_ms, row.by)]
        await self._database.write(partial(write_rows, how=insert_new, table=hold_off, rows=values))

    async def delete_hold(self, place: OutletId) -> bool:
        """See `ScheduleStore.delete_hold`."""
        held = hold_off.c
        return await self._delete(
            delete(hold_off).where(held.pdu_id == place.pdu_id, held.outlet == place.outlet)
        )

    async def holidays(self) -> dict[date, str]:
        """See `ScheduleStore.holidays`."""
        rows = await self._rows(select(holiday).order_by(holiday.c.day))
        return {date.fromisoformat(row.day): row.name for row in rows}

    async def set_holidays(self, holidays: Mapping[date, str]) -> None:
        """See `ScheduleStore.set_holidays`."""
        rows = [(day.isoformat(), name) for day, name in sorted(holidays.items())]

        async def replace_all(connection: AsyncConnection) -> None:
            await connection.execute(delete(holiday))
            await write_rows(connection, insert_only, holiday, rows)

        await self._database.write(replace_all)

    async def prices(self, since_ms: int, until_ms: int) -> list[PriceRow]:
        """See `ScheduleStore.prices`."""
        price = energy_price.c
        query = select(energy_price).where(price.until_ms > since_ms, price.start_ms < until_ms)
        rows = await self._rows(query.order_by(price.start_ms))
        return [PriceRow(row.start_ms, row.until_ms, row.micro_per_kwh) for row in rows]

    async def put_prices(self, rows: Sequence[PriceRow]) -> None:
        """See `ScheduleStore.put_prices`."""
        values = [(row.start_ms, row.until_ms, row.micro_per_kwh) for row in rows]
        await self._database.write(partial(write_rows, how=upsert, table=energy_price, rows=values))

    async def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        async def read(connection: AsyncConnection) -> Sequence[Row[Any]]:
            rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
            return rows

        return await self._database.read(read)

    async def _delete(self, query: Any) -> bool:
        async def remove(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(query)).rowcount)

        return await self._database.write(remove)


async def _put_schedule(connection: AsyncConnection, row: ScheduleRow, before: int) -> bool:
    query = select(schedule.c.version).where(schedule.c.id == row.id).with_for_update()
    if ((await connection.execute(query)).scalar() or 0) != before:
        return False
    await connection.execute(delete(schedule).where(schedule.c.id == row.id))
    values = (
        row.id,
        row.name,
        row.version,
        int(row.enabled),
        plan_text(row.plan),
        row.decided_ms,
        row.created_ms,
        row.changed_ms,
        row.changed_by,
    )
    await write_rows(connection, insert_only, schedule, [values])
    return True


async def _delete_schedule(connection: AsyncConnection, schedule_id: str) -> bool:
    await connection.execute(delete(schedule_mark).where(schedule_mark.c.schedule_id == schedule_id))
    return bool((await connection.execute(delete(schedule).where(schedule.c.id == schedule_id))).rowcount)


async def _decide(
    connection: AsyncConnection,
    runs: Sequence[RunRow],
    marks: Sequence[MarkRow],
    decided_ms: Mapping[str, int],
) -> frozenset[RunKey]:
    fresh = []
    for run in runs:
        query = select(schedule_run).where(*_is(run.key)).with_for_update()
        known = (await connection.execute(query)).one_or_none()
        if known is not None and _run(known).missed_after(run.decided_ms):
            await connection.execute(delete(schedule_run).where(*_is(run.key)))
            known = None
        if known is None:
            fresh.append(run)
    await write_rows(connection, insert_only, schedule_run, [_run_values(run) for run in fresh])
    await write_rows(connection, insert_new, schedule_mark, [_mark_values(mark) for mark in marks])
    for schedule_id, until_ms in decided_ms.items():
        await connection.execute(
            update(schedule).where(schedule.c.id == schedule_id).values(decided_ms=until_ms)
        )
    return frozenset(run.key for run in fresh)


def _is(key: RunKey) -> tuple[Any, ...]:
    run = schedule_run.c
    return (
        run.schedule_id == key.schedule_id,
        run.start_ms == key.start_ms,
        run.edge == key.edge.value,
        run.pdu_id == key.place.pdu_id,
        run.outlet == key.place.outlet,
    )


def _run_values(row: RunRow) -> tuple[Any, ...]:
    key = row.key
    return (
        key.schedule_id,
        key.start_ms,
        key.edge.value,
        key.place.pdu_id,
        key.place.outlet,
        row.schedule_name,
        row.due_ms,
        row.decided_ms,
        row.act.value,
        row.past.result.value,
        row.past.code,
        row.command_id,
        row.detail,
    )


def _run(row: Row[Any]) -> RunRow:
    return RunRow(
        RunKey(row.schedule_id, row.start_ms, Edge(row.edge), OutletId(row.pdu_id, row.outlet)),
        row.schedule_name,
        row.due_ms,
        row.decided_ms,
        Act(row.action),
        Past(RunResult(row.result), row.code),
        row.command_id,
        row.detail,
    )


def _mark_values(row: MarkRow) -> tuple[Any, ...]:
    pdu_id, outlet = _WHOLE if row.place is None else (row.place.pdu_id, row.place.outlet)
    return row.schedule_id, row.start_ms, pdu_id, outlet, row.kind.value, row.at_ms, row.by


def _mark(row: Row[Any]) -> MarkRow:
    place = None if (row.pdu_id, row.outlet) == _WHOLE else OutletId(row.pdu_id, row.outlet)
    return MarkRow(row.schedule_id, row.start_ms, MarkKind(row.kind), row.at_ms, row.given_by, place)


def _schedule(row: Row[Any]) -> ScheduleRow:
    return ScheduleRow(
        row.id,
        row.name,
        row.version,
        bool(row.enabled),
        read_plan(row.plan),
        row.decided_ms,
        row.created_ms,
        row.changed_ms,
        row.changed_by,
    )
