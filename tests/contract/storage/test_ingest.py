from dataclasses import replace

import pytest
from tests.contract.storage.records import (
    DAY,
    EVENTS,
    KEY,
    MINUTE,
    PDU,
    T0,
    batch,
    event,
    outlet,
    record,
    recorded,
    rollup_of,
    source,
)

from loadcenter.domain.readings import OutletReading, Quality, SourceReading
from loadcenter.domain.rollups import Tier
from loadcenter.domain.topology import Source
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.ports import (
    EventFilter,
    GapRow,
    IngestBatch,
    Position,
    PositionConflictError,
    QuarantineRow,
    RawOutlet,
    RawSource,
    Store,
    StoreDataError,
)


async def test_a_stream_never_heard_of_has_no_position(store: Store) -> None:
    assert await store.positions("nobody") == {}


async def test_positions_move_with_the_batch(store: Store) -> None:
    other_boot = StreamKey(PDU, 2, Stream.TELEMETRY)
    await store.commit(IngestBatch(positions=[Position(KEY, 0, 5), Position(EVENTS, 0, 1)]))
    await store.commit(IngestBatch(positions=[Position(KEY, 5, 9), Position(other_boot, 0, 3)]))
    assert await store.positions(PDU) == {KEY: 9, EVENTS: 1, other_boot: 3}
    assert await store.positions("rack-2") == {}


async def test_two_moves_of_one_stream_in_a_batch_are_one(store: Store) -> None:
    await store.commit(IngestBatch(positions=[Position(KEY, 0, 5), Position(KEY, 5, 9)]))
    assert await store.positions(PDU) == {KEY: 9}


async def test_two_moves_of_one_stream_that_do_not_meet_are_refused(store: Store) -> None:
    with pytest.raises(PositionConflictError):
        await store.commit(IngestBatch(positions=[Position(KEY, 0, 5), Position(KEY, 6, 9)]))
    assert await store.positions(PDU) == {}


@pytest.mark.parametrize("before", [0, 4, 6])
async def test_a_position_elsewhere_keeps_the_whole_batch_out(store: Store, before: int) -> None:
    await store.commit(batch([outlet(T0)], [source(T0)], 0, 5))
    late = batch([outlet(T0 + MINUTE)], [source(T0 + MINUTE)], before, 10)
    late = replace(
        late,
        events=[event(1)],
        gaps=[GapRow(KEY, 1, 2, "overflow", 2, T0)],
        quarantine=[QuarantineRow(PDU, "t", T0, "malformed", "", b"")],
        positions=[Position(EVENTS, 0, 1), *late.positions],
    )
    with pytest.raises(PositionConflictError, match="read the positions again"):
        await store.commit(late)
    assert await store.positions(PDU) == {KEY: 5}
    assert len(await store.raw_outlets(PDU, 1, T0, T0 + DAY)) == 1
    assert len(await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + DAY)) == 1
    assert len(await store.source_rollups(Tier.MINUTE, PDU, Source.MAIN, T0, T0 + DAY)) == 1
    assert await store.events(EventFilter()) == []
    assert await store.gaps(PDU) == []
    assert await store.quarantine_counts() == {}


async def test_a_batch_delivered_again_changes_nothing(store: Store) -> None:
    once = batch([outlet(T0), outlet(T0 + 1000, energy_mwh=1014)], [source(T0)])
    await store.commit(once)
    before = await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + DAY)
    with pytest.raises(PositionConflictError):
        await store.commit(once)
    assert await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + DAY) == before
    assert len(await store.raw_outlets(PDU, 1, T0, T0 + DAY)) == 2


async def test_raw_rows_come_back_as_they_were(store: Store) -> None:
    full = OutletReading(7, False, 229_987, 3_141, 720_000, 2**48 - 1, 719_000, 721_500, Quality.STALE)
    await store.commit(batch([RawOutlet(PDU, T0, 30, full)]))
    assert await store.raw_outlets(PDU, 7, T0, T0 + 1) == [RawOutlet(PDU, T0, 30, full)]


async def test_unknown_readings_stay_unknown(store: Store) -> None:
    nothing = OutletReading(1, True, None, None, None, None, None, None, Quality.INVALID)
    blind = SourceReading(Source.BACKUP, None, None, Quality.INVALID)
    await store.commit(batch([RawOutlet(PDU, T0, 1, nothing)], [RawSource(PDU, T0, 1, blind)]))
    assert await store.raw_outlets(PDU, 1, T0, T0 + 1) == [RawOutlet(PDU, T0, 1, nothing)]
    assert await store.raw_sources(PDU, Source.BACKUP, T0, T0 + 1) == [RawSource(PDU, T0, 1, blind)]
    [(_, minute)] = await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + 1)
    assert minute.power.mean is None
    assert minute.counters is None
    assert minute.covered_ms == 1000
    [(_, of_source)] = await store.source_rollups(Tier.MINUTE, PDU, Source.BACKUP, T0, T0 + 1)
    assert of_source.voltage.mean is None


async def test_a_raw_row_with_the_same_time_replaces_the_older(store: Store) -> None:
    await store.commit(batch([outlet(T0, 1000)]))
    await store.commit(batch([outlet(T0, 2000)], before=1))
    [row] = await store.raw_outlets(PDU, 1, T0, T0 + 1)
    assert row.reading.power_mw == 2000


async def test_raw_rows_are_of_the_span_and_in_order(store: Store) -> None:
    rows = [outlet(T0 + offset) for offset in (3000, 1000, 2000, 0)]
    await store.commit(batch([*rows, outlet(T0, number=2), outlet(T0, pdu_id="rack-2")]))
    found = await store.raw_outlets(PDU, 1, T0 + 1000, T0 + 3000)
    assert [row.ts_ms for row in found] == [T0 + 1000, T0 + 2000]
    assert await store.raw_outlets("nobody", 1, T0, T0 + DAY) == []


async def test_raw_rows_of_a_source_are_of_the_span_and_in_order(store: Store) -> None:
    rows = [source(T0 + offset, 229_000 + offset) for offset in (3000, 1000, 2000, 0)]
    await store.commit(batch([], [*rows, source(T0 + 1000, which=Source.BACKUP)]))
    assert await store.raw_sources(PDU, Source.MAIN, T0 + 1000, T0 + 3000) == rows[1:3]
    assert await store.raw_sources("nobody", Source.MAIN, T0, T0 + DAY) == []


async def test_minutes_are_merged_across_batches(store: Store) -> None:
    rows = [outlet(T0 + 1000 * at, 1000 * at, 500 + at) for at in range(130)]
    for at in range(0, 130, 13):
        await store.commit(batch(rows[at : at + 13], before=at))
    found = await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + DAY)
    wanted = [(T0 + at * 1000, rollup_of(rows[at : at + 60])) for at in (0, 60, 120)]
    assert found == wanted


async def test_a_batch_kept_out_leaves_nothing_to_fold(store: Store) -> None:
    await store.commit(recorded([outlet(T0)]))
    with pytest.raises(PositionConflictError):
        await store.commit(recorded([outlet(T0 + 1000)]))
    assert await store.fold() == 1
    assert await store.fold() == 0


async def test_a_record_of_48_outlets_comes_back_whole(store: Store) -> None:
    outlets = [outlet(T0, 1000 * n, n, number=n) for n in range(1, 49)]
    sources = [source(T0, 229_000), source(T0, 231_000, which=Source.BACKUP)]
    await store.commit(IngestBatch(records=[record(T0, outlets, sources, samples=5, period_ms=2000)]))
    for one in outlets:
        wanted = replace(one, samples=5, period_ms=2000)
        assert await store.raw_outlets(PDU, one.reading.outlet, T0, T0 + 1) == [wanted]
    for line in sources:
        wanted_line = replace(line, samples=5, period_ms=2000)
        assert await store.raw_sources(PDU, line.reading.source, T0, T0 + 1) == [wanted_line]


async def test_a_later_record_of_the_same_time_replaces_what_it_tells_of(store: Store) -> None:
    first = record(T0, [outlet(T0, 1, number=1), outlet(T0, 2, number=2)], [source(T0, 229_000)])
    off = OutletReading(2, False, None, None, None, None, quality=Quality.STALE)
    second = record(T0, [RawOutlet(PDU, T0, 1, off), outlet(T0, 3, number=3)])
    for batches in ([[first, second]], [[first], [second]]):
        for records in batches:
            await store.commit(IngestBatch(records=records))
        powers = [
            [r.reading.power_mw for r in await store.raw_outlets(PDU, n, T0, T0 + 1)] for n in (1, 2, 3)
        ]
        assert powers == [[1], [None], [3]]
        [kept] = await store.raw_outlets(PDU, 2, T0, T0 + 1)
        assert kept.reading == off
        [line] = await store.raw_sources(PDU, Source.MAIN, T0, T0 + 1)
        assert line.reading.voltage_mv == 229_000


async def test_the_largest_counter_of_48_bits_fits_every_tier_sum(store: Store) -> None:
    top = 2**48 - 1
    rows = [outlet(T0 + 1000 * at, 40_000_000, top) for at in range(3)]
    await store.commit(batch(rows))
    [(_, minute)] = await store.outlet_rollups(Tier.MINUTE, PDU, 1, T0, T0 + 1)
    assert minute == rollup_of(rows)


async def test_a_batch_of_many_rows_is_one_transaction(store: Store) -> None:
    rows = [outlet(T0 + 1000 * at, number=1 + at % 4) for at in range(3500)]
    await store.commit(batch(rows))
    assert len(await store.raw_outlets(PDU, 4, T0, T0 + DAY)) == 875
    minutes = await store.outlet_rollups(Tier.MINUTE, PDU, 4, T0, T0 + DAY)
    assert sum(rollup.power.count for _, rollup in minutes) == 875


async def test_many_devices_fit_into_one_batch(store: Store) -> None:
    names = [f"rack-{number}" for number in range(1200)]
    keys = [StreamKey(name, 1, Stream.TELEMETRY) for name in names]
    rows = batch([outlet(T0, pdu_id=name) for name in names])
    await store.commit(replace(rows, positions=[Position(key, 0, 1) for key in keys]))
    await store.commit(replace(rows, positions=[Position(key, 1, 2) for key in keys]))
    assert await store.positions("rack-1199") == {keys[-1]: 2}
    [(_, minute)] = await store.outlet_rollups(Tier.MINUTE, "rack-600", 1, T0, T0 + 1)
    assert minute.power.count == 2


async def test_a_value_that_does_not_fit_keeps_the_whole_batch_out(store: Store) -> None:
    rows = [outlet(T0), outlet(T0 + 1000, energy_mwh=2**70)]
    with pytest.raises(StoreDataError):
        await store.commit(batch(rows))
    assert await store.raw_outlets(PDU, 1, T0, T0 + DAY) == []
    assert await store.positions(PDU) == {}
    await store.commit(batch(rows[:1]))
    assert await store.positions(PDU) == {KEY: 1}


async def test_gaps_are_kept_oldest_first(store: Store) -> None:
    early = GapRow(KEY, 1, 40, "overflow", 40, T0)
    late = GapRow(StreamKey(PDU, 2, Stream.EVENT), 7, 7, "refused", None, T0 + 1)
    await store.commit(
        IngestBatch(gaps=[late, early, GapRow(StreamKey("rack-2", 1, Stream.EVENT), 1, 1, "x", 1, 0)])
    )
    assert await store.gaps(PDU) == [early, late]
    assert await store.gaps("nobody") == []


async def test_quarantine_counts_by_reason(store: Store) -> None:
    rows = [
        QuarantineRow(PDU, "a/b", T0, reason, "why", b"\x00\xff")
        for reason in ("malformed", "range", "range")
    ]
    await store.commit(IngestBatch(quarantine=rows))
    await store.commit(IngestBatch(quarantine=rows[:1]))
    assert await store.quarantine_counts() == {"malformed": 2, "range": 2}


async def test_quarantine_takes_whatever_comes(store: Store) -> None:
    odd = QuarantineRow("P" * 99, "t/" * 999, T0, "malformed", "\ud800 😀" * 999, bytes(9999), 2**62, None)
    await store.commit(IngestBatch(quarantine=[odd]))
    assert await store.quarantine_counts() == {"malformed": 1}


async def test_an_empty_batch_is_no_error(store: Store) -> None:
    await store.commit(IngestBatch())
    await store.ping()
