from loadcenter.adapters.clock import SystemClock


async def test_the_monotonic_clock_does_not_go_back_and_a_sleep_takes_at_least_its_time():
    clock = SystemClock()
    before = clock.monotonic_ms()
    await clock.sleep_ms(2)
    assert clock.monotonic_ms() - before >= 1  # either reading may be cut by up to 1 ms


def test_now_is_in_milliseconds_since_1970():
    assert 1_700_000_000_000 < SystemClock().now_ms() < 10_000_000_000_000


async def test_no_or_a_negative_sleep_returns():
    await SystemClock().sleep_ms(0)
    await SystemClock().sleep_ms(-5)
