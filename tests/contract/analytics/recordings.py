"""Recorded traces as records of a PDU in a database, and the same rows as a Polars frame."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.domain.energy import EnergyCounter
from loadcenter.domain.readings import OutletReading, SourceReading
from loadcenter.domain.rollups import (
    OutletRollup,
    SourceRollup,
    Tier,
    bucket_start_ms,
    outlet_rollup,
    source_rollup,
)
from loadcenter.domain.topology import Source
from loadcenter.services.ports import IngestBatch, RollupKey, Store
from loadcenter.simulator.traces import parse_any

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "traces"
PDU = "rack-1"
PERIOD_MS = 1000
ROWS_AT_ONCE = 20_000


def lines(name: str) -> list[str]:
    """The lines of a recording, or a skip."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"the recording {name} is not on this machine")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.read().splitlines()


@dataclass(frozen=True)
class Record:
    """One record of an outlet: `samples` seconds that end at `ts_ms`."""

    outlet: int
    ts_ms: int
    samples: int
    power_mw: int
    energy_mwh: int


def played(
    name: str, columns: Sequence[str], lost: Sequence[tuple[int, int]] = (), since_ms: int = 0
) -> list[Record]:
    """The columns of a recording as outlets 1, 2, ...; records of the `lost` spans (UTC ms) never arrive."""
    traces = parse_any(lines(name))
    records: list[Record] = []
    for outlet, column in enumerate(columns, 1):
        counter = EnergyCounter()
        trace = traces[column]
        samples = 60 if trace.hold_s > 60 else 1
        for second, watts in zip(trace.seconds, trace.watts, strict=True):
            if second * 1000 < since_ms:
                continue
            power_mw = round(watts * 1000)
            counter = counter.add(power_mw, samples * PERIOD_MS)
            ts_ms = (second + samples - 1) * 1000
            if not any(begin_ms <= ts_ms < end_ms for begin_ms, end_ms in lost):
                records.append(Record(outlet, ts_ms, samples, power_mw, counter.energy_mwh))
    return records


def frame(records: Sequence[Record], zone: str) -> pl.DataFrame:
    """The records as rows, with the site's clock."""
    return (
        pl.DataFrame(
            [(r.outlet, r.ts_ms, r.samples, r.power_mw, r.energy_mwh) for r in records], orient="row"
        )
        .rename(
            dict(
                zip([f"column_{n}" for n in range(5)], ["outlet", "ts", "samples", "mw", "mwh"], strict=True)
            )
        )
        .sort("outlet", "ts")
        .with_columns(local=pl.from_epoch("ts", time_unit="ms").dt.convert_time_zone(zone))
        .with_columns(
            used=pl.col("mwh").diff().over("outlet").fill_null(0),
            step=pl.col("ts").diff().over("outlet").fill_null(0),
            quarter=pl.col("ts") // 900_000,
        )
    )


async def keep(store: Store, records: Sequence[Record], calendar: SiteCalendar) -> None:
    """Store the minutes of the records as ingest does, and rebuild what is coarser."""
    minutes: dict[RollupKey, OutletRollup] = {}
    for record in records:
        key = RollupKey(PDU, record.outlet, bucket_start_ms(record.ts_ms, Tier.MINUTE))
        reading = OutletReading(record.outlet, True, 230_000, 1, record.power_mw, record.energy_mwh)
        rollup = outlet_rollup(reading, record.ts_ms, record.samples, PERIOD_MS)
        minutes[key] = minutes[key].merge(rollup) if key in minutes else rollup
    keys = list(minutes)
    for start in range(0, len(keys), ROWS_AT_ONCE):
        part = {key: minutes[key] for key in keys[start : start + ROWS_AT_ONCE]}
        await store.commit(IngestBatch(outlet_minutes=part))


async def keep_voltages(store: Store, voltages: Sequence[tuple[int, int]], calendar: SiteCalendar) -> None:
    """Store minutes of MAIN: (start_ms, mV)."""
    minutes: dict[RollupKey, SourceRollup] = {
        RollupKey(PDU, Source.MAIN, start_ms): source_rollup(
            SourceReading(Source.MAIN, voltage_mv, 50_000), 60, PERIOD_MS
        )
        for start_ms, voltage_mv in voltages
    }
    await store.commit(IngestBatch(source_minutes=minutes))


def voltages(name: str) -> Iterator[tuple[int, int]]:
    """(start_ms, mV) of each minute of a recording of the UCI household, which has volts in a column."""
    table = pl.read_csv("\n".join(lines(name)).encode(), separator=";", null_values="?")
    for row in table.iter_rows(named=True):
        if row["Voltage"] is not None:
            at = datetime.strptime(f"{row['Date']} {row['Time']}", "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC)
            yield round(at.timestamp() * 1000), round(row["Voltage"] * 1000)
