"""What a person types while a unit runs: one order a line."""

from dataclasses import dataclass

from loadcenter.domain.topology import Source
from loadcenter.simulator.loads import CATALOG

HELP = f"""\
main off | on | PERCENT      the main source fails, returns, or has that much of its voltage (backup likewise)
load N WATT | NAME | none    what is plugged into outlet N: a resistance, or one of
                             {" ".join(CATALOG)}
beside N WATT | none         a resistance is plugged in beside it, or what was so is pulled out
weld N | free N              the relay of outlet N welds, or is a good one again
reset                        press the button of the board
show                         sources, outlets, and what flows
help | quit"""

MOST_PERCENT = 150
MOST_W = 100_000
"""More than a short circuit would be at the sensor."""


class OrderError(ValueError):
    """A line is no order; the message says what would be one."""


@dataclass(frozen=True, slots=True)
class Disturb:
    """A source has this part of its voltage: 1000 is undisturbed."""

    source: Source
    level_permille: int


@dataclass(frozen=True, slots=True)
class PlugIn:
    """An outlet has another load: a name of the catalogue, a power at nominal voltage in W, or nothing."""

    outlet: int
    load: str | float | None


@dataclass(frozen=True, slots=True)
class PlugBeside:
    """An outlet has a resistance more, of this power at nominal voltage in W; None pulls it out."""

    outlet: int
    watts: float | None


@dataclass(frozen=True, slots=True)
class Weld:
    """The relay of an outlet is welded, or no longer."""

    outlet: int
    welded: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """The unit is reset by its pin."""


@dataclass(frozen=True, slots=True)
class Show:
    """A look at everything is wanted."""


@dataclass(frozen=True, slots=True)
class Help:
    """The list of orders is wanted."""


@dataclass(frozen=True, slots=True)
class Quit:
    """The end is wanted."""


Order = Disturb | PlugIn | PlugBeside | Weld | Reset | Show | Help | Quit

_SINGLE: dict[str, Order] = {"reset": Reset(), "show": Show(), "help": Help(), "quit": Quit(), "exit": Quit()}


def parse(line: str, outlets: int) -> Order | None:
    """Return the order of a line, None of an empty one.

    Args:
        line: what was typed.
        outlets: how many the unit has.

    Raises:
        OrderError: it is none.
    """
    match line.lower().split():
        case []:
            return None
        case [word] if word in _SINGLE:
            return _SINGLE[word]
        case ["main" | "backup" as source, level]:
            return Disturb(Source(source), _permille(level))
        case ["load", outlet, load]:
            return PlugIn(_outlet(outlet, outlets), _load(load))
        case ["beside", outlet, load]:
            return PlugBeside(_outlet(outlet, outlets), _watts(load))
        case ["weld" | "free" as what, outlet]:
            return Weld(_outlet(outlet, outlets), what == "weld")
        case _:
            raise OrderError(f"'{line.strip()}' is no order: `help` lists them")


def _permille(level: str) -> int:
    if level in {"on", "off"}:
        return 1000 if level == "on" else 0
    percent = _number(level.removesuffix("%"))
    if percent is None or not 0 <= percent <= MOST_PERCENT:
        raise OrderError(f"'{level}' is no state of a source: on, off, or 0 to {MOST_PERCENT} (percent)")
    return round(percent * 10)


def _outlet(word: str, outlets: int) -> int:
    if word.isdecimal() and 1 <= int(word) <= outlets:
        return int(word)
    raise OrderError(f"there is no outlet '{word}': 1 to {outlets}")


def _load(word: str) -> str | float | None:
    return word if word in CATALOG else _watts(word, *CATALOG)


def _watts(word: str, *names: str) -> float | None:
    if word == "none":
        return None
    watts = _number(word.removesuffix("w"))
    if watts is None or not 0 <= watts <= MOST_W:
        also = f", or {', '.join(names)}" if names else ""
        raise OrderError(f"'{word}' is no load: a power in W up to {MOST_W}, none{also}")
    return watts or None


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
