"""Analytics: what readings and events of some days say; the database reckons, in short questions and two at a time."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, TypeVar

from loadcenter.domain.analysis import load_profile
from loadcenter.domain.analysis.disturbances import Disturbance, Noted, disturbances
from loadcenter.domain.analysis.energy_cost import Bill
from loadcenter.domain.analysis.load_profile import LoadProfile, Standby, sampled_days
from loadcenter.domain.analysis.metering import Gap
from loadcenter.domain.analysis.outages import Supply, supply
from loadcenter.domain.analysis.periods import Days
from loadcenter.domain.analysis.voltage_quality import (
    TEN_MINUTES_MS,
    WEEK_DAYS,
    VoltageMean,
    Week,
    flagged_intervals,
    judged,
    monday,
)
from loadcenter.domain.analysis.wall import WallClock
from loadcenter.domain.events import EventCode
from loadcenter.domain.rollups import Tier, bucket_start_ms
from loadcenter.domain.tariffs import Tariffs
from loadcenter.domain.topology import Source
from loadcenter.services.measurements import Measurements, SiteTime
from loadcenter.services.ports import Clock, EventFilter, StoredEvent
from loadcenter.services.reports import (
    EnergyReport,
    OutletUse,
    Peak,
    Period,
    SourceQuality,
    SupplyReport,
    VoltageReport,
)
from loadcenter.services.resolution import RangeError
from loadcenter.services.wall import Moments, wall_clock

MAX_DAYS = 400
LANES: Final = 2
"""Questions that one report asks at the same time: the database's other connections stay for live pages."""
_EVENTS_AT_ONCE = 500
_LOOK_BACK = 20
"""Events read before a period, for a disturbance that began in the one before."""

_QUARTER_MS = Tier.QUARTER.value * 1000
_MINUTE_READS_MS = 2 * 3_600_000
"""A disturbance longer than this shows its extremes in quarters as well as in minutes."""

_EVERY_PRICE_MS = 8 * 86_400_000
"""A gap longer than this has met every price of its tariffs."""

_SOURCE_CODES = (EventCode.SOURCE_LOST, EventCode.SOURCE_RESTORED, EventCode.BOOT)
_OUTAGE_CODES = (EventCode.OUTAGE, EventCode.OUTAGE_END, EventCode.BOOT)
_TRANSFER_CODES = (EventCode.TRANSFER, EventCode.BOOT)

T = TypeVar("T")


class Analytics:
    """Reckons reports.

    Args:
        store: the database.
        clock: time.
        site: the site's local time.
        tariffs: what energy costs.
    """

    def __init__(self, store: Measurements, clock: Clock, site: SiteTime, tariffs: Tariffs) -> None:
        self._store = store
        self._clock = clock
        self._site = site
        self._tariffs = tariffs

    @property
    def zone(self) -> str:
        """IANA name of the site's time zone."""
        return self._site.zone

    def days(self, since: date | None, until: date | None) -> Days:
        """Return the days asked for; without `since` the month of `until`, without both this month until today.

        Raises:
            RangeError: there is no day in it, or more than `MAX_DAYS`.
        """
        today = self._site.local(self._clock.now_ms()).day
        end = until or today + timedelta(days=1)
        first = since or (end - timedelta(days=1)).replace(day=1)
        days = Days(first, end)
        if not 0 < days.count <= MAX_DAYS:
            raise RangeError(f"'since' must be a day before 'until', and at most {MAX_DAYS} days before it")
        return days

    # -- energy and load

    async def energy(self, pdu_id: str, days: Days) -> EnergyReport:
        """Return energy, cost and load of every outlet that has readings in the days or the period before.

        Raises:
            StoreUnavailableError: the database is away.
        """
        period, before = self._period(days), self._period_before(days)
        outlets = await self._store.outlets_between(pdu_id, before.since_ms, period.until_ms)
        moments = Moments(self._site, self._tariffs)
        turns = asyncio.Semaphore(LANES)
        demand, uses = await asyncio.gather(
            _in_turn(turns, self._store.highest_mean(pdu_id, outlets, period.since_ms, period.now_ms)),
            asyncio.gather(
                *(
                    _in_turn(turns, self._outlet(pdu_id, outlet, len(outlets), period, before, moments))
                    for outlet in outlets
                )
            ),
        )
        lengths = self._day_lengths(period)
        fee_pico, before_pico = self._fee_pico(lengths), self._fee_pico(self._day_lengths(before))
        return EnergyReport(period, before, self._tariffs, uses, demand, lengths, fee_pico, before_pico)

    async def _outlet(
        self, pdu_id: str, outlet: int, outlets: int, period: Period, before: Period, moments: Moments
    ) -> OutletUse:
        span, wall = (period.since_ms, period.now_ms), self._wall(period)
        profile = LoadProfile(
            await self._store.hours_of_week(pdu_id, outlet, *span, wall),
            await self._store.highest_mean(pdu_id, [outlet], *span),
        )
        return OutletUse(
            outlet,
            await self._bill(pdu_id, outlet, period, moments),
            profile,
            await self._peak(pdu_id, outlet, period, wall),
            await self._standby(pdu_id, outlet, outlets, period),
            (await self._bill(pdu_id, outlet, before, moments)).total,
        )

    async def _bill(self, pdu_id: str, outlet: int, period: Period, moments: Moments) -> Bill:
        bill = Bill()
        wall = self._wall(period)
        for one in await self._store.metered(pdu_id, outlet, period.since_ms, period.now_ms, wall):
            local, price = moments.at(one.start_ms)
            bill.add_energy(local.day, price, one.energy_mwh, one.covered_ms)
            if one.gap is not None:
                bill.add_gap(local.day, one.gap, self._gap_prices(one.gap, moments))
        return bill

    async def _standby(self, pdu_id: str, outlet: int, outlets: int, period: Period) -> Standby | None:
        """Return the standby of an outlet, of a long period out of some of its days."""
        spans = self._spans(period, sampled_days(period.days.count, outlets))
        found = load_profile.standby(await self._store.power_levels(pdu_id, outlet, spans))
        part_ms = sum(until_ms - since_ms for since_ms, until_ms in spans)
        return None if found is None else found.scaled(period.elapsed_ms, part_ms)

    def _gap_prices(self, gap: Gap, moments: Moments) -> tuple[int, int] | None:
        if gap.until_ms - gap.since_ms > _EVERY_PRICE_MS:
            first, last = self._site.local(gap.since_ms), self._site.local(gap.until_ms)
            return self._tariffs.price_range(first.day, last.day)
        prices = []
        for start_ms in range(bucket_start_ms(gap.since_ms, Tier.QUARTER), gap.until_ms, _QUARTER_MS):
            _, price = moments.at(start_ms)
            if price is None:
                return None
            prices.append(price.micro_per_kwh)
        return min(prices), max(prices)

    def _spans(self, period: Period, days: range) -> list[tuple[int, int]]:
        """Return the bounds of some days of a period as far as they are over; all of them are one span."""
        if days.step == 1:
            return [(period.since_ms, period.now_ms)]
        firsts = [period.days.first + timedelta(days=n) for n in days]
        bounds = [
            (self._site.midnight_ms(day), self._site.midnight_ms(day + timedelta(days=1))) for day in firsts
        ]
        return [(since, min(until, period.now_ms)) for since, until in bounds if since < period.now_ms]

    async def _peak(self, pdu_id: str, outlet: int, period: Period, wall: WallClock) -> Peak | None:
        """Return the highest reading, looked for in finer and finer buckets as far as those are kept."""
        since_ms, until_ms = period.since_ms, period.now_ms
        found: Peak | None = None
        for tier in (
            (Tier.HOUR, Tier.QUARTER, Tier.MINUTE) if wall.whole_hours else (Tier.QUARTER, Tier.MINUTE)
        ):
            highest = await self._store.highest_reading(tier, pdu_id, outlet, since_ms, until_ms)
            if highest is None or (found is not None and highest.power_mw != found.power_mw):
                break
            since_ms, within_ms = highest.start_ms, tier.value * 1000
            until_ms = since_ms + within_ms
            found = Peak(highest.power_mw, since_ms, within_ms)
        return found

    def _day_lengths(self, period: Period) -> dict[date, int]:
        lengths: dict[date, int] = {}
        day, since_ms = period.days.first, period.since_ms
        while since_ms < period.now_ms:
            after = day + timedelta(days=1)
            until_ms = self._site.midnight_ms(after)
            lengths[day] = min(until_ms, period.now_ms) - since_ms
            day, since_ms = after, until_ms
        return lengths

    def _fee_pico(self, begun: Iterable[date]) -> int:
        return sum(self._tariffs.fee_pico(day) for day in begun)

    # -- voltage

    async def voltage(self, pdu_id: str, days: Days, nominal_mv: int) -> VoltageReport:
        """Return the voltage quality of both sources.

        Raises:
            StoreUnavailableError: the database is away.
        """
        period = self._period(days)
        events = await self._events(pdu_id, _SOURCE_CODES, period)
        wanted = EventFilter(pdu_id, codes=_SOURCE_CODES, until_ms=period.since_ms, limit=_LOOK_BACK)
        events = _in_order([*events, *await self._store.events(wanted)])
        noted = [_noted(one) for one in events]
        sources = await asyncio.gather(
            *(self._source(pdu_id, source, period, nominal_mv, noted) for source in Source)
        )
        return VoltageReport(period, nominal_mv, sources)

    async def _source(
        self, pdu_id: str, source: Source, period: Period, nominal_mv: int, events: Sequence[Noted]
    ) -> SourceQuality:
        found = [
            await self._seen(pdu_id, one)
            for one in disturbances(events, source, period.now_ms)
            if one.until_ms > period.since_ms
        ]
        flagged_ms = flagged_intervals(found, nominal_mv)
        days = {self._day_of(start_ms) for start_ms in flagged_ms}
        days = {day for day in days if period.days.first <= day < period.days.end}
        means = [mean for day in sorted(days) for mean in await self._means(pdu_id, source, day, period)]
        counted = await self._store.voltage_bins(
            pdu_id, source, period.since_ms, period.now_ms, nominal_mv, self._wall(period)
        )
        bins = [one for one in counted if self._day_of(one.start_ms) not in days]
        bins += [one.bin(nominal_mv) for one in means if one.known and one.start_ms not in flagged_ms]
        flagged = [one for one in means if one.start_ms in flagged_ms]
        quality = judged(bins, flagged, self._weeks(period), self._day_of)
        return SourceQuality(source, await self._covered_ms(pdu_id, source, period), quality, found)

    async def _means(self, pdu_id: str, source: Source, day: date, period: Period) -> list[VoltageMean]:
        """Return the ten-minute values that begin on a local day; one may do so before the period does."""
        midnight_ms = self._site.midnight_ms(day)
        since_ms = max(midnight_ms - midnight_ms % TEN_MINUTES_MS, period.since_ms)
        until_ms = self._site.midnight_ms(day + timedelta(days=1)) + TEN_MINUTES_MS
        found = await self._store.voltage_means(pdu_id, source, since_ms, min(until_ms, period.now_ms))
        return [one for one in found if self._day_of(one.start_ms) == day]

    def _day_of(self, ts_ms: int) -> date:
        return self._site.local(ts_ms).day

    def _wall(self, period: Period) -> WallClock:
        return wall_clock(self._site, self._tariffs, period.since_ms, period.now_ms)

    async def _seen(self, pdu_id: str, one: Disturbance) -> Disturbance:
        """Return a disturbance with the lowest and highest readings within it."""
        since_ms = bucket_start_ms(one.since_ms, Tier.MINUTE)
        tier = Tier.MINUTE if one.duration_ms <= _MINUTE_READS_MS else Tier.QUARTER
        rows = await self._store.source_rollups(tier, pdu_id, one.source, since_ms, one.until_ms + 1)
        known = [row.voltage for _, row in rows if row.voltage.count]
        if not known:
            return one
        return one.seen(min(stat.minimum for stat in known), max(stat.maximum for stat in known))

    def _weeks(self, period: Period) -> dict[date, Week]:
        weeks: dict[date, Week] = {}
        first = monday(period.days.first)
        while first < period.days.end:
            end = first + timedelta(days=WEEK_DAYS)
            since_ms, until_ms = self._site.midnight_ms(first), self._site.midnight_ms(end)
            whole = since_ms >= period.since_ms and until_ms <= period.now_ms
            length_ms = min(until_ms, period.until_ms) - max(since_ms, period.since_ms)
            weeks[first] = Week(first, length_ms // TEN_MINUTES_MS, whole)
            first = end
        return weeks

    # -- outages

    async def supply(self, pdu_id: str, days: Days) -> SupplyReport:
        """Return outages, transfers and availability.

        Raises:
            StoreUnavailableError: the database is away.
        """
        period, before = self._period(days), self._period_before(days)
        return SupplyReport(
            period, before, await self._supply(pdu_id, period), await self._supply(pdu_id, before)
        )

    async def _supply(self, pdu_id: str, period: Period) -> Supply:
        codes = sorted({*_OUTAGE_CODES, *_TRANSFER_CODES})
        events = await self._events(pdu_id, codes, period)
        for known in (_OUTAGE_CODES, _TRANSFER_CODES):
            wanted = EventFilter(pdu_id, codes=known, until_ms=period.since_ms, limit=1)
            events += await self._store.events(wanted)
        covered_ms = max([await self._covered_ms(pdu_id, source, period) for source in Source])
        noted = [_noted(one) for one in _in_order(events)]
        return supply(noted, period.since_ms, period.now_ms, covered_ms)

    # -- both

    async def _covered_ms(self, pdu_id: str, source: Source, period: Period) -> int:
        rows = await self._store.source_rollups(
            Tier.DAY, pdu_id, source, period.since_ms, max(period.now_ms, period.since_ms)
        )
        return sum(row.covered_ms for _, row in rows)

    async def _events(self, pdu_id: str, codes: Sequence[str], period: Period) -> list[StoredEvent]:
        found: list[StoredEvent] = []
        before_id: int | None = None
        while True:
            wanted = EventFilter(
                pdu_id,
                codes=codes,
                since_ms=period.since_ms,
                until_ms=period.until_ms,
                before_id=before_id,
                limit=_EVENTS_AT_ONCE,
            )
            page = await self._store.events(wanted)
            found += page
            if len(page) < _EVENTS_AT_ONCE:
                return _in_order(found)
            before_id = page[-1].id

    def _period(self, days: Days, most_ms: int | None = None) -> Period:
        since_ms, until_ms = self._site.midnight_ms(days.first), self._site.midnight_ms(days.end)
        if most_ms is not None:
            until_ms = min(until_ms, since_ms + most_ms)
        elapsed_ms = min(max(self._clock.now_ms() - since_ms, 0), until_ms - since_ms)
        return Period(days, since_ms, until_ms, elapsed_ms)

    def _period_before(self, days: Days) -> Period:
        """Return the period before; where `days` is still running, only as much of it as is over of `days`."""
        period = self._period(days)
        running = period.elapsed_ms < period.until_ms - period.since_ms
        return self._period(days.before(), period.elapsed_ms if running else None)


async def _in_turn(turns: asyncio.Semaphore, question: Awaitable[T]) -> T:
    async with turns:
        return await question


def _noted(event: StoredEvent) -> Noted:
    return Noted(event.ts_ms, event.code, event.source, event.cause, event.data)


def _in_order(events: Sequence[StoredEvent]) -> list[StoredEvent]:
    known: Mapping[int, StoredEvent] = {event.id: event for event in events}
    return sorted(known.values(), key=lambda event: (event.ts_ms, event.boot, event.seq, event.id))
