"""Where the live page gets its readings: from the records as they are read, or from the control connection.

Records that come in time are news too, so while they do, nothing is sent twice (decision 0003). The control connection
takes over whenever they do not: at a start, until what the broker kept is caught up with, while the database is away,
when records are late, and when a PDU that is there has not been heard for a while. How late a record is, the uptime in it tells, against what was heard of its device before.
"""

import logging
from collections.abc import Iterable
from typing import Final

from loadcenter.domain.readings import Quality, Telemetry
from loadcenter.protocol.topics import Up, up
from loadcenter.services.fleet import Fleet
from loadcenter.services.planning import Inbound
from loadcenter.services.ports import Clock, Link, LinkState

_log = logging.getLogger(__name__)

IN_TIME_MS: Final = 1_500
"""Records that come so soon after they were made have caught up."""
LATE_MS: Final = 3_000
"""Records that come so late are news no more: before a page shows their PDU as stale."""


class Feed:
    """Gives readings to the fleet, and sees to it that they come from one of the two connections.

    Args:
        records: the records connection.
        control: the control connection; it begins with telemetry among its subscriptions.
        root: first part of every topic.
    """

    def __init__(self, records: Link, control: Link, fleet: Fleet, clock: Clock, root: str) -> None:
        self._records = records
        self._control = control
        self._fleet = fleet
        self._clock = clock
        self._telemetry = up(root, "+", Up.TELEMETRY)
        self._from_records = False
        self._caught_up = 0
        """The connection (its generation) on which records come in time; 0 where none does."""

    @property
    def from_records(self) -> bool:
        """Whether readings come from the records now."""
        return self._from_records

    def take(self, inbound: Iterable[Inbound]) -> None:
        """Take what the records connection has brought, in its order."""
        newest: dict[str, Inbound] = {}
        for one in inbound:
            # whoever kept a record at the broker, it is no news
            if isinstance(one.body, Telemetry) and not one.message.retained:
                newest[one.pdu_id] = one
        if newest:
            self._judge(newest.values())
        if self._from_records:
            self._fleet.follow_clock()
            for one in newest.values():
                if one.envelope is not None and isinstance(one.body, Telemetry):
                    self._fleet.take_readings(one.pdu_id, one.envelope, one.body, one.received_ms)

    async def look(self, *, stalled: bool) -> None:
        """Choose the connection; `stalled` says that records wait, and none was stored for a while."""
        in_time = self._caught_up == self._records.generation and self._records.state is LinkState.UP
        wanted = in_time and not stalled and not self._looks_stale()
        if wanted == self._from_records:
            return
        self._from_records = wanted
        if wanted:
            await self._control.unsubscribe(self._telemetry)
        else:
            self._caught_up = 0
            await self._control.subscribe(self._telemetry, 0)
        _log.info("live readings come from the %s connection", "records" if wanted else "control")

    def _looks_stale(self) -> bool:
        """Return whether a PDU that is there has not been heard for a while: its records may wait behind others'."""
        now_ms = self._clock.now_ms()
        return any(
            one.online and one.quality(now_ms) is Quality.STALE and not one.silent(now_ms)
            for one in self._fleet.twins().values()
        )

    def _judge(self, newest: Iterable[Inbound]) -> None:
        """Note whether the least late of the records is in time: one slow device says nothing of the others."""
        late_ms = [late for one in newest if (late := self._late_ms(one)) is not None]
        if not late_ms:
            return
        if min(late_ms) <= IN_TIME_MS:
            self._caught_up = self._records.generation
        elif min(late_ms) > LATE_MS:
            self._caught_up = 0

    def _late_ms(self, one: Inbound) -> int | None:
        """Return how late a record came, None where nothing was heard of that start of its device."""
        if one.envelope is None:
            return None
        origin_ms = self._fleet.uptime_origin(one.pdu_id, one.envelope.boot)
        if origin_ms is None:
            return None
        late_ms = one.received_ms - origin_ms - one.envelope.up_ms
        return (
            None if late_ms < -IN_TIME_MS else late_ms
        )  # one whose clock runs ahead says nothing of the others
