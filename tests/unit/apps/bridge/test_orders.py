"""apps/bridge/orders.py"""

import pytest

from loadcenter.apps.bridge.orders import (
    HELP,
    Disturb,
    Help,
    OrderError,
    PlugBeside,
    PlugIn,
    Quit,
    Reset,
    Show,
    Weld,
    parse,
)
from loadcenter.domain.topology import Source


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("main off", Disturb(Source.MAIN, 0)),
        ("  BACKUP on ", Disturb(Source.BACKUP, 1000)),
        ("main 62.5", Disturb(Source.MAIN, 625)),
        ("main 118%", Disturb(Source.MAIN, 1180)),
        ("load 2 600", PlugIn(2, 600.0)),
        ("load 2 600W", PlugIn(2, 600.0)),
        ("load 4 kettle", PlugIn(4, "kettle")),
        ("load 4 none", PlugIn(4, None)),
        ("load 4 0", PlugIn(4, None)),
        ("beside 3 2000", PlugBeside(3, 2000.0)),
        ("beside 3 none", PlugBeside(3, None)),
        ("weld 1", Weld(1, welded=True)),
        ("free 1", Weld(1, welded=False)),
        ("reset", Reset()),
        ("show", Show()),
        ("help", Help()),
        ("quit", Quit()),
        ("", None),
    ],
)
def test_a_line_is_an_order(line, order):
    assert parse(line, 4) == order


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("mains off", "`help` lists them"),
        ("main", "`help` lists them"),
        ("main 400", "0 to 150"),
        ("main nan", "0 to 150"),
        ("load 5 600", "there is no outlet '5': 1 to 4"),
        ("load 0 600", "1 to 4"),
        ("load \N{SUPERSCRIPT TWO} 600", "1 to 4"),
        ("load 2 toaster", "kettle"),
        ("beside 2 kettle", "up to 100000, none"),
        ("load 2 -5", "is no load"),
        ("load 2 nan", "is no load"),
        ("load 2 inf", "is no load"),
        ("weld x", "1 to 4"),
    ],
)
def test_what_is_none_is_told_with_what_would_be_one(line, says):
    with pytest.raises(OrderError, match=says):
        parse(line, 4)


def test_the_help_names_every_order():
    first_words = {"main", "backup", "load", "weld", "free", "reset", "show", "help", "quit", "kettle"}
    assert first_words <= set(HELP.replace("(", " ").replace("|", " ").split())
