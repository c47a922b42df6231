"""Tariffs: what a kilowatt-hour costs at a site's local time.

Money is an integer. A price is in millionths of the currency unit a kWh, an amount in `PICO`, the millionth of a
millionth: mWh times micro-units a kWh is exactly that, so that no sum depends on its order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

DAY_MINUTES = 1440
QUARTER_MINUTES = 15
"""Prices change only at a quarter of an hour: energy is kept by quarters (`Tier.QUARTER`)."""

MICRO = 10**6
PICO = 10**12


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The date at the site, and minutes since midnight as its clock shows them, 0 to 1439."""

    day: date
    minute: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a kWh costs, in millionths of the currency unit, and what people call it. It may be negative."""

    name: str
    micro_per_kwh: int


@dataclass(frozen=True, slots=True)
class Window:
    """A price that holds on some days of the week, from one time of the local clock until another.

    Attributes:
        price: what holds in it.
        weekdays: 0 (Monday) to 6; a window past midnight belongs to the day on which it begins.
        from_minute: its first minute, 0 to 1425.
        until_minute: the minute after it, 15 to 1440; at or before `from_minute` it ends on the next day.
    """

    price: Price
    weekdays: frozenset[int]
    from_minute: int
    until_minute: int

    def holds_at(self, local: LocalTime) -> bool:
        """Return whether the window holds at a local time."""
        today = local.day.weekday()
        if self.from_minute < self.until_minute:
            return today in self.weekdays and self.from_minute <= local.minute < self.until_minute
        began_today = today in self.weekdays and local.minute >= self.from_minute
        began_yesterday = (today - 1) % 7 in self.weekdays and local.minute < self.until_minute
        return began_today or began_yesterday


@dataclass(frozen=True, slots=True)
class Tariff:
    """The prices from a day on.

    Attributes:
        valid_from: first day.
        base: the price where no window holds.
        windows: the first that holds counts.
        fee_micro_per_day: what a day costs whatever was used, once for the site.
    """

    valid_from: date
    base: Price
    windows: tuple[Window, ...] = ()
    fee_micro_per_day: int = 0

    def price_at(self, local: LocalTime) -> Price:
        """Return the price at a local time."""
        return next((one.price for one in self.windows if one.holds_at(local)), self.base)

    @property
    def prices(self) -> tuple[Price, ...]:
        """Every price there is, the base last."""
        return *(one.price for one in self.windows), self.base


@dataclass(frozen=True, slots=True)
class Tariffs:
    """The tariffs of a site, by rising `valid_from`; without any, nothing has a price."""

    currency: str = ""
    tariffs: Sequence[Tariff] = ()

    @property
    def change_minutes(self) -> tuple[int, ...]:
        """Minutes of a local day, but midnight, at which the price may change under one of the tariffs; rising."""
        windows = [window for one in self.tariffs for window in one.windows]
        minutes = {minute for one in windows for minute in (one.from_minute, one.until_minute % DAY_MINUTES)}
        return tuple(sorted(minutes - {0}))

    def on(self, day: date) -> Tariff | None:
        """Return the tariff of a day, None before the first."""
        return next((one for one in reversed(self.tariffs) if one.valid_from <= day), None)

    def price_at(self, local: LocalTime) -> Price | None:
        """Return the price at a local time, None before the first tariff."""
        tariff = self.on(local.day)
        return tariff.price_at(local) if tariff else None

    def price_range(self, first: date, last: date) -> tuple[int, int] | None:
        """Return the lowest and the highest price that hold anywhere from `first` to `last`, in micro-units a kWh.

        None where a day of them has no tariff.
        """
        begun = self.on(first)
        if begun is None:
            return None
        later = [one for one in self.tariffs if first < one.valid_from <= last]
        prices = [price.micro_per_kwh for one in (begun, *later) for price in one.prices]
        return min(prices), max(prices)

    def fee_pico(self, day: date) -> int:
        """Return the fee of a day; 0 without a tariff."""
        tariff = self.on(day)
        return tariff.fee_micro_per_day * MICRO if tariff else 0


def cost_pico(energy_mwh: int, price: Price) -> int:
    """Return what energy costs, exactly."""
    return energy_mwh * price.micro_per_kwh
