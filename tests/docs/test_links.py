"""Every relative link, anchor and file path in the documents leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = "bench|docs|firmware|integrations|scripts|spec|src|tests|web"
PACKAGE = "adapters|apps|domain|protocol|services|simulator"

LINK = re.compile(r'\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"')
PATH = re.compile(rf"`((?:{FOLDERS}|{PACKAGE})/[\w./*\[\]-]*)`")
"""A path as documents write it: from the root of the repository, or from the package."""


def documents() -> list[Path]:
    found = [*ROOT.glob("*.md"), *(ROOT / "spec").glob("*.md"), *(ROOT / "web").glob("*.md")]
    return sorted([*found, *(ROOT / "docs").rglob("*.md"), *(ROOT / "integrations").rglob("*.md")])


def prose(text: str) -> str:
    """Return a document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as the usual hosts make them."""
    headings = re.findall(r"^#+ (.+)$", prose(document.read_text(encoding="utf-8")), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {text.replace(" ", "-") for text in words}


def links(document: Path) -> Iterator[str]:
    for markdown, html in LINK.findall(prose(document.read_text(encoding="utf-8"))):
        link = markdown or html
        if not re.match(r"[a-z]+:", link):
            yield link


def broken(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.exists() or not target.is_relative_to(ROOT):
        return True
    return bool(anchor) and anchor not in anchors(target)


def is_there(path: str, document: Path) -> bool:
    """Return whether a path (`*` for any name) leads somewhere from the root, the package or the document's folder."""
    bases = (ROOT, ROOT / "src" / "loadcenter", document.parent)
    return any(next(base.glob(path.rstrip("/")), None) for base in bases)


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_resolves(document):
    assert [link for link in links(document) if broken(document, link)] == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_that_is_named_exists(document):
    named = set(PATH.findall(prose(document.read_text(encoding="utf-8"))))
    # NAME stands for any name.
    assert sorted(path for path in named if "NAME" not in path and not is_there(path, document)) == []


def test_a_broken_link_would_be_seen(tmp_path):
    page = ROOT / "docs" / "README.md"
    assert broken(page, "no-such-page.md")
    assert broken(page, "#no-such-heading")
    assert broken(page, "../../outside.md")
    assert not broken(page, "#decisions")
    assert not is_there("src/loadcenter/no_such_module.py", page)
