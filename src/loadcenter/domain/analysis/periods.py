"""Periods: whole local days of a site, and the period that one is compared with."""

from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Days:
    """The days from `first` until before `end`."""

    first: date
    end: date

    @property
    def count(self) -> int:
        """How many days."""
        return (self.end - self.first).days

    @property
    def whole_months(self) -> int | None:
        """How many whole calendar months these days are, None if they are not."""
        if self.first.day != 1 or self.end.day != 1:
            return None
        return (self.end.year - self.first.year) * MONTHS + self.end.month - self.first.month

    def before(self) -> "Days":
        """Return the period before: as many whole months where these are whole months, else as many days."""
        months = self.whole_months
        if months is None:
            return Days(self.first - timedelta(days=self.count), self.first)
        return Days(_months_earlier(self.first, months), self.first)


def _months_earlier(first: date, months: int) -> date:
    year, month = divmod(first.year * MONTHS + first.month - 1 - months, MONTHS)
    return date(year, month + 1, 1)


def share(part_ms: int, whole_ms: int) -> float | None:
    """Return `part_ms` of `whole_ms` as 0 to 1, None where the whole is nothing.

    Records may stand for a little more than the time between them, as at a clock that was set; it is no more than all.
    """
    return min(part_ms / whole_ms, 1.0) if whole_ms > 0 else None
