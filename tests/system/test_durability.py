"""What happens to records while the database is away, when one cannot be stored, and after a restored backup."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import MariaDbServer
from tests.system.centers import wait_for
from tests.system.ledger_device import OUTLETS
from tests.system.rigs import (
    PDU,
    assert_each_minute_is_what_was_given_out,
    embedded_rig,
    expected,
    external_rig,
    stored,
)

ACK_WAIT_S = 5
"""Of the embedded broker: after it, what was not acknowledged is delivered again."""

AWAY_S = 3 * ACK_WAIT_S
RATE = 200
GROWTH_MB = 30
"""The inbox of 5,000 records is at most 5 MB; the rest is what an allocator does."""


@pytest.fixture(scope="module")
def database() -> Iterator[MariaDbServer]:
    with MariaDbServer() as server:
        yield server


def test_while_the_database_is_away_memory_stays_flat_and_switching_goes_on(
    tmp_path: Path, database: MariaDbServer
) -> None:
    with embedded_rig(tmp_path, database) as rig:
        rig.device.produce(RATE)
        wait_for(lambda: rig.device.stored > 5 * RATE, rig.center)
        before_mb = rig.center.rss_mb()
        database.kill()
        gone_s = time.monotonic()
        wait_for(lambda: rig.center.http.get("/readyz").status_code == 503, rig.center)
        assert "database" in rig.center.http.get("/readyz").json()["checks"]["database"]
        highest_mb = before_mb

        def long_away() -> bool:
            nonlocal highest_mb
            highest_mb = max(highest_mb, rig.center.rss_mb())
            return time.monotonic() - gone_s >= AWAY_S

        wait_for(long_away, rig.center)
        done = rig.center.command(f"/pdus/{PDU}/outlets/1/commands", {"do": "off"})
        assert done["status"] == "confirmed"
        assert rig.center.get(f"/pdus/{PDU}")["quality"] == "good"
        database.start()
        wait_for(lambda: rig.center.http.get("/readyz").status_code == 200, rig.center)
        rig.settle()
        print(
            f"{AWAY_S} s away: {before_mb:.0f} MB before, {highest_mb:.0f} MB at most, {rig.device.stored} records"
        )
        assert highest_mb - before_mb < GROWTH_MB
        assert stored(rig) == expected(rig.device)
        assert_each_minute_is_what_was_given_out(rig)
        kept = wait_for(lambda: rig.sql(f"SELECT status FROM command WHERE id = '{done['id']}'"), rig.center)
        assert kept == [["confirmed"]]


def test_one_poison_record_among_a_thousand_goes_to_quarantine_and_stops_nothing(
    tmp_path: Path, database: MariaDbServer
) -> None:
    with external_rig(tmp_path, database) as rig:
        rig.device.give_out(500)
        poison = rig.device.poison()
        rig.device.give_out(499)
        rig.settle()
        assert stored(rig).raw == dict.fromkeys(OUTLETS, 999)
        assert rig.sql("SELECT reason, seq FROM quarantine") == [["wrong_type", str(poison)]]
        assert rig.sql("SELECT seq FROM stream_position WHERE stream = 'telemetry'") == [["1000"]]
        assert 'loadcenter_refused_total{reason="wrong_type"} ' in rig.center.http.get("/metrics").text


def test_after_a_database_restored_from_earlier_the_device_says_what_is_missing(
    tmp_path: Path, database: MariaDbServer
) -> None:
    with external_rig(tmp_path, database) as rig:
        rig.device.give_out(500)
        rig.settle()
        backup = database.dump(rig.name)
        rig.device.give_out(500)
        rig.settle()
        rig.device.forget_stored()
        rig.center.stop()
        database.run_sql(f"DROP DATABASE {rig.name}; CREATE DATABASE {rig.name} CHARACTER SET utf8mb4")
        database.run_sql(backup, rig.name)
        rig.center.start()
        rig.center.log_in()
        rig.device.give_out(100)
        wait_for(lambda: rig.device.stored == 1100, rig.center)
        assert stored(rig).raw == dict.fromkeys(OUTLETS, 600)
        gaps = rig.sql("SELECT stream, first_seq, last_seq, reason FROM gap ORDER BY stream")
        assert gaps == [["event", "11", "20", "not_held"], ["telemetry", "501", "1000", "not_held"]]
