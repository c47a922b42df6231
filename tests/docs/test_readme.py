"""The README says what it is, shows it, and promises nothing that is not there."""

import re
from pathlib import Path

import loadcenter

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = README.splitlines()


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_it_opens_with_the_name_and_one_sentence():
    assert LINES[0] == "# Loadcenter"
    opening = re.split(r"\n\n", README)[1]
    assert opening.startswith("Loadcenter is ")
    assert opening.count(". ") == 0
    assert opening.endswith(".")


def test_the_two_commands_stand_in_the_first_25_lines():
    for command in ("make demo", "make test"):
        assert any(line.startswith(command) for line in LINES[:25])


def test_the_picture_has_a_version_for_dark_pages_and_a_text():
    picture = re.search(r"<picture>(.*?)</picture>", README, re.DOTALL)
    assert picture is not None
    assert (
        'media="(prefers-color-scheme: dark)" srcset="docs/screenshots/overview-1440-dark.png"' in picture[1]
    )
    assert 'src="docs/screenshots/overview-1440-light.png"' in picture[1]
    assert re.search(r'alt="[^"]{20,}"', picture[1])


def test_it_says_what_is_missing():
    missing = section("What does not work yet")
    for word in ("firmware", "UNO", "calibration", "hardware", "sites", "groups"):
        assert word in missing
    for word in ("roles", "notifications", "audit log"):
        assert word in missing.lower()


def test_it_warns_of_what_can_hurt():
    safety = section("Safety")
    assert "overload protection, not short-circuit protection" in safety
    assert "mains voltage" in safety
    assert "docs/safety.md" in safety


def test_the_first_page_on_safety_says_the_same_at_its_beginning():
    opening = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8").split("\n## ")[0]
    assert "overload protection, not short-circuit protection" in opening
    assert "fuse" in opening


def test_it_carries_no_badges_and_no_foreign_pictures():
    sources = re.findall(r'!\[[^\]]*\]\(([^)]*)\)|(?:src|srcset)="([^"]*)"', README)
    assert [one for pair in sources for one in pair if one.startswith("http")] == []


def test_the_index_lists_every_document():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    documents = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert {name for name in documents - {"README.md"} if f"({name})" not in index} == set()


def test_every_decision_has_its_parts_in_order():
    parts = ["Context", "Decision", "Consequences", "Out of scope", "What would change it"]
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [path.name[:4] for path in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}: ")
        assert re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE) == parts, path.name


def test_the_changelog_names_the_version_that_is_being_made():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in changelog
    assert loadcenter.__version__ in changelog
