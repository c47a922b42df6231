"""Begins, counts, acknowledges and clears alarms, and keeps them over restarts."""

import asyncio
import logging
from collections import deque
from dataclasses import replace

from loadcenter.domain.alarms import REOPEN_WITHIN_MS, AlarmKind, Condition, ConditionKey, conditions, settled
from loadcenter.domain.twin import Twin
from loadcenter.services.announce import AlarmChanged, Announcer, PduChanged
from loadcenter.services.fleet import Fleet
from loadcenter.services.ports import AlarmRow, Clock, Store, StoreDataError, StoreUnavailableError

_log = logging.getLogger(__name__)

CHECK_INTERVAL_MS = 1_000
_REMEMBERED = 1_000
"""Alarms kept in memory: all open ones, and the last cleared ones for `REOPEN_WITHIN_MS`."""


class NoSuchAlarmError(KeyError):
    """No open alarm has that number."""

    def __str__(self) -> str:
        return f"there is no open alarm {self.args[0]}"


class Alarming:
    """Keeps the alarms of all PDUs in step with their twins."""

    def __init__(self, fleet: Fleet, store: Store, clock: Clock, announcer: Announcer) -> None:
        self._fleet = fleet
        self._store = store
        self._clock = clock
        self._announcer = announcer
        self._open: dict[ConditionKey, AlarmRow] = {}
        self._cleared: deque[AlarmRow] = deque(maxlen=_REMEMBERED)
        self._checked: dict[str, tuple[Twin, bool]] = {}
        # a person and the check each read, write and remember: one after the other, or one of them is forgotten
        self._turn = asyncio.Lock()

    async def load(self) -> None:
        """Read the open alarms.

        Raises:
            StoreUnavailableError: the database is away.
        """
        for alarm in await self._store.alarms(open_only=True):
            self._open[_key(alarm)] = alarm

    def open_alarms(self) -> list[AlarmRow]:
        """Return the alarms that are not cleared, newest first."""
        return sorted(self._open.values(), key=lambda alarm: (alarm.first_ms, alarm.id), reverse=True)

    def count(self, pdu_id: str) -> int:
        """Return the number of open alarms of one PDU."""
        return sum(1 for key in self._open if key.pdu_id == pdu_id)

    async def run(self) -> None:
        """Compare conditions with alarms once a second, until cancelled."""
        while True:
            await self._clock.sleep_ms(CHECK_INTERVAL_MS)
            await self.check()

    async def check(self) -> None:
        """Bring all alarms up to date; while the database is away nothing changes, and the next check tries again."""
        now_ms = self._clock.now_ms()
        try:
            alarmed = {key.pdu_id for key in self._open}
            for pdu_id, twin in list(self._fleet.twins().items()):
                seen = twin, twin.silent(now_ms)
                # nothing but silence depends on the time, so what was well stays well until its twin changes
                if pdu_id in alarmed or not _same(seen, self._checked.get(pdu_id)):
                    async with self._turn:
                        await self._check_pdu(pdu_id, now_ms)
                    self._checked[pdu_id] = seen
        except StoreUnavailableError as error:
            _log.debug("alarms wait for the database: %s", error)

    async def acknowledge(self, alarm_id: int, by: str, note: str) -> AlarmRow:
        """Note that a person has seen an alarm.

        Raises:
            NoSuchAlarmError: none of that number is open.
            StoreUnavailableError: the database is away.
        """
        async with self._turn:
            alarm = next((one for one in self._open.values() if one.id == alarm_id), None)
            if alarm is None:
                raise NoSuchAlarmError(alarm_id)
            seen = replace(alarm, acknowledged_ms=self._clock.now_ms(), acknowledged_by=by, note=note)
            return await self._keep(_key(alarm), seen)

    async def _check_pdu(self, pdu_id: str, now_ms: int) -> None:
        twin = self._fleet.twin(pdu_id)
        found = {condition.key: condition for condition in conditions(twin, now_ms)}
        for key, condition in found.items():
            await self._active(key, condition, now_ms)
        for key in [key for key in self._open if key.pdu_id == pdu_id and key not in found]:
            if settled(twin, key.kind, now_ms):
                await self._clear(key, now_ms)

    async def _active(self, key: ConditionKey, condition: Condition, now_ms: int) -> None:
        alarm = self._open.get(key)
        if alarm is None:
            await self._keep(key, self._begin(key, condition, now_ms))
            self._cleared = deque((old for old in self._cleared if _key(old) != key), maxlen=_REMEMBERED)
        else:
            # last seen and wording change each second: kept in memory, written at the next real change
            self._open[key] = replace(alarm, last_ms=now_ms, detail=condition.detail)

    def _begin(self, key: ConditionKey, condition: Condition, now_ms: int) -> AlarmRow:
        for old in reversed(self._cleared):
            if (
                _key(old) == key
                and old.cleared_ms is not None
                and now_ms - old.cleared_ms <= REOPEN_WITHIN_MS
            ):
                return replace(
                    old, last_ms=now_ms, count=old.count + 1, cleared_ms=None, detail=condition.detail
                )
        return AlarmRow(
            0,
            key.pdu_id,
            key.kind.value,
            key.outlet,
            key.source,
            condition.severity,
            now_ms,
            now_ms,
            1,
            detail=condition.detail,
        )

    async def _clear(self, key: ConditionKey, now_ms: int) -> None:
        ended = await self._put(replace(self._open[key], cleared_ms=now_ms))
        del self._open[key]
        self._cleared.append(ended)
        self._announcer.announce(AlarmChanged(ended))
        self._announcer.announce(PduChanged(key.pdu_id, urgent=True))

    async def _keep(self, key: ConditionKey, alarm: AlarmRow) -> AlarmRow:
        kept = await self._put(alarm)
        self._open[key] = kept
        self._announcer.announce(AlarmChanged(kept))
        self._announcer.announce(PduChanged(key.pdu_id, urgent=True))
        return kept

    async def _put(self, alarm: AlarmRow) -> AlarmRow:
        """Keep an alarm; one that the database lost, as by the restore of a backup, is kept there anew."""
        try:
            return await self._store.put_alarm(alarm)
        except StoreDataError as error:
            if not alarm.id:
                raise
            _log.warning("alarm %d of %s is kept anew: %s", alarm.id, alarm.pdu_id, error)
            return await self._store.put_alarm(replace(alarm, id=0))


def _same(one: tuple[Twin, bool], other: tuple[Twin, bool] | None) -> bool:
    return other is not None and one[0] is other[0] and one[1] == other[1]


def _key(alarm: AlarmRow) -> ConditionKey:
    return ConditionKey(alarm.pdu_id, AlarmKind(alarm.kind), alarm.outlet, alarm.source)
