"""docs/operations.md lists every metric, every exit code, and every line that the log can warn with."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from loadcenter.apps.cli.terminal import Exit

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "loadcenter"
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
LOUD = {"warning", "error", "exception", "critical"}


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_it_lists_every_metric_and_no_other():
    source = (SOURCE / "apps" / "metrics.py").read_text(encoding="utf-8")
    named = set(re.findall(r"`(loadcenter_[a-z_]+?)(?:_total)?(?:\{\w+\})?`", section("Metrics")))
    assert named == set(re.findall(r'"(loadcenter_[a-z_]+)"', source))


def test_it_lists_every_exit_code():
    codes = re.findall(r"^\| (\d) \|", section("Exit codes"), re.MULTILINE)
    assert [int(code) for code in codes] == list(Exit)


def loud_lines() -> Iterator[str]:
    """Yield the text of every call in the source that logs a warning or worse."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Attribute(_, level), [ast.Constant(str(text)), *_]) if level in LOUD:
                    yield text


def telling(text: str) -> str:
    """Return what a reader of the log would search for: the longest part without variables, to its first mark."""
    part = max(re.split(r"%[\w.]+", text), key=len)
    return re.split(r"[:;,(]", part.lstrip(" :;,('"))[0].strip(" '")


def test_it_explains_every_line_that_the_log_can_warn_with():
    explained = section("What the log says")
    assert sorted(text for text in loud_lines() if telling(text) not in explained) == []


def test_the_lines_of_the_log_are_found():
    assert telling("'%s' sends records but is not registered: %s") == "sends records but is not registered"
    assert len(set(loud_lines())) > 20
