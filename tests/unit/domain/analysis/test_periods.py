from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadcenter.domain.analysis.periods import Days, share


@pytest.mark.parametrize(
    ("first", "end", "before"),
    [
        ((2026, 3, 1), (2026, 4, 1), (2026, 2, 1)),
        ((2026, 1, 1), (2026, 4, 1), (2025, 10, 1)),
        ((2026, 1, 1), (2027, 1, 1), (2025, 1, 1)),
        ((2026, 3, 1), (2026, 3, 8), (2026, 2, 22)),
        ((2026, 3, 15), (2026, 4, 15), (2026, 2, 12)),
    ],
)
def test_whole_months_are_compared_with_months_and_days_with_days(
    first: tuple[int, int, int], end: tuple[int, int, int], before: tuple[int, int, int]
) -> None:
    days = Days(date(*first), date(*end))
    assert days.before() == Days(date(*before), days.first)


@given(st.dates(date(1980, 1, 1), date(2090, 1, 1)), st.dates(date(2090, 1, 2), date(2100, 1, 1)))
def test_the_period_before_ends_where_the_period_begins(first: date, end: date) -> None:
    before = Days(first, end).before()
    assert before.end == first
    assert before.first < first


def test_a_share_is_at_most_all_and_unknown_of_nothing() -> None:
    assert (share(1, 4), share(5, 4), share(0, 0)) == (0.25, 1.0, None)
