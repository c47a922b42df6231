"""Local days, hours and prices by arithmetic."""

from loadcenter.domain.analysis.wall import DAY_MS, HOUR_MS, WEEK_MS, WallClock, hour_of_week

MONDAY_MS = 1_794_787_200_000  # 2026-11-16, UTC


def test_the_wall_shows_utc_plus_the_offset_that_holds() -> None:
    wall = WallClock(((1000, HOUR_MS), (5000, 2 * HOUR_MS)))
    assert [wall.wall_ms(ts_ms) - ts_ms for ts_ms in (0, 1000, 4999, 5000)] == [
        HOUR_MS,
        HOUR_MS,
        HOUR_MS,
        2 * HOUR_MS,
    ]


def test_quarters_of_one_day_between_two_changes_have_the_same_span() -> None:
    wall = WallClock(((0, HOUR_MS),), (6 * HOUR_MS, 22 * HOUR_MS))
    hours = [wall.span(MONDAY_MS + hour * HOUR_MS) for hour in range(-1, 23)]
    assert [hours.count(span) for span in dict.fromkeys(hours)] == [6, 16, 2]
    assert wall.span(MONDAY_MS + DAY_MS) not in hours


def test_a_quarter_hour_offset_makes_no_whole_hours() -> None:
    assert WallClock(((0, HOUR_MS), (9, 2 * HOUR_MS))).whole_hours
    assert not WallClock(((0, HOUR_MS), (9, 20_700_000))).whole_hours


def test_the_hour_of_the_week_counts_from_monday() -> None:
    assert hour_of_week(MONDAY_MS % WEEK_MS) == (0, 0)
    assert hour_of_week((MONDAY_MS - 1) % WEEK_MS) == (6, 23)
    assert hour_of_week((MONDAY_MS + 5 * DAY_MS + 7 * HOUR_MS + 1) % WEEK_MS) == (5, 7)
