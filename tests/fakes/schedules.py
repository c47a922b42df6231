"""The `ScheduleStore` port in memory. It passes the same suite as the real ones (tests/contract/storage)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from loadcenter.domain.occurrences import Past, RunKey, RunResult
from loadcenter.domain.topology import OutletId
from loadcenter.services.ports import StoreDataError
from loadcenter.services.ports.schedules import (
    HoldRow,
    MarkKind,
    MarkRow,
    PriceRow,
    RunFilter,
    RunRow,
    ScheduleRow,
)


class FakeSchedules:
    """A `ScheduleStore` in memory; `reach` raises while the database is away."""

    def __init__(self, reach: Callable[[], None] = lambda: None) -> None:
        self._reach = reach
        self._schedules: dict[str, ScheduleRow] = {}
        self._runs: dict[RunKey, RunRow] = {}
        self._marks: dict[tuple[str, int, OutletId | None, MarkKind], MarkRow] = {}
        self._holds: dict[OutletId, HoldRow] = {}
        self._holidays: dict[date, str] = {}
        self._prices: dict[int, PriceRow] = {}

    async def schedules(self) -> list[ScheduleRow]:
        self._reach()
        return sorted(self._schedules.values(), key=lambda row: row.name)

    async def put_schedule(self, row: ScheduleRow, before: int) -> bool:
        self._reach()
        known = self._schedules.get(row.id)
        if (known.version if known else 0) != before:
            return False
        if any(one.name == row.name and one.id != row.id for one in self._schedules.values()):
            raise StoreDataError(f"the name '{row.name}' is taken")
        self._schedules[row.id] = row
        return True

    async def delete_schedule(self, schedule_id: str) -> bool:
        self._reach()
        self._marks = {key: row for key, row in self._marks.items() if row.schedule_id != schedule_id}
        return self._schedules.pop(schedule_id, None) is not None

    async def decide(
        self, runs: Sequence[RunRow], marks: Sequence[MarkRow], decided_ms: Mapping[str, int]
    ) -> frozenset[RunKey]:
        self._reach()
        fresh = []
        for run in runs:
            known = self._runs.get(run.key)
            if known is None or known.missed_after(run.decided_ms):
                self._runs[run.key] = run
                fresh.append(run.key)
        await self.put_marks(marks)
        for schedule_id, until_ms in decided_ms.items():
            if schedule_id in self._schedules:
                self._schedules[schedule_id] = replace(self._schedules[schedule_id], decided_ms=until_ms)
        return frozenset(fresh)

    async def settle_run(self, key: RunKey, past: Past, command_id: str | None, detail: str) -> None:
        self._reach()
        if key in self._runs:
            self._runs[key] = replace(self._runs[key], past=past, command_id=command_id, detail=detail)

    async def runs(self, wanted: RunFilter) -> list[RunRow]:
        self._reach()
        found = [
            run
            for run in self._runs.values()
            if (wanted.since_ms is None or run.due_ms >= wanted.since_ms)
            and (wanted.until_ms is None or run.due_ms < wanted.until_ms)
            and wanted.schedule_id in (None, run.key.schedule_id)
            and wanted.place in (None, run.key.place)
        ]
        by_key = sorted(found, key=lambda run: (run.key.schedule_id, run.key.place))
        by_edge = sorted(by_key, key=lambda run: run.key.edge, reverse=True)
        return sorted(by_edge, key=lambda run: run.due_ms, reverse=True)[: wanted.limit]

    async def past_of(self, starts_ms: Collection[int], now_ms: int) -> dict[RunKey, Past]:
        self._reach()
        return {
            key: run.past
            for key, run in self._runs.items()
            if key.start_ms in starts_ms and not run.missed_after(now_ms)
        }

    async def runs_under_way(self) -> list[RunRow]:
        self._reach()
        sent = [run for run in self._runs.values() if run.past.result is RunResult.SENT]
        return sorted(sent, key=lambda run: run.due_ms)

    async def forget_runs(self, before_ms: int) -> int:
        self._reach()
        gone = [key for key, run in self._runs.items() if run.due_ms < before_ms]
        for key in gone:
            del self._runs[key]
        self._marks = {key: row for key, row in self._marks.items() if row.start_ms >= before_ms}
        return len(gone)

    async def marks(self) -> list[MarkRow]:
        self._reach()
        return list(self._marks.values())

    async def put_marks(self, rows: Iterable[MarkRow]) -> None:
        self._reach()
        for row in rows:
            self._marks.setdefault((row.schedule_id, row.start_ms, row.place, row.kind), row)

    async def delete_marks(self, schedule_id: str, kind: MarkKind, start_ms: int | None = None) -> bool:
        self._reach()
        gone = [
            key
            for key, row in self._marks.items()
            if (row.schedule_id, row.kind) == (schedule_id, kind) and start_ms in (None, row.start_ms)
        ]
        for key in gone:
            del self._marks[key]
        return bool(gone)

    async def holds(self) -> list[HoldRow]:
        self._reach()
        return [self._holds[place] for place in sorted(self._holds)]

    async def put_hold(self, row: HoldRow) -> None:
        self._reach()
        self._holds.setdefault(row.place, row)

    async def delete_hold(self, place: OutletId) -> bool:
        self._reach()
        return self._holds.pop(place, None) is not None

    async def holidays(self) -> dict[date, str]:
        self._reach()
        return dict(sorted(self._holidays.items()))

    async def set_holidays(self, holidays: Mapping[date, str]) -> None:
        self._reach()
        self._holidays = dict(holidays)

    async def prices(self, since_ms: int, until_ms: int) -> list[PriceRow]:
        self._reach()
        return [
            self._prices[at]
            for at in sorted(self._prices)
            if self._prices[at].until_ms > since_ms and at < until_ms
        ]

    async def put_prices(self, rows: Sequence[PriceRow]) -> None:
        self._reach()
        self._prices |= {row.start_ms: row for row in rows}
