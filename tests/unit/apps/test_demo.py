"""Recordings for the demo are read from a folder as people have it, with other files in it."""

import asyncio
import gzip
import logging
from pathlib import Path

import pytest

from loadcenter.apps.config import Config
from loadcenter.apps.demo import SAVE_MS, DemoRack, RunningRack, read_recordings
from loadcenter.simulator.flash import read_flash
from loadcenter.simulator.traces import TraceError

LINES = "17/01/2012 00:00:01;9;9\n17/01/2012 00:00:02;11;9\n"
MINUTES = "Time,Aggregate,Kettle\n2013-06-01 00:00:00,120,0\n2013-06-01 00:01:00,130,2000\n"
END_MS = 1_800_000_000_000


def test_every_recording_of_a_folder_becomes_a_load_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "tracebase_Router_B8148C_2012.01.17.csv.gz").write_bytes(gzip.compress(LINES.encode()))
    (tmp_path / "UKDALE_House2.csv").write_text(MINUTES)
    named = dict(read_recordings(tmp_path, END_MS))
    assert sorted(named) == ["Router", "UKDALE Aggregate", "UKDALE Kettle"]
    assert named["Router"].trace.watts == (9.0, 11.0)
    assert all(playback.loop for playback in named.values())


def test_a_file_that_is_none_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "tracebase_Router_1.csv").write_text(LINES)
    (tmp_path / "prices.csv").write_text("Date;Price\n")
    (tmp_path / "torn.csv.gz").write_bytes(b"\x1f\x8b not gzip")
    with caplog.at_level(logging.WARNING):
        assert [name for name, _ in read_recordings(tmp_path, END_MS)] == ["Router"]
    assert sorted(Path(record.args[0]).name for record in caplog.records) == ["prices.csv", "torn.csv.gz"]


def test_a_folder_without_any_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="tracebase, UK-DALE or REFIT"):
        read_recordings(tmp_path, END_MS)


async def test_a_start_and_a_wish_are_on_disk_long_before_the_next_copy(tmp_path: Path) -> None:
    running = RunningRack(DemoRack(1, None, 1), Config(data=str(tmp_path)))
    [pdu] = running.plant.pdus.values()
    [file] = [tmp_path / "rack" / f"{name}.flash" for name in running.plant.pdus]
    keeper = asyncio.create_task(running._keep_saved())
    await asyncio.sleep(0)
    pdu.reboot_gateway(pdu.now_ms + 20)
    for _ in range(SAVE_MS // 20):
        if file.exists():
            break
        await asyncio.sleep(0.01)
    keeper.cancel()
    assert read_flash(file.read_bytes()).boot == pdu.boot == 2
