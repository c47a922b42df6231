"""How fast charts and reports are on 100 million raw rows, and how many bytes a sample takes (figures F9 and F10).

SCALE=1 is the full size; the default of 0.1 (10 million raw rows) takes some minutes.
"""

import asyncio
import datetime as dt
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from bench import figures, payloads
from bench.figures import Figure, Figures, Settings, percentile
from bench.filling import DAY_MS, LiteWriter, Span, add_pdu, fill, fill_old, fill_sources
from bench.processes import cpu_s
from bench.rigs import BenchRig, Sql, bench_rig, table_bytes
from tests.system.centers import PASSWORD

from loadcenter.adapters.calendar import SiteCalendar
from loadcenter.adapters.clock import SystemClock
from loadcenter.adapters.storage.schema import TIER_NAMES
from loadcenter.adapters.storage.store import open_store
from loadcenter.apps.demo import DEMO_TARIFF
from loadcenter.apps.tariff_file import read_tariffs
from loadcenter.domain.analysis.periods import Days
from loadcenter.domain.rollups import Tier
from loadcenter.services.analytics import Analytics

SEED = 20_261_124
OUTLETS = 8
PDUS = 10
RAW_DAYS = 14.5
"""A little more than raw rows are kept by default; of 10 PDUs of 8 outlets it is 100 million rows."""
YEARS_DAYS = 5 * 365 + 1
KEPT_DAYS = {Tier.MINUTE: 400, Tier.QUARTER: YEARS_DAYS, Tier.HOUR: YEARS_DAYS, Tier.DAY: YEARS_DAYS}
"""How long each tier is kept by default; of those kept for ever, five years."""
POINTS = 600
RANGES_MS = {
    "1 h": 3_600_000,
    "6 h": 6 * 3_600_000,
    "1 d": DAY_MS,
    "7 d": 7 * DAY_MS,
    "30 d": 30 * DAY_MS,
    "1 y": 365 * DAY_MS,
    "5 y": YEARS_DAYS * DAY_MS,
}
SERIES = (1, 4, 8)
CHARTS = 30
WARM_UP = 3
OLD_CHARTS = 10
OLD_RANGES = ("1 h", "1 d", "7 d")
YEAR = dt.timedelta(days=365)
REPORTS = 5
REPORT_NAMES = ("energy", "voltage", "supply")


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written.

    Attributes:
        rows: rows by table; `old` those of the old table.
        end_ms: where all history ends.
        years, day: names of the PDUs with five years, and with one day.
    """

    rows: dict[str, int]
    end_ms: int
    years: str
    day: str


def measure(settings: Settings, folder: Path) -> Figures:
    """Fill a database, then ask for charts, and weigh the files."""
    pdus = max(1, round(PDUS * settings.scale))
    with bench_rig(folder, pdus + 1) as rig, rig.sql() as sql:
        began = time.monotonic()
        filled = _fill(sql, settings, pdus)
        print(f"  {sum(filled.rows.values()):,} rows in {time.monotonic() - began:.0f} s", flush=True)
        found = _bytes(rig, filled)
        with httpx.Client(base_url=f"http://127.0.0.1:{rig.center.port}", timeout=120) as http:
            charts = _Charts(http, filled, settings, lambda: cpu_s(rig.center.pid) + cpu_s(rig.database.pid))
            found |= charts.figures(_old_charts(sql, filled, settings))
            found |= charts.analytics()
    return found | asyncio.run(_lite_analytics(folder, settings))


def _fill(sql: Sql, settings: Settings, pdus: int) -> Filled:
    share = min(1.0, settings.scale * PDUS)
    """Below one PDU the days shrink."""
    end_ms = int(time.time()) // 86_400 * DAY_MS
    raw_ms = int(RAW_DAYS * share * 86_400) * 1000
    rows = dict.fromkeys(("raw", *TIER_NAMES.values()), 0)
    for pdu_no in range(1, pdus + 2):
        add_pdu(sql, pdu_no)
        only_day = pdu_no > pdus
        kept_ms = min(raw_ms, DAY_MS) if only_day else raw_ms
        rows["raw"] += fill(sql, Span(pdu_no, OUTLETS, None, end_ms - kept_ms, end_ms))
        for tier, days in KEPT_DAYS.items():
            # Only the first PDU has years; the others have what they were asked for meanwhile: the raw span.
            tier_ms = int(days * share) * DAY_MS if pdu_no == 1 else kept_ms
            span_ms = tier.value * 1000
            span = Span(pdu_no, OUTLETS, tier, (end_ms - tier_ms) // span_ms * span_ms, end_ms)
            rows[TIER_NAMES[tier]] += fill(sql, span)
            if pdu_no == 1:
                fill_sources(sql, span)
    rows["old"] = fill_old(sql, pdus, OUTLETS, end_ms - raw_ms, end_ms)
    return Filled(rows, end_ms, payloads.pdu_id(0), payloads.pdu_id(pdus))


def _bytes(rig: BenchRig, filled: Filled) -> Figures:
    """F10: size of the files, divided by the outlet-samples that they hold."""

    def weigh(table: str, rows: int, samples: int) -> Figure:
        size = table_bytes(rig, table)
        note = f"{rows:,} rows in {size / 1e6:,.0f} MB, {size / max(1, rows):.0f} bytes a row"
        return Figure(size / max(1, rows) / samples, "B", note=note)

    raw = weigh("raw_record", filled.rows["raw"], 1)
    old = weigh("old_readings", filled.rows["old"], 1)
    found = {"F10_raw_b": replace(raw, goal="<= 49", peer={"old_table_b": round(old.value, 1)})}
    for tier, name in TIER_NAMES.items():
        found[f"F10_{name}_b"] = weigh(f"outlet_rollup_{name}", filled.rows[name], tier.value)
    found["F10_1m_b"] = replace(found["F10_1m_b"], goal="<= 3")
    return found


class _Charts:
    """Asks the control center for charts as a page does, each of another end of the range."""

    def __init__(
        self, http: httpx.Client, filled: Filled, settings: Settings, cpu: Callable[[], float]
    ) -> None:
        self._filled = filled
        self._cpu = cpu
        self._cpu_ms: dict[str, float] = {}
        self._charts = max(1, int(CHARTS * min(1.0, settings.scale * 10)))
        self._chance = random.Random(SEED)
        self._http = http
        answer = http.post("/api/v1/session", json={"username": "admin", "password": PASSWORD})
        assert answer.status_code == 200, answer.text

    def figures(self, old_ms: dict[str, float]) -> Figures:
        """Return F9 and its parts."""
        cells = {
            f"{name} x {series}": percentile(self._took(name, series), 95)
            for name in RANGES_MS
            for series in SERIES
        }
        worst = max(cells, key=cells.__getitem__)
        flat = [self._flatness(name) for name in ("1 h", "6 h")]
        note = f"{POINTS} points, {self._charts} charts a cell, the slowest is {worst}; {self._filled.rows['raw']:,} raw rows"
        tidy = {name: round(value, 1) for name, value in cells.items()}
        ratio = old_ms["1 d"] / cells["1 d x 1"]
        return {
            "F9_chart_ms": Figure(
                cells[worst], "ms", "<= 50", min(cells.values()), cells[worst], peer=tidy, note=note
            ),
            "F9_cpu_ms": self._processor_time(),
            "F9_flat": Figure(
                max(flat), "x", "<= 1.5", min(flat), max(flat), note="p95 with five years against one day"
            ),
            "F9_old": Figure(
                ratio,
                "x",
                peer=old_ms,
                note="one day of one outlet: p95 of the old table's query against ours",
            ),
        }

    def analytics(self) -> Figures:
        """Return how long the reports of a year take, over HTTP."""
        until = dt.datetime.fromtimestamp(self._filled.end_ms / 1000, dt.UTC).date()
        query = {"pdu": self._filled.years, "since": str(until - YEAR), "until": str(until)}

        def ask(report: str) -> float:
            before_s, began = self._cpu(), time.perf_counter()
            answer = self._http.get(f"/api/v1/analytics/{report}", params=query)
            took_ms = (time.perf_counter() - began) * 1000
            assert answer.status_code == 200, answer.text
            cost_ms[report] = (self._cpu() - before_s) * 1000
            return took_ms

        cost_ms: dict[str, float] = {}
        found = _reports({one: [ask(one) for _ in range(REPORTS)] for one in REPORT_NAMES})
        cost = ", ".join(f"{one} {cost_ms[one]:.0f}" for one in REPORT_NAMES)
        return {"F9_analytics_ms": replace(found, note=f"{found.note}; processor time in ms: {cost}")}

    def _flatness(self, name: str) -> float:
        """Return the p95 of a chart of the PDU with years against the PDU with one day, asked in turn."""
        both = (self._filled.years, self._filled.day)
        years: list[float] = []
        day: list[float] = []
        for _ in range(self._charts):
            for pdu_id, took in zip(both, (years, day), strict=True):
                took.append(self._ask(pdu_id, RANGES_MS[name], 8))
        return percentile(years, 95) / percentile(day, 95)

    def _processor_time(self) -> Figure:
        """Return what the most expensive chart costs: other work on the machine moves this less than the time it takes."""
        worst = max(self._cpu_ms, key=self._cpu_ms.__getitem__)
        tidy = {name: round(value, 1) for name, value in self._cpu_ms.items()}
        note = f"processor time of a chart, control center and database together; the most is {worst}"
        return Figure(self._cpu_ms[worst], "ms", peer=tidy, note=note)

    def _took(self, name: str, series: int) -> list[float]:
        length_ms = RANGES_MS[name]
        for _ in range(min(WARM_UP, self._charts)):
            self._ask(self._filled.years, length_ms, series)
        before_s = self._cpu()
        found = [self._ask(self._filled.years, length_ms, series) for _ in range(self._charts)]
        self._cpu_ms[f"{name} x {series}"] = (self._cpu() - before_s) / self._charts * 1000
        return found

    def _ask(self, pdu_id: str, length_ms: int, series: int) -> float:
        """Return how long one chart took, in ms; its range ends somewhere in the last hours."""
        until_ms = self._filled.end_ms - self._chance.randrange(6 * 3600) * 1000
        outlets = ",".join(str(n) for n in range(1, series + 1))
        query = {
            "pdu": pdu_id,
            "outlets": outlets,
            "sources": "",
            "since_ms": until_ms - length_ms,
            "until_ms": until_ms,
            "points": POINTS,
        }
        began = time.perf_counter()
        answer = self._http.get("/api/v1/history", params=query)
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, answer.text
        return took


def _reports(took_ms: dict[str, list[float]]) -> Figure:
    """Return the slowest report by its median, the others beside it."""
    medians = {name: statistics.median(values) for name, values in took_ms.items()}
    worst = max(medians, key=medians.__getitem__)
    tidy = {name: round(value) for name, value in medians.items()}
    note = f"a year of {OUTLETS} outlets and the year before, three prices; the slowest is {worst}"
    return Figure(
        medians[worst], "ms", "<= 1000", min(took_ms[worst]), max(took_ms[worst]), peer=tidy, note=note
    )


async def _lite_analytics(folder: Path, settings: Settings) -> Figures:
    """Return how long the same reports take on a SQLite file, without HTTP."""
    end_ms = int(time.time()) // 86_400 * DAY_MS
    path = folder / "years.db"
    url = f"sqlite:///{path}"
    async with open_store(url):
        pass
    _fill_lite(path, min(1.0, settings.scale * PDUS), end_ms)
    site = SiteCalendar()
    last = site.local(end_ms).day
    took_ms: dict[str, list[float]] = {name: [] for name in REPORT_NAMES}
    async with open_store(url, day_start=site.day_start_ms) as store:
        analytics = Analytics(store, SystemClock(), site, read_tariffs(DEMO_TARIFF))
        pdu_id, days = payloads.pdu_id(0), Days(last - YEAR, last)
        for _ in range(REPORTS):
            for name, report in (
                ("energy", analytics.energy(pdu_id, days)),
                ("voltage", analytics.voltage(pdu_id, days, 230_000)),
                ("supply", analytics.supply(pdu_id, days)),
            ):
                began = time.perf_counter()
                await report
                took_ms[name].append((time.perf_counter() - began) * 1000)
    return {"F9_analytics_sqlite_ms": _reports(took_ms)}


def _fill_lite(path: Path, share: float, end_ms: int) -> None:
    sql = LiteWriter(path)
    add_pdu(sql, 1)
    for tier in Tier:
        days = YEAR.days if tier is Tier.MINUTE else 2 * YEAR.days
        span = Span(1, OUTLETS, tier, end_ms - int(days * share) * DAY_MS, end_ms)
        fill(sql, span)
        fill_sources(sql, span)
    sql.close()


def _old_charts(sql: Sql, filled: Filled, settings: Settings) -> dict[str, float]:
    """Return the p95 of the old table's query by range, in ms: averages of one load by minute, from the database itself."""
    chance = random.Random(SEED)
    found = {}
    for name in OLD_RANGES:
        took = []
        for _ in range(max(2, int(OLD_CHARTS * min(1.0, settings.scale * 10)))):
            until_ms = filled.end_ms - chance.randrange(6 * 3600) * 1000
            began = time.perf_counter()
            sql.rows(
                "SELECT ts DIV 60000 * 60000, MIN(power), AVG(power), MAX(power), AVG(current), AVG(v1) FROM old_readings "
                f"WHERE device = '{filled.years}' AND load_no = 1 AND ts >= {until_ms - RANGES_MS[name]} "
                f"AND ts < {until_ms} GROUP BY 1"
            )
            took.append((time.perf_counter() - began) * 1000)
        found[name] = round(percentile(took[1:], 95), 1)  # the first one reads the disk
    return found


def main() -> Figures:
    """Measure as the environment says."""
    with tempfile.TemporaryDirectory(prefix="bench-history-") as folder:
        return measure(figures.settings(0.1), Path(folder))


if __name__ == "__main__":
    figures.run("history", main)
