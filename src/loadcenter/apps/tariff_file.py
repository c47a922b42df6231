"""The tariff file: what a kWh costs, when (docs/analytics.md shows one)."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from loadcenter.domain.tariffs import (
    DAY_MINUTES,
    MICRO,
    QUARTER_MINUTES,
    Price,
    Tariff,
    Tariffs,
    Window,
)

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PRICE_MAX: Final = Decimal(1_000)
"""Highest price a kWh and fee a day, and the lowest with a minus: beyond it somebody has mistaken the unit."""

_CLOCK = re.compile(r"(\d\d):(\d\d)")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NAME_MAX = 40


class TariffFileError(ValueError):
    """The tariff file cannot be used; the message names the place and says what to write."""


def read_tariffs(path: Path | None) -> Tariffs:
    """Return the tariffs in a file; without one nothing has a price.

    Raises:
        TariffFileError: the file cannot be read, or something in it does not fit.
    """
    if path is None:
        return Tariffs()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        return _tariffs(content)
    except (OSError, UnicodeDecodeError) as error:
        raise TariffFileError(f"the tariff file {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise TariffFileError(f"the tariff file {path} is not valid TOML: {error}") from error
    except TariffFileError as error:
        raise TariffFileError(f"the tariff file {path}: {error}") from None


def _tariffs(content: Mapping[str, Any]) -> Tariffs:
    _known(content, ("currency", "tariff"), "the file")
    currency = content.get("currency")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise TariffFileError('give the currency by its three letters, as currency = "EUR"')
    tables = _tables(content.get("tariff"), "tariff")
    tariffs = sorted((_tariff(one, f"tariff {number}") for number, one in tables), key=_valid_from)
    if not tariffs:
        raise TariffFileError("there is no [[tariff]]: give at least one")
    if len({one.valid_from for one in tariffs}) < len(tariffs):
        raise TariffFileError("two tariffs have the same 'valid_from': give each its own day")
    return Tariffs(currency, tuple(tariffs))


def _valid_from(tariff: Tariff) -> date:
    return tariff.valid_from


def _tariff(content: Mapping[str, Any], where: str) -> Tariff:
    _known(content, ("valid_from", "name", "price", "fee_per_day", "window"), where)
    valid_from = content.get("valid_from")
    if not isinstance(valid_from, date) or isinstance(valid_from, datetime):
        raise TariffFileError(f"{where}: give its first day, as valid_from = 2026-01-01")
    windows = _tables(content.get("window", []), f"{where}, window")
    return Tariff(
        valid_from,
        _price(content, where),
        tuple(_window(one, f"{where}, window {number}") for number, one in windows),
        _money(content.get("fee_per_day", 0), f"{where}: 'fee_per_day'"),
    )


def _window(content: Mapping[str, Any], where: str) -> Window:
    _known(content, ("name", "price", "days", "from", "until"), where)
    days = content.get("days", list(WEEKDAYS))
    if not isinstance(days, list) or not days or not set(days) <= set(WEEKDAYS):
        raise TariffFileError(f"{where}: 'days' is a list out of {', '.join(WEEKDAYS)}")
    begin = _clock(content.get("from"), f"{where}: 'from'")
    end = _clock(content.get("until"), f"{where}: 'until'")
    if begin == DAY_MINUTES:
        raise TariffFileError(f"{where}: 'from' is 24:00: write 00:00")
    weekdays = frozenset(WEEKDAYS.index(day) for day in days)
    return Window(_price(content, where), weekdays, begin, end or DAY_MINUTES)


def _price(content: Mapping[str, Any], where: str) -> Price:
    name = content.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= _NAME_MAX:
        raise TariffFileError(f"{where}: give it a name of at most {_NAME_MAX} characters")
    return Price(name, _money(content.get("price"), f"{where}: 'price'"))


def _money(value: Any, what: str) -> int:
    """Return an amount of money in millionths."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TariffFileError(f"{what} is a number in the currency, as 0.32")
    amount = Decimal(value)
    if not amount.is_finite() or abs(amount) > PRICE_MAX:
        raise TariffFileError(f"{what} is {value}: give -{PRICE_MAX} to {PRICE_MAX}, in the currency itself")
    micro = amount * MICRO
    if micro != micro.to_integral_value():
        raise TariffFileError(f"{what} is {value}: give at most 6 digits after the point")
    return int(micro)


def _clock(value: Any, what: str) -> int:
    """Return a clock time in minutes."""
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise TariffFileError(f'{what} is a time in quotes, as "22:00"')
    minute = int(found[1]) * 60 + int(found[2])
    if int(found[2]) >= 60 or minute > DAY_MINUTES or minute % QUARTER_MINUTES:  # noqa: PLR2004
        raise TariffFileError(f"{what} is {value}: prices change at a quarter of an hour, 00:00 to 24:00")
    return minute


def _known(content: Mapping[str, Any], keys: Iterable[str], where: str) -> None:
    unknown = sorted(set(content) - set(keys))
    if unknown:
        raise TariffFileError(f"{where}: unknown key '{unknown[0]}'; known are {', '.join(keys)}")


def _tables(value: Any, name: str) -> list[tuple[int, Mapping[str, Any]]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise TariffFileError(f"write each {name} as a table of its own, under [[…]]")
    return list(enumerate(value, 1))
