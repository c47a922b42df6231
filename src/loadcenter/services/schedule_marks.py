"""What is marked of occurrences, in memory: skipped, taken over by a person, cheapest hours that were chosen."""

from collections.abc import Iterable
from datetime import date

from loadcenter.domain.topology import OutletId
from loadcenter.services.ports.schedules import MarkKind, MarkRow

TAKEN = (MarkKind.PERSON_ON, MarkKind.PERSON_OFF)

_Key = tuple[str, int, OutletId | None, MarkKind]


class MarkBook:
    """Marks that are in force; some of them are not written yet."""

    def __init__(self, rows: Iterable[MarkRow] = ()) -> None:
        self._rows = {_key(row): row for row in rows}
        self._unwritten: list[MarkRow] = []

    def add(self, rows: Iterable[MarkRow]) -> None:
        """Put marks in force; one that is there already stays as it is."""
        for row in rows:
            self._rows.setdefault(_key(row), row)

    def add_unwritten(self, rows: Iterable[MarkRow]) -> None:
        """Put marks in force that are still to be written; one that is there already stays as it is."""
        fresh = [row for row in rows if _key(row) not in self._rows]
        self._unwritten += fresh
        self.add(fresh)

    def unwritten(self) -> list[MarkRow]:
        """Return the marks that are still to be written."""
        return list(self._unwritten)

    def written(self, rows: Iterable[MarkRow]) -> None:
        """Note marks that were written; they are in force."""
        done = list(rows)
        self._unwritten = [row for row in self._unwritten if row not in done]
        self.add(done)

    def remove(self, row: MarkRow) -> None:
        """Take a mark out of force."""
        self._rows.pop(_key(row), None)

    def forget_schedule(self, schedule_id: str) -> None:
        """Take all marks of a schedule out of force."""
        self._rows = {key: row for key, row in self._rows.items() if row.schedule_id != schedule_id}
        self._unwritten = [row for row in self._unwritten if row.schedule_id != schedule_id]

    def forget_before(self, before_ms: int) -> None:
        """Take the marks of occurrences that began before an instant out of force."""
        self._rows = {key: row for key, row in self._rows.items() if row.start_ms >= before_ms}

    def is_skipped(self, schedule_id: str, start_ms: int) -> bool:
        """Return whether an occurrence shall not happen."""
        return (schedule_id, start_ms, None, MarkKind.SKIPPED) in self._rows

    def skipped(self) -> set[tuple[str, int]]:
        """Return (schedule, start) of the occurrences that shall not happen."""
        return {(row.schedule_id, row.start_ms) for row in self._of(MarkKind.SKIPPED)}

    def taken(self) -> dict[tuple[str, int, OutletId], str]:
        """Return, for (schedule, start, outlet), what a person did while the occurrence was running."""
        return {
            (row.schedule_id, row.start_ms, row.place): row.kind.value
            for row in self._of(*TAKEN)
            if row.place is not None
        }

    def chosen(self) -> dict[tuple[str, date], list[tuple[int, int]]]:
        """Return the spans of the cheapest hours that were chosen, by schedule and day, in order."""
        found: dict[tuple[str, date], list[tuple[int, int]]] = {}
        for row in sorted(self._of(MarkKind.SPAN), key=lambda one: one.start_ms):
            found.setdefault((row.schedule_id, date.fromisoformat(row.by)), []).append(
                (row.start_ms, row.at_ms)
            )
        return found

    def spans_not_begun(self, schedule_id: str, now_ms: int) -> list[MarkRow]:
        """Return the spans of a schedule that were chosen for days of which none has begun."""
        spans = [row for row in self._of(MarkKind.SPAN) if row.schedule_id == schedule_id]
        begun = {row.by for row in spans if row.start_ms <= now_ms}
        return [row for row in spans if row.by not in begun]

    def _of(self, *kinds: MarkKind) -> list[MarkRow]:
        return [row for row in self._rows.values() if row.kind in kinds]


def _key(row: MarkRow) -> _Key:
    return row.schedule_id, row.start_ms, row.place, row.kind
