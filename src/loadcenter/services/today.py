"""Energy of each outlet since local midnight."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from loadcenter.domain.energy import Meter
from loadcenter.domain.rollups import Counters, Tier
from loadcenter.services.ports import Calendar, Clock, Store


@dataclass(frozen=True, slots=True)
class _Base:
    """Where an outlet's meter stood at its first reading of a day, and where it stands."""

    day_ms: int
    first_mwh: int
    meter: Meter
    ts_ms: int

    def at(self, counter_mwh: int, ts_ms: int) -> "_Base":
        """Return the base after a reading; one that is not newer changes nothing (lower, it is no reset)."""
        if ts_ms <= self.ts_ms:
            return self
        return replace(self, meter=self.meter.read(counter_mwh), ts_ms=ts_ms)

    @property
    def energy_mwh(self) -> int:
        return self.meter.total_mwh - self.first_mwh


class Today:
    """Energy of each outlet since local midnight, from its counter; read from the database once a day."""

    def __init__(self, store: Store, clock: Clock, calendar: Calendar) -> None:
        self._store = store
        self._clock = clock
        self._calendar = calendar
        self._bases: dict[tuple[str, int], _Base] = {}

    def energy_mwh(self, pdu_id: str, outlet: int, counter_mwh: int | None, ts_ms: int) -> int | None:
        """Return the energy since midnight at a reading of `ts_ms`, None while it is not known."""
        base = self._bases.get((pdu_id, outlet))
        if base is None or counter_mwh is None:
            return None
        return base.at(counter_mwh, ts_ms).energy_mwh

    async def refresh(self, pdu_id: str, counters: Mapping[int, int | None], ts_ms: int) -> None:
        """Read the base of every outlet in `counters` (outlet -> counter at `ts_ms`) that has none of today.

        The others are followed, so that a reset of the counter is seen however long ago the base was read.

        Raises:
            StoreUnavailableError: the database is away.
        """
        now_ms = self._clock.now_ms()
        day_ms = self._calendar.day_start_ms(now_ms)
        known = {outlet: counter for outlet, counter in counters.items() if counter is not None}
        missing = [outlet for outlet in known if self._day(pdu_id, outlet) != day_ms]
        meters = await self._store.meters(pdu_id) if missing else {}
        for outlet, counter in known.items():
            if outlet in missing:
                rows = await self._store.outlet_rollups(Tier.MINUTE, pdu_id, outlet, day_ms, now_ms)
                day = _merge(row.counters for _, row in rows)
                base = _base(day_ms, day, meters.get(outlet), counter, ts_ms)
            else:
                base = self._bases[pdu_id, outlet]
            self._bases[pdu_id, outlet] = base.at(counter, ts_ms)

    def _day(self, pdu_id: str, outlet: int) -> int | None:
        base = self._bases.get((pdu_id, outlet))
        return None if base is None else base.day_ms


def _base(day_ms: int, day: Counters | None, meter: Meter | None, counter_mwh: int, ts_ms: int) -> _Base:
    """Return the base of a day from what is stored of it."""
    if day is None:
        here = Meter(counter_mwh) if meter is None else meter.read(counter_mwh)
        return _Base(day_ms, here.total_mwh, here, ts_ms)
    return _Base(day_ms, day.first_mwh, meter or Meter(day.last_mwh), day.last_ts_ms)


def _merge(parts: Iterable[Counters | None]) -> Counters | None:
    merged: Counters | None = None
    for part in parts:
        if part is not None:
            merged = part if merged is None else merged.merge(part)
    return merged
