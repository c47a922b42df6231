"""`loadcenter import`, `export`, `backup` and `restore`, as a person moves years of history from one place to another."""

import csv
import gzip
import io
import stat
import struct
from pathlib import Path

import pyarrow.parquet
import pytest
from tests.databases import MariaDbServer
from tests.system.command_line import Ended, run

OK, FAILED, USAGE, CONFIG, NOT_RUNNING, UNREACHABLE = range(6)
START_S = 1_700_006_400  # 2023-11-15, midnight UTC
DAY = ("--since", "2023-11-15", "--until", "2023-11-16")


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    """A data folder of emonCMS: two hours of power each 10 s, and the counter each minute."""
    folder = tmp_path / "emoncms"
    folder.mkdir()
    power = [100.0 + n % 50 for n in range(720)]
    (folder / "1.meta").write_bytes(struct.pack("<IIII", 0, 0, 10, START_S))
    (folder / "1.dat").write_bytes(struct.pack("<720f", *power))
    rows = [struct.pack("<BIf", 0, START_S + 60 * n, n / 256) for n in range(120)]
    (folder / "feed_2.MYD").write_bytes(b"".join(rows))
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A data folder in which a PDU is registered."""
    folder = tmp_path / "data"
    assert run("device", "add", "rack-1", "--data", folder).code == OK
    return folder


def imported(feeds: Path, place: Path, *more: str) -> Ended:
    sources = f"power_w={feeds / '1.dat'}", f"energy_kwh={feeds / 'feed_2.MYD'}"
    return run("import", "rack-1", "3", *sources, "--data", place, *more)


def exported(place: Path, *more: str | Path) -> list[dict[str, str]]:
    ended = run("export", "rack-1", "-", "--outlets", "3", *DAY, "--data", place, *more)
    assert ended.code == OK, ended.err
    return list(csv.DictReader(io.StringIO(ended.out)))


def test_a_recording_is_imported_once_and_exported_as_csv_and_parquet(
    feeds: Path, place: Path, tmp_path: Path
) -> None:
    first = imported(feeds, place)
    assert (first.code, first.err) == (OK, "")
    assert "720 readings are imported, from 2023-11-15T00:00:00.000Z to 2023-11-15T01:59:50.000Z" in first.out
    again = imported(feeds, place, "--json").json()
    assert (again["rows"], again["known_minutes"]) == (0, 120)
    rows = exported(place)
    assert len(rows) == 720
    assert (rows[1]["time_utc"], rows[1]["power_w"], rows[1]["samples"]) == (
        "2023-11-15T00:00:10.000Z",
        "101.0",
        "10",
    )
    [day] = exported(place, "--tier", "1d")
    assert float(day["energy_kwh"]) == pytest.approx(119 / 256)
    assert float(day["covered_s"]) == 7200.0
    path = tmp_path / "hours.parquet"
    ended = run(
        "export", "rack-1", path, "--outlets", "3", "--sources", "main", *DAY, "--tier", "1h", "--data", place
    )
    assert (ended.code, ended.out) == (OK, "")
    table = pyarrow.parquet.read_table(path).to_pylist()
    assert [row["covered_s"] for row in table] == [3600.0, 3600.0]
    assert run("export", "rack-1", path, "--outlets", "3", *DAY, "--data", place).code == FAILED


def test_what_cannot_be_imported_or_exported_is_said(feeds: Path, place: Path, tmp_path: Path) -> None:
    assert imported(feeds, place).code == OK
    (feeds / "1.dat").write_bytes(struct.pack("<720f", *([5.0] * 720)))
    for ended, code, words in (
        (imported(feeds, place), FAILED, "has other readings in the minute of"),
        (
            run("import", "rack-9", "1", f"power_w={feeds / '1.dat'}", "--data", place),
            FAILED,
            "no PDU 'rack-9'",
        ),
        (
            run("import", "rack-1", "1", "watts=x.dat", "--data", place),
            FAILED,
            "write QUANTITY=FILE with one of",
        ),
        (run("import", "rack-1", "1", "power_w=x.dat", "--data", place), FAILED, "there is no file"),
        (
            run("import", "rack-1", "1", "power_w=x.dat", "--data", tmp_path / "no"),
            FAILED,
            "there is no file",
        ),
        (
            run("export", "rack-1", "a.xls", *DAY, "--data", place),
            USAGE,
            "neither with .csv nor with .parquet",
        ),
        (run("export", "rack-1", "-", *DAY, "--data", place), USAGE, "give --outlets 1,2 or --sources"),
        (run("export", "rack-1", "-", *DAY, "--outlets", "x", "--data", place), USAGE, "--outlets: numbers"),
        (run("export", "rack-1", "-", *DAY, "--sources", "x", "--data", place), USAGE, "--sources: main"),
        (run("export", "rack-1", "-", *DAY, "--tier", "2m", "--data", place), USAGE, "there is no tier '2m'"),
        (
            run("export", "rack-1", "-", "--outlets", "1", "--since", "x", "--data", place),
            USAGE,
            "'x' is no time",
        ),
        (
            run("export", "rack-1", "-", "--outlets", "1", "--since", "9", "--until", "9", "--data", place),
            USAGE,
            "--since must be before --until",
        ),
        (
            run("export", "rack-1", "-", "--outlets", "1", *DAY, "--data", tmp_path / "no"),
            FAILED,
            "there is no database in",
        ),
    ):
        assert ended.code == code, ended
        assert words in ended.err, ended


def test_a_backup_is_restored_elsewhere_with_everything_in_it(
    feeds: Path, place: Path, tmp_path: Path
) -> None:
    assert imported(feeds, place).code == OK
    path, other = tmp_path / "all.backup.gz", tmp_path / "other"
    made = run("backup", path, "--data", place, "--json").json()
    assert (made["tables"]["raw_record"], made["tables"]["device"]) == (720, 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "exists already" in run("backup", path, "--data", place).err
    done = run("restore", path, "--data", other)
    assert (done.code, done.err) == (OK, "")
    assert "are restored, as of" in done.out
    assert exported(other) == exported(place)
    assert run("restore", path, "--data", other).code == FAILED
    assert [row["id"] for row in run("device", "list", "--data", other, "--json").json()] == ["rack-1"]
    assert imported(feeds, other, "--json").json()["rows"] == 0


def test_a_backup_moves_a_site_from_sqlite_to_mariadb(feeds: Path, place: Path, tmp_path: Path) -> None:
    assert imported(feeds, place).code == OK
    path, config = tmp_path / "all.backup.gz", tmp_path / "loadcenter.toml"
    assert run("backup", path, "--data", place).code == OK
    with MariaDbServer() as server:
        config.write_text(f'database = "{server.new_database()}"\ndata = "{tmp_path / "other"}"\n')
        assert run("restore", path, "--config", config).code == OK
        refused = run("restore", path, "--config", config)
        assert (refused.code, "is not empty" in refused.err) == (FAILED, True)
        moved = run("export", "rack-1", "-", "--outlets", "3", *DAY, "--config", config)
        assert list(csv.DictReader(io.StringIO(moved.out))) == exported(place)


def test_backup_and_restore_say_what_is_wrong(place: Path, tmp_path: Path) -> None:
    nothing = run("backup", tmp_path / "a.gz", "--data", tmp_path / "no")
    assert (nothing.code, "does not exist" in nothing.err) == (CONFIG, True)
    assert "there is no database" in run("backup", tmp_path / "a.gz", "--data", tmp_path).err
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"{}\n"))
    ended = run("restore", broken, "--data", tmp_path / "other")
    assert (ended.code, "is not a whole backup" in ended.err) == (FAILED, True)
    ended = run("backup", tmp_path / "no" / "a.gz", "--data", place)
    assert (ended.code, "cannot be written" in ended.err) == (FAILED, True)
