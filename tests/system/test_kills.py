"""Nothing acknowledged is lost and nothing is stored twice, whatever is killed (contract: end to end).

Real Mosquitto, real MariaDB, the control center as a process of its own. The reference is the ledger that the device
keeps of everything it has given out. A kill counts only if records were unacknowledged at that instant. Each safeguard
switched off must show its damage, or the harness would prove nothing.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import MariaDbServer
from tests.system.rigs import (
    SEED,
    Damage,
    Rig,
    assert_each_minute_is_what_was_given_out,
    expected,
    external_rig,
    kill_until_it_shows,
    stored,
)

KILLS = 5
RATE = 400


@pytest.fixture(scope="module")
def database() -> Iterator[MariaDbServer]:
    with MariaDbServer() as server:
        yield server


@pytest.fixture
def rig(tmp_path: Path, database: MariaDbServer) -> Iterator[Rig]:
    with external_rig(tmp_path, database) as built:
        yield built


@pytest.mark.parametrize("part", ["server", "broker", "database"])
def test_nothing_is_lost_or_doubled_when_a_part_is_killed(rig: Rig, part: str) -> None:
    rig.device.produce(RATE)
    while rig.kills < KILLS:
        rig.wait_for_a_good_instant()
        on_the_way = rig.device.unacknowledged
        rig.kill(part)
        rig.kills += on_the_way > 0
        rig.restart(part)
    rig.settle()
    print(f"{part} killed {rig.kills} times, seed {SEED}, {rig.device.stored} records")
    assert stored(rig) == expected(rig.device)
    assert_each_minute_is_what_was_given_out(rig)


def test_without_commit_before_the_ack_records_are_lost(tmp_path: Path, database: MariaDbServer) -> None:
    with external_rig(tmp_path, database, "ack-before-commit") as rig:
        assert kill_until_it_shows(rig, Damage.LOST, KILLS * 2, RATE)


def test_a_puback_before_the_commit_alone_loses_nothing(tmp_path: Path, database: MariaDbServer) -> None:
    with external_rig(tmp_path, database, "puback-before-commit") as rig:
        rig.device.produce(RATE)
        while rig.kills < KILLS:
            rig.wait_for_a_good_instant()
            rig.kills += rig.device.unacknowledged > 0
            rig.center.kill()
            rig.center.start()
        rig.settle()
        assert stored(rig) == expected(rig.device)


def test_with_positions_outside_the_transaction_rollups_are_doubled(
    tmp_path: Path, database: MariaDbServer
) -> None:
    with external_rig(tmp_path, database, "position-apart") as rig:
        assert kill_until_it_shows(rig, Damage.DOUBLED, KILLS * 2, RATE)
