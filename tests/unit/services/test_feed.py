"""The live page gets readings from the records while they come in time, and from the control connection else."""

from tests.fakes.builders import Center, running, send, telemetry, up
from tests.fakes.clock import settle

from loadcenter.services.ports import LinkState

TELEMETRY = up("+", "telemetry")


def on_control(center: Center) -> bool:
    return TELEMETRY in [pattern for pattern, _ in center.control.subscriptions]


def shown(center: Center) -> int:
    """Return the uptime, in seconds, of the readings that the page shows."""
    return center.fleet.twin("rack-1").readings_up_ms // 1000


async def second(center: Center, seq: int) -> None:
    """Let a second go by, at the end of which a record comes."""
    await center.clock.advance(1_000)
    send(center, telemetry(seq))
    await settle()


async def in_time(center: Center) -> None:
    """Let ten seconds go by with a record in each; at their end readings come from the records."""
    for seq in range(1, 11):
        await second(center, seq)
    assert not on_control(center)


async def test_it_begins_with_the_control_connection(center: Center) -> None:
    await center.watch.look()
    assert on_control(center)
    assert not center.feed.from_records


async def test_records_that_come_in_time_are_shown_and_nothing_is_sent_twice(center: Center) -> None:
    async with running(center.ingest.run, center.fleet.run, center.watch.run):
        await in_time(center)
        await second(center, 11)
        assert shown(center) == 11


async def test_what_the_broker_kept_is_not_shown_as_news(center: Center) -> None:
    await center.records.pause()
    async with running(center.fleet.run, center.watch.run):
        for seq in range(1, 61):
            await second(center, seq)
        assert shown(center) == 60
        await center.clock.advance(10_000)
    await center.records.resume()
    async with running(center.ingest.run, center.fleet.run, center.watch.run):
        await center.clock.advance(1_000)
        assert center.ingest.counts.records == 60
        assert on_control(center)
        send(center, telemetry(71, first=61))
        await settle()
        for seq in range(72, 75):
            await second(center, seq)
        assert not on_control(center)


async def test_while_the_database_hangs_the_page_goes_on(center: Center) -> None:
    async with running(center.ingest.run, center.fleet.run, center.watch.run):
        await in_time(center)
        center.store.away = "disk full"
        for seq in range(11, 31):
            await second(center, seq)
            assert shown(center) == seq
        assert on_control(center)
        assert center.records.state is LinkState.PAUSED
        center.store.away = None
        for seq in range(31, 41):
            await second(center, seq)
            assert shown(center) == seq
        assert not on_control(center)


async def test_a_records_connection_that_came_back_has_to_show_first_that_it_is_in_time(
    center: Center,
) -> None:
    async with running(center.ingest.run, center.fleet.run, center.watch.run):
        await in_time(center)
        center.broker.sever("records")
        await center.clock.advance(1_000)
        assert on_control(center)
        for seq in range(11, 21):
            await second(center, seq)
            assert shown(center) == seq
        assert not on_control(center)


async def test_when_a_pdu_that_is_there_is_not_heard_the_control_connection_is_asked(center: Center) -> None:
    async with running(center.ingest.run, center.fleet.run, center.watch.run):
        await in_time(center)
        await center.clock.advance(7_000)  # its records wait behind those of another
        assert on_control(center)
        send(center, telemetry(18, first=11))
        for seq in range(19, 23):
            await second(center, seq)
        assert not on_control(center)
