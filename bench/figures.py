"""What every bench shares: its settings from the environment, a figure, and the file that figures are written to."""

import json
import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "loadcenter-bench"
"""Where peers are installed: outside the repository."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure.

    Attributes:
        value: the figure; for a wall-clock one the median of its runs; NaN where nothing came to be measured.
        goal: what it should reach, as people say it (`<= 50`).
        low: least of the runs; `high` the largest.
        peer: what was measured beside it in the same run.
        ablation: what the same harness shows with the safeguard switched off.
        note: what has to be known to read it.
    """

    value: float
    unit: str
    goal: str = ""
    low: float | None = None
    high: float | None = None
    peer: Any = None
    ablation: Any = None
    note: str = ""

    def row(self) -> dict[str, Any]:
        """Return the figure as it is written."""
        row = {
            "value": rounded(self.value),
            "unit": self.unit,
            "goal": self.goal,
            "min": rounded(self.value if self.low is None else self.low),
            "max": rounded(self.value if self.high is None else self.high),
            "peer": self.peer,
            "ablation": self.ablation,
            "note": self.note,
        }
        return {key: value for key, value in row.items() if value not in (None, "") or key == "value"}


Figures = dict[str, Figure]


def of_runs(values: Sequence[float], unit: str, goal: str = "", **more: Any) -> Figure:
    """Return the median of several runs with its extremes."""
    return Figure(statistics.median(values), unit, goal, min(values), max(values), **more)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the least value that `percent` of the values do not exceed; NaN of none."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def rounded(value: float) -> float | None:
    """Return a value with three significant digits, whole ones whole; None for NaN, which JSON does not have."""
    if not math.isfinite(value):
        return None
    if value == 0:
        return 0
    digits = 2 - math.floor(math.log10(abs(value)))
    return int(value) if digits <= 0 or value == int(value) else round(value, digits)


def write(name: str, figures: Mapping[str, Figure], folder: Path = RESULTS) -> Path:
    """Write `NAME.json`, print what it holds and return its path.

    Figures of an earlier run at the same commit stay where this run did not measure them.
    """
    path = folder / f"{name}.json"
    place = {"machine": machine(), "commit": commit()}
    rows = {**_earlier(path, place), **{key: one.row() for key, one in figures.items()}}
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**place, "figures": rows}, indent=2) + "\n", encoding="utf-8")
    for key, one in figures.items():
        print(_line(key, one.row()), flush=True)
    return path


def _earlier(path: Path, place: Mapping[str, str]) -> dict[str, Any]:
    if not path.exists():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    same = all(kept.get(key) == value for key, value in place.items())
    return dict(kept["figures"]) if same else {}


def _line(name: str, row: Mapping[str, Any]) -> str:
    goal = f" (goal {row['goal']})" if "goal" in row else ""
    low, high = row.get("min"), row.get("max")
    span = "" if low == high else f", {low} to {high}"
    more = "".join(f"\n    {key}: {row[key]}" for key in ("peer", "ablation", "note") if key in row)
    return f"{name}: {row['value']} {row['unit']}{goal}{span}{more}"


def machine() -> str:
    """Return what kind of machine this is, without its name."""
    info = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (info.read_text(encoding="utf-8").splitlines() if info.exists() else [])
        if line.startswith("model name")
    ]
    model = models[0] if models else platform.machine()
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def commit() -> str:
    """Return the commit that is measured, with `+` where the tree differs from it."""
    head = _git("rev-parse", "HEAD")
    return head + ("+" if _git("status", "--porcelain", "--", "src") else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is measured.

    Attributes:
        scale: share of the full size, `SCALE=`.
        repeat: runs of each wall-clock figure, `REPEAT=`.
        parts: what to measure, `PARTS=F7,F11`; empty: everything.
    """

    scale: float = 1.0
    repeat: int = 5
    parts: frozenset[str] = field(default_factory=frozenset)

    def wants(self, part: str) -> bool:
        """Return whether a part is to be measured."""
        return not self.parts or part in self.parts


def settings(scale: float, repeat: int = 5) -> Settings:
    """Return the settings of this run: those given, unless the environment says otherwise."""
    parts = os.environ.get("PARTS", "")
    return Settings(
        number("SCALE", scale),
        int(number("REPEAT", repeat)),
        frozenset(parts.split(",")) if parts else frozenset(),
    )


def number(name: str, default: float) -> float:
    """Return a positive number of the environment."""
    text = os.environ.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0
    if value <= 0:
        raise SystemExit(f"{name}={text}: give a number above 0")
    return value


def run(name: str, measure: Callable[[], Figures | Iterable[Figures]]) -> None:
    """Measure, write and print, each part as soon as it is there.

    Where a program is missing that is needed, it is named and this one ends.
    """
    began = time.monotonic()
    try:
        parts = measure()
        for part in [parts] if isinstance(parts, dict) else parts:
            write(name, part)
    except pytest.skip.Exception as missing:  # the servers of the tests say so when they are not installed
        raise SystemExit(f"error: {missing.msg}") from None
    print(f"measured in {time.monotonic() - began:.0f} s")
