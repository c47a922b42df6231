"""Analytics: what readings and events of some days say, read in short steps so that live data does not wait."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Protocol

from loadcenter.domain.analysis import load_profile
from loadcenter.domain.analysis.disturbances import Disturbance, Noted, disturbances
from loadcenter.domain.analysis.energy_cost import Bill
from loadcenter.domain.analysis.load_profile import Demand, LoadProfile
from loadcenter.domain.analysis.metering import Gap, metered
from loadcenter.domain.analysis.outages import Supply, supply
from loadcenter.domain.analysis.periods import Days
from loadcenter.domain.analysis.voltage_quality import (
    TEN_MINUTES_MS,
    WEEK_DAYS,
    VoltageMean,
    Week,
    judged,
    monday,
)
from loadcenter.domain.events import EventCode
from loadcenter.domain.rollups import OutletRollup, SourceRollup, Tier, bucket_start_ms
from loadcenter.domain.tariffs import LocalTime, Price, Tariffs
from loadcenter.domain.topology import Source
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

MAX_DAYS = 400
_STEP_DAYS = 7
_EVENTS_AT_ONCE = 500
_LOOK_BACK = 20
"""Events read before a period, for a disturbance that began in the one before."""

_QUARTER_MS = Tier.QUARTER.value * 1000
_MINUTE_MS = Tier.MINUTE.value * 1000
_MINUTE_READS_MS = 2 * 3_600_000
"""A disturbance longer than this shows its extremes in quarters as well as in minutes."""

_EVERY_PRICE_MS = 8 * 86_400_000
"""A gap longer than this has met every price of its tariffs."""

_SOURCE_CODES = (EventCode.SOURCE_LOST, EventCode.SOURCE_RESTORED, EventCode.BOOT)
_OUTAGE_CODES = (EventCode.OUTAGE, EventCode.OUTAGE_END, EventCode.BOOT)
_TRANSFER_CODES = (EventCode.TRANSFER, EventCode.BOOT)


class Measurements(Protocol):
    """What analytics asks of the database. Every method may raise `StoreUnavailableError`."""

    async def outlets_between(self, pdu_id: str, since_ms: int, until_ms: int) -> list[int]:
        """Return the outlets that have days with readings with since <= start < until, in order."""
        ...

    async def outlet_rollups(
        self, tier: Tier, pdu_id: str, outlet: int, since_ms: int, until_ms: int
    ) -> list[tuple[int, OutletRollup]]:
        """Return (start_ms, rollup) with since <= start < until, in order."""
        ...

    async def outlet_rollup_before(
        self, tier: Tier, pdu_id: str, outlet: int, before_ms: int
    ) -> OutletRollup | None:
        """Return the last bucket with a counter that begins before `before_ms`, None if there is none."""
        ...

    async def source_rollups(
        self, tier: Tier, pdu_id: str, source: Source, since_ms: int, until_ms: int
    ) -> list[tuple[int, SourceRollup]]:
        """Return (start_ms, rollup) of a source with since <= start < until, in order."""
        ...

    async def power_levels(self, pdu_id: str, outlet: int, since_ms: int, until_ms: int) -> dict[int, int]:
        """Return the covered time in ms by level of one-minute mean power, in steps of `LEVEL_MW`.

        Only of minutes in which the outlet had voltage throughout.
        """
        ...

    async def voltage_means(
        self, pdu_id: str, source: Source, since_ms: int, until_ms: int
    ) -> list[VoltageMean]:
        """Return ten-minute values of voltage with readings, with since <= start < until, in order."""
        ...

    async def events(self, wanted: EventFilter) -> list[StoredEvent]:
        """Return events, newest first, at most `limit`."""
        ...


class SiteTime(Protocol):
    """The clock on the site's wall."""

    @property
    def zone(self) -> str:
        """IANA name of the time zone."""
        ...

    def local(self, ts_ms: int) -> LocalTime:
        """Return the site's date and minute at `ts_ms`."""
        ...

    def midnight_ms(self, day: date) -> int:
        """Return UTC ms at which `day` begins at the site."""
        ...


class _Moments:
    """Local time and price of each quarter, looked up once for all outlets."""

    def __init__(self, site: SiteTime, tariffs: Tariffs) -> None:
        self._site = site
        self._tariffs = tariffs
        self._known: dict[int, tuple[LocalTime, Price | None]] = {}

    def at(self, start_ms: int) -> tuple[LocalTime, Price | None]:
        """Return local time and price at the begin of a quarter."""
        found = self._known.get(start_ms)
        if found is None:
            local = self._site.local(start_ms)
            found = self._known[start_ms] = local, self._tariffs.price_at(local)
        return found


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
        moments = _Moments(self._site, self._tariffs)
        outlets = [
            await self._outlet(pdu_id, outlet, period, before, moments)
            for outlet in await self._store.outlets_between(pdu_id, before.since_ms, period.until_ms)
        ]
        lengths = self._day_lengths(period)
        fee_pico, before_pico = self._fee_pico(lengths), self._fee_pico(self._day_lengths(before))
        return EnergyReport(period, before, self._tariffs, outlets, lengths, fee_pico, before_pico)

    async def _outlet(
        self, pdu_id: str, outlet: int, period: Period, before: Period, moments: _Moments
    ) -> OutletUse:
        profile = LoadProfile()
        bill = await self._bill(pdu_id, outlet, period, moments, profile)
        levels: dict[int, int] = {}
        for since_ms, until_ms in self._steps(period):
            found = await self._store.power_levels(pdu_id, outlet, since_ms, until_ms)
            for level, covered_ms in found.items():
                levels[level] = levels.get(level, 0) + covered_ms
        peak = await self._peak(pdu_id, outlet, profile.highest)
        earlier = await self._bill(pdu_id, outlet, before, moments, None)
        return OutletUse(outlet, bill, profile, peak, load_profile.standby(levels), earlier.total)

    async def _bill(
        self, pdu_id: str, outlet: int, period: Period, moments: _Moments, profile: LoadProfile | None
    ) -> Bill:
        """Return the bill of an outlet, and add its load to `profile`."""
        bill = Bill()
        last = await self._store.outlet_rollup_before(Tier.QUARTER, pdu_id, outlet, period.since_ms)
        counters = last.counters if last else None
        for since_ms, until_ms in self._steps(period):
            rows = await self._store.outlet_rollups(Tier.QUARTER, pdu_id, outlet, since_ms, until_ms)
            for one in metered(rows, counters):
                local, price = moments.at(one.start_ms)
                bill.add_energy(local.day, price, one.energy_mwh, one.rollup.covered_ms)
                if one.gap is not None:
                    bill.add_gap(local.day, one.gap, self._gap_prices(one.gap, moments))
                if profile is not None:
                    profile.add(one.start_ms, local, one.rollup.power, one.rollup.covered_ms)
            counters = next((row.counters for _, row in reversed(rows) if row.counters), counters)
        return bill

    def _gap_prices(self, gap: Gap, moments: _Moments) -> tuple[int, int] | None:
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

    async def _peak(self, pdu_id: str, outlet: int, highest: Demand | None) -> Peak | None:
        if highest is None:
            return None
        start_ms = highest.start_ms
        minutes = await self._store.outlet_rollups(
            Tier.MINUTE, pdu_id, outlet, start_ms, start_ms + _QUARTER_MS
        )
        minute_ms = next((at for at, row in minutes if row.power.maximum == highest.power_mw), None)
        if minute_ms is None:  # minutes are kept for a shorter time than quarters
            return Peak(highest.power_mw, start_ms, _QUARTER_MS)
        return Peak(highest.power_mw, minute_ms, _MINUTE_MS)

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
        sources = [
            await self._source(pdu_id, source, period, nominal_mv, [_noted(one) for one in events])
            for source in Source
        ]
        return VoltageReport(period, nominal_mv, sources)

    async def _source(
        self, pdu_id: str, source: Source, period: Period, nominal_mv: int, events: Sequence[Noted]
    ) -> SourceQuality:
        means: list[VoltageMean] = []
        for since_ms, until_ms in self._steps(period):
            means += await self._store.voltage_means(pdu_id, source, since_ms, until_ms)
        found = [
            await self._seen(pdu_id, one)
            for one in disturbances(events, source, period.now_ms)
            if one.until_ms > period.since_ms
        ]
        quality = judged(
            means, found, self._weeks(period), nominal_mv, lambda ts_ms: self._site.local(ts_ms).day
        )
        return SourceQuality(source, await self._covered_ms(pdu_id, source, period), quality, found)

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

    def _steps(self, period: Period) -> Iterator[tuple[int, int]]:
        """Yield a few days at a time, whose rows are worked on without a pause."""
        day = period.days.first
        while day < period.days.end:
            after = day + timedelta(days=_STEP_DAYS)
            since_ms = self._site.midnight_ms(day)
            until_ms = min(self._site.midnight_ms(after), period.now_ms)
            if since_ms >= until_ms:
                return
            yield since_ms, until_ms
            day = after


def _noted(event: StoredEvent) -> Noted:
    return Noted(event.ts_ms, event.code, event.source, event.cause, event.data)


def _in_order(events: Sequence[StoredEvent]) -> list[StoredEvent]:
    known: Mapping[int, StoredEvent] = {event.id: event for event in events}
    return sorted(known.values(), key=lambda event: (event.ts_ms, event.boot, event.seq, event.id))
