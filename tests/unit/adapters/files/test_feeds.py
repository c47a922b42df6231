"""Recordings of emonCMS and CSV as they lie on a disk, read back as (UTC ms, value)."""

import struct
from pathlib import Path

import pytest

from loadcenter.adapters.files.feeds import open_feed
from loadcenter.services.importing import ImportRefusedError

NAN = float("nan")


def read(place: Path | str, time: str = "1", zone: str = "UTC") -> list[tuple[int, float]]:
    return list(open_feed(str(place), time, zone))


def phpfina(folder: Path, values: list[float], interval_s: int = 10, start_s: int = 1_700_000_000) -> Path:
    (folder / "7.meta").write_bytes(struct.pack("<IIII", 0, 0, interval_s, start_s))
    (folder / "7.dat").write_bytes(struct.pack(f"<{len(values)}f", *values))
    return folder / "7.dat"


def test_phpfina_has_a_value_for_each_interval_and_nan_where_nothing_was_recorded(tmp_path: Path) -> None:
    path = phpfina(tmp_path, [1.5, NAN, 2.0])
    expected = [(1_700_000_000_000, 1.5), (1_700_000_020_000, 2.0)]
    assert read(path) == read(tmp_path / "7.meta") == expected


def test_a_value_that_is_half_written_is_left_out(tmp_path: Path) -> None:
    path = phpfina(tmp_path, [1.5, 2.5])
    path.write_bytes(path.read_bytes()[:-1])
    assert read(path) == [(1_700_000_000_000, 1.5)]


def test_a_long_recording_is_read_in_parts(tmp_path: Path) -> None:
    path = phpfina(tmp_path, [float(n) for n in range(100_000)])
    found = read(path)
    assert len(found) == 100_000
    assert found[-1] == (1_700_000_000_000 + 99_999 * 10_000, 99_999.0)


def test_phptimeseries_has_its_own_times(tmp_path: Path) -> None:
    path = tmp_path / "feed_7.MYD"
    rows = [(1_700_000_000, 1.5), (1_700_000_003, NAN), (1_700_000_100, -2.0)]
    path.write_bytes(b"".join(struct.pack("<BIf", 249, *row) for row in rows))
    assert read(path) == [(1_700_000_000_000, 1.5), (1_700_000_100_000, -2.0)]


@pytest.mark.parametrize(
    ("text", "place", "time", "expected"),
    [
        ("1700000000,1.5\n1700000010,null\n1700000020,3\n", "", "1", [(0, 1.5), (20_000, 3.0)]),
        ("time,value\n1700000000.5,1\n", "", "1", [(500, 1.0)]),
        ("\ufeffa;t;P\n9;1700000000123;7\n\n9;1700000001123;8\n", "#P", "t", [(123, 7.0), (1_123, 8.0)]),
        ("P\tt\n7\t2023-11-14T22:13:20Z\n", "#1", "t", [(0, 7.0)]),
        ("t,P\n2023-11-14 23:13:21,7\n", "#P", "1", [(1_000, 7.0)]),
        ("t,P\n", "#P", "t", []),
    ],
)
def test_csv_is_read_with_or_without_header_by_name_or_number(
    text: str, place: str, time: str, expected: list[tuple[int, float]], tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    found = read(f"{path}{place}", time, "Europe/Vienna")
    assert found == [(1_700_000_000_000 + ms, value) for ms, value in expected]


@pytest.mark.parametrize(
    ("name", "text", "place", "words"),
    [
        ("a.csv", "t,P\n1700000000,x\n", "", "line 2: 'x' is no number"),
        ("a.csv", "t,P\nyesterday,1\n", "", "line 2: 'yesterday' is no time: ISO 8601"),
        ("a.csv", "t,P\n1700000000\n", "", "line 2: has only 1 columns"),
        ("a.csv", "t,P\n-5,1\n", "", "'-5' is no time"),
        ("a.csv", "t,P\n", "#Q", "has no column 'Q': it has t, P"),
        ("a.csv", "t,P\n", "#3", "has no column '3'"),
        ("a.xlsx", "", "", r"ends with '.xlsx': .dat and .meta \(PHPFina\)"),
        ("a.dat", "", "", "PHPFina needs it beside a.dat"),
        ("b.csv", "", "/missing.csv", "there is no file"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(
    name: str, text: str, place: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ImportRefusedError, match=words):
        read(f"{path}{place}")


def test_a_meta_file_of_nothing_is_refused(tmp_path: Path) -> None:
    path = phpfina(tmp_path, [1.0], interval_s=0)
    with pytest.raises(ImportRefusedError, match="interval of 0 s"):
        read(path)
