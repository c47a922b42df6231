"""Every `loadcenter …` command line that the documents show is understood by the command line."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.exceptions import TyperException

from loadcenter.apps.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "integrations" / "systemd" / "loadcenter.service"
CALL = r"loadcenter ((?:-|[a-z]).*)"
LINE = re.compile(rf"^(?:runuser .*? -- (?:env \S+ )?)?(?:\S*/)?{CALL}")
"""A line that calls `loadcenter`, with or without a folder before it or as another user, and its arguments."""


def documents() -> list[Path]:
    found = [*ROOT.glob("*.md"), *(ROOT / "spec").glob("*.md"), *(ROOT / "web").glob("*.md")]
    return sorted([*found, *(ROOT / "docs").rglob("*.md"), *(ROOT / "integrations").rglob("*.md")])


def blocks(text: str) -> Iterator[str]:
    """Yield the lines of code blocks that hold commands: those without a language, `sh` or `console`."""
    for language, body in re.findall(r"^```([a-z]*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if language in ("", "sh", "bash", "console"):
            yield from body.replace("\\\n", " ").splitlines()


def full_lines() -> list[tuple[str, str]]:
    """Return (document, arguments) of each command line in a code block, and of the systemd unit."""
    shown = [
        (path.relative_to(ROOT).as_posix(), match[1])
        for path in documents()
        for line in blocks(path.read_text(encoding="utf-8"))
        if (match := LINE.search(line.partition(" #")[0])) is not None
    ]
    started = re.findall(rf"^ExecStart=\S+?/{CALL}$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    return [*shown, *((UNIT.name, arguments) for arguments in started)]


def mentions() -> list[tuple[str, str]]:
    """Return (document, arguments) of each command that a sentence names; its arguments may be left out."""
    found = set()
    for path in documents():
        text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        name = path.relative_to(ROOT).as_posix()
        found |= {(name, arguments) for arguments in re.findall(r"`loadcenter ([^`]+)`", text)}
    return sorted(found)


def parse(arguments: str) -> None:
    """Parse a command line as the program would, without carrying it out.

    Raises:
        TyperException, KeyError: it is not understood.
    """
    command: Any = typer.main.get_command(app)
    context, words = None, shlex.split(arguments)
    while hasattr(command, "commands"):
        context = command.make_context(command.name or "loadcenter", list(words), parent=context)
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, words, parent=context)


def known(arguments: str) -> bool:
    """Return whether the commands and options that a sentence names exist."""
    command: Any = typer.main.get_command(app)
    words = shlex.split(arguments)
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return words == ["…"]  # all commands of a group are meant
        command = command.commands[words.pop(0)]
    options = {name for one in command.params for name in one.opts}
    return {word.partition("=")[0] for word in words if word.startswith("-")} <= options


@pytest.mark.parametrize(("document", "arguments"), full_lines())
def test_a_command_line_of_a_code_block_parses(document, arguments):
    parse(arguments)


@pytest.mark.parametrize(("document", "arguments"), mentions())
def test_a_command_that_a_sentence_names_exists(document, arguments):
    assert known(arguments), f"{document} names 'loadcenter {arguments}'"


@pytest.mark.parametrize("wrong", ["frob", "serve --frob", "device add", "outlet on", "sim run a b"])
def test_a_wrong_line_would_be_seen(wrong):
    with pytest.raises((TyperException, KeyError)):
        parse(wrong)


def test_there_are_lines_to_check():
    assert len(full_lines()) > 10
    assert len(mentions()) > 5
    assert not known("frob")
    assert not known("doctor --frob")
