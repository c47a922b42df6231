"""Energy of each outlet since local midnight."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loadcenter.domain.rollups import Counters, Tier
from loadcenter.services.ports import Calendar, Clock, Store


@dataclass(frozen=True, slots=True)
class _Base:
    day_ms: int
    counters: Counters


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
        return _followed(base.counters, counter_mwh, ts_ms).energy_mwh

    async def refresh(self, pdu_id: str, counters: Mapping[int, int | None], ts_ms: int) -> None:
        """Read the base of every outlet in `counters` (outlet -> counter at `ts_ms`) that has none of today.

        The others are followed, so that a reset of the counter is seen however long ago the base was read.

        Raises:
            StoreUnavailableError: the database is away.
        """
        now_ms = self._clock.now_ms()
        day_ms = self._calendar.day_start_ms(now_ms)
        for outlet, counter in counters.items():
            if counter is None:
                continue
            base = self._bases.get((pdu_id, outlet))
            if base is not None and base.day_ms == day_ms:
                here = _followed(base.counters, counter, ts_ms)
            else:
                rows = await self._store.outlet_rollups(Tier.MINUTE, pdu_id, outlet, day_ms, now_ms)
                merged = _merge(row.counters for _, row in rows)
                here = merged or Counters(ts_ms, counter, ts_ms, counter)
            self._bases[pdu_id, outlet] = _Base(day_ms, here)


def _followed(counters: Counters, counter_mwh: int, ts_ms: int) -> Counters:
    """Return `counters` up to a reading; one that is not newer changes nothing (lower, it is no reset)."""
    if ts_ms <= counters.last_ts_ms:
        return counters
    return counters.merge(Counters(ts_ms, counter_mwh, ts_ms, counter_mwh))


def _merge(parts: Iterable[Counters | None]) -> Counters | None:
    merged: Counters | None = None
    for part in parts:
        if part is not None:
            merged = part if merged is None else merged.merge(part)
    return merged
