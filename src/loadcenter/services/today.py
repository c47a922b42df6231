"""Energy of each outlet since local midnight."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from loadcenter.domain.energy import Meter
from loadcenter.domain.rollups import Counters
from loadcenter.services.ports import Calendar, Clock, Store

FOLLOW_MS = 30_000
"""How often the meters of a PDU are read on: two resets of a counter in between would be taken for one."""


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


@dataclass(frozen=True, slots=True)
class Shown:
    """What the counters of a PDU showed at `ts_ms`, by outlet."""

    counters: Mapping[int, int | None]
    ts_ms: int


class Today:
    """Energy of each outlet since local midnight, from its counter; read from the database once a day."""

    def __init__(self, store: Store, clock: Clock, calendar: Calendar) -> None:
        self._store = store
        self._clock = clock
        self._calendar = calendar
        self._bases: dict[tuple[str, int], _Base] = {}
        self._due: dict[str, tuple[int, int]] = {}
        """When each PDU is read on, by the monotonic clock, and where its day ends."""

    def energy_mwh(self, pdu_id: str, outlet: int, counter_mwh: int | None, ts_ms: int) -> int | None:
        """Return the energy since midnight at a reading of `ts_ms`, None while it is not known."""
        base = self._bases.get((pdu_id, outlet))
        if base is None or counter_mwh is None:
            return None
        return base.at(counter_mwh, ts_ms).energy_mwh

    def due(self, pdu_id: str) -> bool:
        """Return whether a PDU has no base of today, or was not read on for a while."""
        at_ms, day_ends_ms = self._due.get(pdu_id, (0, 0))
        return self._clock.monotonic_ms() >= at_ms or self._clock.now_ms() >= day_ends_ms

    async def refresh(self, read: Mapping[str, Shown]) -> None:
        """Read the base of every outlet that has none of today; the others are followed.

        A reset of a counter is seen so, however long ago the base was read.

        Args:
            read: the latest counters of some PDUs. They are read together: a thousand ask the database as often as one.

        Raises:
            StoreUnavailableError: the database is away.
        """
        now_ms = self._clock.now_ms()
        day_ms = self._calendar.day_start_ms(now_ms)
        missing = [pdu_id for pdu_id, shown in read.items() if self._misses(pdu_id, shown, day_ms)]
        meters = await self._store.meters(missing) if missing else {}
        days = await self._store.day_counters(missing, day_ms) if missing else {}
        due = self._clock.monotonic_ms() + FOLLOW_MS, self._calendar.next_day_start_ms(now_ms)
        for pdu_id, shown in read.items():
            for outlet, counter in shown.counters.items():
                if counter is not None:
                    key = pdu_id, outlet
                    base = self._bases.get(key)
                    if base is None or base.day_ms != day_ms:
                        base = _base(day_ms, days.get(key), meters.get(key), counter, shown.ts_ms)
                    self._bases[key] = base.at(counter, shown.ts_ms)
            self._due[pdu_id] = due

    def _misses(self, pdu_id: str, shown: Shown, day_ms: int) -> bool:
        known = (outlet for outlet, counter in shown.counters.items() if counter is not None)
        return any(self._day(pdu_id, outlet) != day_ms for outlet in known)

    def _day(self, pdu_id: str, outlet: int) -> int | None:
        base = self._bases.get((pdu_id, outlet))
        return None if base is None else base.day_ms


def _base(day_ms: int, day: Counters | None, meter: Meter | None, counter_mwh: int, ts_ms: int) -> _Base:
    """Return the base of a day from what is stored of it."""
    if day is None:
        here = Meter(counter_mwh) if meter is None else meter.read(counter_mwh)
        return _Base(day_ms, here.total_mwh, here, ts_ms)
    return _Base(day_ms, day.first_mwh, meter or Meter(day.last_mwh), day.last_ts_ms)
