"""What the command line prints, and how it ends.

Exit codes: 0 done; 1 refused or failed, the message says why; 2 the command line was not understood; 3 the
configuration cannot be used; 4 no control center is running; 5 something that is needed cannot be reached.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, NoReturn

import typer
from rich.console import Console, RenderableType
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Exit(IntEnum):
    """Exit codes of `loadcenter`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIG = 3
    NOT_RUNNING = 4
    UNREACHABLE = 5


def fail(message: str, code: Exit = Exit.FAILED) -> NoReturn:
    """Print what is wrong and end."""
    err.print(f"[bold red]error:[/] {_plain(message)}")
    raise typer.Exit(code)


def show(data: Any, *, as_json: bool, table: RenderableType) -> None:
    """Print `data` as JSON, or `table` for people."""
    if as_json:
        print(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        out.print(table)


def table(*columns: str) -> Table:
    """Return an empty table with these columns."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


@contextmanager
def counting(quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """Yield a function that shows how much of what is done, on a terminal; the last line of each stays."""
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:>14,}"), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=quiet or not err.is_terminal) as shown:
        tasks = {}

        def count(what: str, done: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=None)
            shown.update(tasks[what], completed=done)

        yield count


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
