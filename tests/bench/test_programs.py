"""Each bench still runs, at a tiny size: what it measures then means nothing, but it is measured and complete."""

from collections.abc import Iterable
from pathlib import Path

from bench import durability, history, ingest
from bench.figures import Figures, Settings

TINY = 0.001


def all_of(parts: Iterable[Figures]) -> Figures:
    return {name: one for part in parts for name, one in part.items()}


def test_ingest_measures_throughput_against_the_rollups_it_wrote(tmp_path: Path) -> None:
    found = all_of(ingest.measure(Settings(TINY, 1, frozenset({"F7"})), tmp_path, peer=False))
    assert {"F7_messages_s", "F7_cpu_us", "F7_consumer_us", "F7_database_us", "F10_ingested_b"} <= set(found)
    assert found["F7_messages_s"].value > 0


def test_what_a_fleet_gives_out_is_what_is_stored_and_shown(tmp_path: Path) -> None:
    found = all_of(ingest.measure(Settings(TINY, 1, frozenset({"F12", "F11"})), tmp_path, peer=False))
    assert set(found) == {
        "F12_growth",
        "F11_live_p50_ms",
        "F11_live_p99_ms",
        "F11_click_p50_ms",
        "F11_click_p99_ms",
    }


def test_history_fills_every_table_and_asks_for_every_range(tmp_path: Path) -> None:
    found = history.measure(Settings(TINY / 2, 1), tmp_path)
    assert {"F9_chart_ms", "F9_flat", "F9_old", "F10_raw_b", "F10_1m_b", "F10_1d_b"} <= set(found)
    assert {"F9_analytics_ms", "F9_analytics_sqlite_ms"} <= set(found)
    assert len(found["F9_chart_ms"].peer) == len(history.RANGES_MS) * len(history.SERIES)


def test_durability_counts_outages_and_compares(tmp_path: Path) -> None:
    found = all_of(durability.measure(1, 1, tmp_path, peer=False, more=False))
    assert found["F8_outages"].value == 1
    assert [found[name].value for name in ("F8_lost", "F8_doubled", "F8_rollups")] == [0, 0, 0]
