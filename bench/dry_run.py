"""How long a dry run of 30 days of 8 outlets takes on either database, from the question to the answer (`DRY_…`).

SCALE=1 is 30 days. Two questions: a budget that is passed now and then, and one that keeps something shed nearly always.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench import figures
from bench.figures import Figures, Settings, of_runs
from tests.databases import MariaDbServer

from loadcenter.adapters.clock import SystemClock
from loadcenter.adapters.storage.dialect import insert_only, write_rows
from loadcenter.adapters.storage.engine import open_engines
from loadcenter.adapters.storage.schema import OUTLET_ROLLUPS, pdu
from loadcenter.adapters.storage.store import open_store
from loadcenter.domain.rollups import Tier
from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.services.dry_run import DryAnswer, DryRun

OUTLETS = 8
DAYS = 30
MINUTE_MS = 60_000
SINCE_MS = 1_700_006_400_000
QUESTIONS = {"seldom": 9_000, "always": 5_000}
"""Budget of MAIN in mA: the loads draw 4 A to 11 A."""


def measure(settings: Settings, folder: Path) -> Figures:
    """Fill both databases and ask."""
    minutes = max(60, round(DAYS * 1440 * settings.scale))
    found: Figures = {}
    found |= asyncio.run(_asked(f"sqlite:///{folder / 'dry.db'}", "sqlite", minutes, settings))
    with MariaDbServer() as server:
        found |= asyncio.run(_asked(server.new_database(), "mariadb", minutes, settings))
    return found


async def _asked(url: str, name: str, minutes: int, settings: Settings) -> Figures:
    async with open_store(url):
        pass
    await _fill(url, minutes)
    found: Figures = {}
    async with open_store(url) as store:
        config = PduConfig(outlets=tuple(OutletConfig(priority=n) for n in range(1, OUTLETS + 1)))
        twin = SimpleNamespace(desired={"out": [{"n": n, "priority": n} for n in range(1, OUTLETS + 1)]})
        parts: Any = SimpleNamespace(twin=lambda _pdu: twin, config=lambda _pdu: config)
        service = DryRun(store, SystemClock(), parts, parts)
        for question, budget_ma in QUESTIONS.items():
            took, worked, answer = [], [], None
            for _ in range(settings.repeat):
                began, busy = time.perf_counter(), time.process_time()
                answer = await service.settings(
                    "rack-1",
                    SINCE_MS,
                    SINCE_MS + minutes * MINUTE_MS,
                    {"budget_main_ma": budget_ma},
                    [],
                )
                took.append(time.perf_counter() - began)
                worked.append(time.process_time() - busy)
            assert answer is not None
            found[f"DRY_{question}_{name}_s"] = replace(
                of_runs(took, "s", "<= 2"),
                peer={"processor_s": round(statistics.median(worked), 2)},
                note=_note(answer),
            )
    return found


def _note(answer: DryAnswer) -> str:
    result = answer.proposed
    sheds = sum(one.sheds for one in result.outlets)
    off = sum(one.off_minutes for one in result.outlets)
    return f"{sheds:,} sheds, {off:,} minutes off, current settings and proposed ones"


async def _fill(url: str, minutes: int) -> None:
    engines = open_engines(url)
    try:
        async with engines.writer.begin() as connection:
            await write_rows(connection, insert_only, pdu, [(1, "rack-1")])
            await write_rows(connection, insert_only, OUTLET_ROLLUPS[Tier.MINUTE], list(_rows(minutes)))
    finally:
        await engines.close()


def _rows(minutes: int) -> Iterator[tuple[int | None, ...]]:
    for outlet in range(1, OUTLETS + 1):
        for minute in range(minutes):
            # each load comes and goes in a rhythm of its own, so that their sum passes the budgets now and then
            busy = minute // (7 * outlet + 40) % 3 == 0
            ma = 500 + (900 if busy else 0) + minute * outlet % 97
            mw = ma * 230
            stat = (
                60,
                mw,
                mw + 20_000,
                mw * 60,
                60,
                229_000,
                231_000,
                230_000 * 60,
                60,
                ma,
                ma + 90,
                ma * 60,
            )
            yield (1, outlet, SINCE_MS + minute * MINUTE_MS, 60_000, *stat, None, None, None, None)


def main() -> Figures:
    """Measure as the environment says."""
    with tempfile.TemporaryDirectory(prefix="bench-dry-run-") as folder:
        return measure(figures.settings(1.0), Path(folder))


if __name__ == "__main__":
    figures.run("dry_run", main)
