"""What other settings would have done over recorded minutes, beside what those in force would have."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loadcenter.domain.dry_run import MINUTE_MS, DryResult, OutletMinutes, Recorded, dry_run
from loadcenter.domain.events import EventCode
from loadcenter.domain.occurrences import Occurrence, steps_of
from loadcenter.domain.settings import PduConfig, SettingsError, apply_settings
from loadcenter.domain.site import SiteConfig, check_site
from loadcenter.domain.site_dry_run import SiteDryResult, site_dry_run
from loadcenter.domain.topology import Source
from loadcenter.services.fleet import Fleet
from loadcenter.services.ports import Clock, DrawColumns, EventFilter, Store
from loadcenter.services.tuning import SettingRefusedError, merged_settings
from loadcenter.services.views import Views

DAYS_MOST = 92
DAY_MS = 86_400_000
_TRANSFERS_MOST = 5_000
_FAR_BACK = 1


class DrySpanError(ValueError):
    """The span cannot be walked through; the message says what can."""


@dataclass(frozen=True, slots=True)
class DryAnswer:
    """Both results over the same minutes.

    Attributes:
        since_ms: start of the first minute.
        until_ms: end of the last one.
        covered: part of the minutes that have a record, 0 to 1.
        current: with the settings that the PDU shall run now.
        proposed: with the changed ones.
    """

    since_ms: int
    until_ms: int
    covered: float
    current: DryResult
    proposed: DryResult


@dataclass(frozen=True, slots=True)
class SiteDryAnswer:
    """Both results over the same minutes, as `DryAnswer` has them; `covered` is that of the PDU with the fewest."""

    since_ms: int
    until_ms: int
    covered: float
    current: SiteDryResult
    proposed: SiteDryResult


class DryRun:
    """Reads the record of a PDU once and runs the rules over it twice."""

    def __init__(self, store: Store, clock: Clock, fleet: Fleet, views: Views) -> None:
        self._store = store
        self._clock = clock
        self._fleet = fleet
        self._views = views

    def whole_minutes(self, since_ms: int, until_ms: int) -> tuple[int, int]:
        """Return the whole minutes of a span.

        Raises:
            DrySpanError: it is empty, longer than `DAYS_MOST` days, or ends more than a day ahead.
        """
        first, last = since_ms - since_ms % MINUTE_MS, until_ms - until_ms % MINUTE_MS
        if not 0 < last - first <= DAYS_MOST * DAY_MS:
            raise DrySpanError(
                f"a dry run goes over one minute to {DAYS_MOST} days: give a later end or a later start"
            )
        if last > self._clock.now_ms() + DAY_MS:
            raise DrySpanError("a dry run goes over what is recorded: give an end that is not ahead")
        return first, last

    async def settings(
        self,
        pdu_id: str,
        since_ms: int,
        until_ms: int,
        pdu: Mapping[str, object],
        out: Sequence[Mapping[str, object]],
        occurrences: Sequence[Occurrence] = (),
    ) -> DryAnswer:
        """Return what a change of settings, and schedules with these occurrences, would have done from since to until.

        Raises:
            NoSuchPduError: no such PDU.
            SettingRefusedError: a setting is unknown or out of range.
            DrySpanError: the span is empty, or longer than `DAYS_MOST` days.
            StoreUnavailableError: the database is away.
        """
        since_ms, until_ms = self.whole_minutes(since_ms, until_ms)
        current = self._views.config(pdu_id)
        proposed = self._proposed(pdu_id, current, pdu, out)
        recorded = await self._recorded(pdu_id, len(current.outlets), since_ms, until_ms)
        off = off_spans(occurrences, pdu_id, until_ms)
        results = [
            await asyncio.to_thread(dry_run, recorded, current),
            await asyncio.to_thread(dry_run, recorded, proposed, off),
        ]
        covered = recorded.covered / recorded.minutes
        return DryAnswer(since_ms, until_ms, covered, results[0], results[1])

    async def site(
        self, current: SiteConfig, proposed: SiteConfig, since_ms: int, until_ms: int
    ) -> SiteDryAnswer:
        """Return what other limits of a site would have done, from since to until.

        Raises:
            NoSuchPduError: a PDU is not registered.
            SiteError: a value of the proposed site is out of range.
            DrySpanError: the span is empty, or longer than `DAYS_MOST` days.
            StoreUnavailableError: the database is away.
        """
        check_site(proposed)
        since_ms, until_ms = self.whole_minutes(since_ms, until_ms)
        configs = {pdu_id: self._views.config(pdu_id) for pdu_id in {**current.pdus, **proposed.pdus}}
        recorded = {
            pdu_id: await self._recorded(pdu_id, len(config.outlets), since_ms, until_ms)
            for pdu_id, config in configs.items()
        }
        results = [
            await asyncio.to_thread(
                site_dry_run, {pdu_id: recorded[pdu_id] for pdu_id in config.pdus}, configs, config
            )
            for config in (current, proposed)
        ]
        covered = min((one.covered / one.minutes for one in recorded.values()), default=0.0)
        return SiteDryAnswer(since_ms, until_ms, covered, results[0], results[1])

    def _proposed(
        self,
        pdu_id: str,
        current: PduConfig,
        pdu: Mapping[str, object],
        out: Sequence[Mapping[str, object]],
    ) -> PduConfig:
        wanted = merged_settings(self._fleet.twin(pdu_id).desired, pdu, out)
        applied = apply_settings(current, wanted, strict=True)
        if isinstance(applied, SettingsError):
            raise SettingRefusedError(applied.message)
        return applied

    async def _recorded(self, pdu_id: str, count: int, since_ms: int, until_ms: int) -> Recorded:
        minutes = (until_ms - since_ms) // MINUTE_MS
        numbers = list(range(1, count + 1))
        columns, sources = await asyncio.gather(
            self._store.draw_minutes(pdu_id, numbers, since_ms, until_ms),
            self._sources(pdu_id, since_ms, until_ms),
        )
        outlets = tuple(_aligned(columns.get(number), since_ms, minutes) for number in numbers)
        covered = max((len(one.start_ms) for one in columns.values()), default=0)
        return Recorded(since_ms, minutes, covered, outlets, sources)

    async def _sources(self, pdu_id: str, since_ms: int, until_ms: int) -> list[tuple[int, Source]]:
        """Return from which minute the PDU was on which source, by its transfers."""
        codes = (EventCode.TRANSFER.value,)
        before = await self._store.events(
            EventFilter(pdu_id, codes=codes, until_ms=since_ms, limit=_FAR_BACK)
        )
        within = await self._store.events(
            EventFilter(pdu_id, codes=codes, since_ms=since_ms, until_ms=until_ms, limit=_TRANSFERS_MOST)
        )
        found = [(0, _target(before[0].data) if before else Source.MAIN)]
        for event in sorted(within, key=lambda one: (one.ts_ms, one.id)):
            minute = (event.ts_ms - since_ms) // MINUTE_MS
            if found[-1][0] == minute:
                found.pop()
            found.append((minute, _target(event.data)))
        return found


def off_spans(
    occurrences: Iterable[Occurrence], pdu_id: str, until_ms: int
) -> dict[int, list[tuple[int, int]]]:
    """Return when schedules would have kept the outlets of a PDU off; before their first step nothing is known."""
    steps = sorted(
        (step for one in occurrences for step in steps_of(one) if step.key.place.pdu_id == pdu_id),
        key=lambda step: step.rank,
    )
    since: dict[int, int] = {}
    found: dict[int, list[tuple[int, int]]] = {}
    for step in steps:
        outlet = step.key.place.outlet
        if not step.act.wants_on:
            since.setdefault(outlet, step.due_ms)
        elif outlet in since:
            found.setdefault(outlet, []).append((since.pop(outlet), step.due_ms))
    for outlet, from_ms in since.items():
        found.setdefault(outlet, []).append((from_ms, until_ms))
    return found


def _target(data: Mapping[str, object]) -> Source:
    return Source.BACKUP if data.get("to") == Source.BACKUP else Source.MAIN


def _aligned(columns: DrawColumns | None, since_ms: int, minutes: int) -> OutletMinutes:
    """Return columns with one value for each minute of the span, 0 where there is no record."""
    if columns is None:
        nothing = [0] * minutes
        return OutletMinutes(nothing, nothing, nothing, nothing)
    if len(columns.start_ms) == minutes:
        return OutletMinutes(columns.mean_ma, columns.mean_mw, columns.most_ma, columns.most_mw)
    places = [(start_ms - since_ms) // MINUTE_MS for start_ms in columns.start_ms]

    def spread(values: Sequence[int]) -> list[int]:
        spread_out = [0] * minutes
        for place, value in zip(places, values, strict=True):
            spread_out[place] = value
        return spread_out

    return OutletMinutes(
        spread(columns.mean_ma), spread(columns.mean_mw), spread(columns.most_ma), spread(columns.most_mw)
    )
