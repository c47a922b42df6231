"""What a kWh costs at each quarter of an hour: prices that were imported, and the tariff where there are none.

Day-ahead prices come as CSV with the columns `start,price`: the time at which a price begins to hold (on the site's clock,
or with an offset from UTC) and the price of a kWh in the currency of the tariff. Each holds until the next one begins, at
most for an hour; the last one as long as the one before it.
"""

import csv
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Final, Protocol

from loadcenter.domain.cheapest import QUARTER_MS, PricedQuarter
from loadcenter.domain.schedules import DAY_MS, FIRST_YEAR, HOUR_MS
from loadcenter.domain.tariffs import MICRO, LocalTime, Tariffs
from loadcenter.services.ports import Clock
from loadcenter.services.ports.schedules import PriceRow, ScheduleStore

PRICE_MAX: Final = Decimal(1_000)
"""Highest price of a kWh, and lowest with a minus: beyond it somebody has mistaken the unit."""
ROWS_MAX: Final = 1_000
COLUMNS: Final = ["start", "price"]
AHEAD_MS: Final = 40 * DAY_MS
"""How far ahead imported prices are looked at."""


class PriceListError(ValueError):
    """A list of prices cannot be used; the message names the line and says what to write."""


class PriceTime(Protocol):
    """Times on the site's clock (`adapters/calendar.SiteCalendar`)."""

    def wall_ms(self, at: datetime) -> int:
        """Return UTC ms of a time, on the site's clock if it has no offset."""
        ...

    def local(self, ts_ms: int) -> LocalTime:
        """Return date and minute as the site's clock shows them."""
        ...


class EnergyPrices:
    """Prices of energy (`ports.Prices`), in memory from two days ago on."""

    def __init__(self, store: ScheduleStore, clock: Clock, times: PriceTime, tariffs: Tariffs) -> None:
        self._store = store
        self._clock = clock
        self._times = times
        self._tariffs = tariffs
        self._imported: dict[int, int] = {}

    @property
    def currency(self) -> str:
        """The currency of the tariff, empty without one."""
        return self._tariffs.currency

    async def load(self) -> None:
        """Read the imported prices.

        Raises:
            StoreUnavailableError: the database is away.
        """
        now_ms = self._clock.now_ms()
        rows = await self._store.prices(now_ms - 2 * DAY_MS, now_ms + AHEAD_MS)
        self._imported = {
            at: row.micro_per_kwh for row in rows for at in range(row.start_ms, row.until_ms, QUARTER_MS)
        }

    def quarters(self, since_ms: int, until_ms: int) -> list[PricedQuarter]:
        """See `Prices.quarters`."""
        return [PricedQuarter(at, self._price(at)) for at in range(since_ms, until_ms, QUARTER_MS)]

    async def add(self, text: str) -> list[PriceRow]:
        """Keep the prices of a CSV text and return them.

        Raises:
            PriceListError: the text is not such a list; nothing was kept.
            StoreUnavailableError: the database is away; nothing was kept.
        """
        rows = read_prices(text, self._times.wall_ms)
        await self._store.put_prices(rows)
        await self.load()
        return rows

    def _price(self, at_ms: int) -> int | None:
        known = self._imported.get(at_ms)
        if known is not None:
            return known
        price = self._tariffs.price_at(self._times.local(at_ms))
        return None if price is None else price.micro_per_kwh


def read_prices(text: str, wall_ms: Callable[[datetime], int]) -> list[PriceRow]:
    """Return the prices in a CSV text.

    Raises:
        PriceListError: it is not such a list.
    """
    lines = [line for line in csv.reader(text.splitlines()) if line]
    if lines and [one.strip().lower() for one in lines[0]] == COLUMNS:
        lines = lines[1:]
    if not 0 < len(lines) <= ROWS_MAX:
        raise PriceListError(f"the list has {len(lines)} prices: give 1 to {ROWS_MAX}, as start,price")
    seen: set[datetime] = set()
    priced = [_line(number, line, seen, wall_ms) for number, line in enumerate(lines, 1)]
    for number, (one, following) in enumerate(pairwise(priced), 2):
        if following[0] <= one[0]:
            raise PriceListError(f"price {number} begins at or before the one above it: put them in order")
    return _rows(priced)


def _line(
    number: int, line: Sequence[str], seen: set[datetime], wall_ms: Callable[[datetime], int]
) -> tuple[int, int]:
    """Return (start_ms, micro_per_kwh); of an hour that the clock shows twice the second line is the second."""
    try:
        start, price = (one.strip() for one in line)
        at, amount = datetime.fromisoformat(start), Decimal(price)
        start_ms = wall_ms(at.replace(fold=1) if at in seen else at)
    except (ValueError, OverflowError, InvalidOperation):
        raise PriceListError(f"price {number} is '{','.join(line)}': write 2026-11-24T13:00,0.21") from None
    if at.year < FIRST_YEAR:
        raise PriceListError(f"price {number} begins in {at.year}: give times of {FIRST_YEAR} or later")
    if not amount.is_finite() or abs(amount) > PRICE_MAX:
        raise PriceListError(f"price {number} is {price}: give -{PRICE_MAX} to {PRICE_MAX}, for one kWh")
    seen.add(at)
    if start_ms % QUARTER_MS:
        raise PriceListError(f"price {number} begins at {start}: prices change at a quarter of an hour")
    return start_ms, round(amount * MICRO)


def _rows(priced: Sequence[tuple[int, int]]) -> list[PriceRow]:
    rows: list[PriceRow] = []
    for one, following in pairwise(priced):
        rows.append(PriceRow(one[0], min(following[0], one[0] + HOUR_MS), one[1]))
    last_ms, last_price = priced[-1]
    length_ms = rows[-1].until_ms - rows[-1].start_ms if rows else HOUR_MS
    return [*rows, PriceRow(last_ms, last_ms + length_ms, last_price)]
