"""apps/bridge/pace.py"""

from loadcenter.apps.bridge.pace import LAG_MS, Pace


def test_a_unit_that_is_ahead_waits_for_the_clock():
    assert Pace(1000).wait_ms(clock_ms=1010, unit_ms=14.0) == 4.0


def test_a_unit_that_is_behind_does_not_wait():
    assert Pace(1000).wait_ms(clock_ms=1100, unit_ms=14.0) == 0.0


def test_a_small_lag_is_made_up_for():
    pace = Pace(1000)
    assert pace.let_go(clock_ms=1000 + LAG_MS, unit_ms=1.0) == 0
    assert pace == Pace(1000)


def test_a_large_lag_is_told_and_let_go():
    pace = Pace(1000)
    assert pace.let_go(clock_ms=2500, unit_ms=500.0) == 1000
    assert pace.lost_ms == 1000
    assert pace.wait_ms(clock_ms=2500, unit_ms=504.0) == 4.0
