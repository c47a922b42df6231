"""From the broker to the database: every record exactly once, acknowledged only after COMMIT.

The rules are MQTT-10 to MQTT-19. One loop reads deliveries, once, and tells the live page of them; the other plans one
transaction, writes it, and only then acknowledges to the broker and to the devices. Nothing is dropped here: while the
database is away it keeps its batch for `away_after_ms`, then goes down on purpose and leaves the queueing to broker and
devices.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from loadcenter.protocol import messages, topics
from loadcenter.protocol.messages import Refusal
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.planning import Inbound, Plan, Planner, PositionBook
from loadcenter.services.ports import (
    Clock,
    Link,
    LinkDownError,
    PositionConflictError,
    Store,
    StoreDataError,
    StoreUnavailableError,
)
from loadcenter.services.waiting import Waiting

_log = logging.getLogger(__name__)

STALLED_MS: Final = 1_500
"""A transaction takes some 20 ms; one that takes so much longer is not waited for by the live page."""


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """How records are taken.

    Attributes:
        batch: most deliveries in one transaction (the gain flattens at about 1,000 rows).
        waiting: deliveries that are read and wait for their turn; then no more is read (some 3 kB each).
        linger_ms: longest wait for a batch to fill.
        ack_interval_ms: shortest time between two routine acks to one PDU (MQTT-14).
        away_after_ms: how long a batch is kept and tried again before the records connection goes down.
        retry_ms: pause between tries while the database is away.
    """

    batch: int = 1_000
    waiting: int = 4_000
    linger_ms: int = 100
    ack_interval_ms: int = 2_000
    away_after_ms: int = 5_000
    retry_ms: int = 500


@dataclass(slots=True)
class IngestCounts:
    """What has been seen since start, for `/metrics`."""

    records: int = 0
    duplicates: int = 0
    ahead: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    transactions: int = 0
    retries: int = 0
    pauses: int = 0


class Ingest:
    """Takes records from the records link and stores them.

    Args:
        link: the records connection (persistent session, manual acknowledgement).
        store: the database.
        clock: time.
        planner: turns deliveries into one transaction.
        committed: called after each COMMIT that held events, and whenever one may have.
        heard: called with what was read, at once.
    """

    def __init__(
        self,
        link: Link,
        store: Store,
        clock: Clock,
        planner: Planner,
        committed: Callable[[], Awaitable[None]],
        heard: Callable[[Sequence[Inbound]], None],
        config: IngestConfig | None = None,
    ) -> None:
        self._link = link
        self._store = store
        self._clock = clock
        self._planner = planner
        self._committed = committed
        self._heard = heard
        self._config = config or IngestConfig()
        self._book = PositionBook(store)
        self._waiting: Waiting[Inbound] = Waiting(self._config.waiting)
        self._stored_ms = clock.monotonic_ms()
        self._pending_acks: set[tuple[str, int]] = set()
        self._last_ack_ms: dict[str, int] = {}
        self._latest_boot: dict[str, int] = {}
        self._strangers: set[str] = set()
        self.counts = IngestCounts()
        self.database_away = ""
        """Why the database cannot be used; empty while it can."""

    @property
    def stalled(self) -> bool:
        """Whether records wait and none was stored for `STALLED_MS`."""
        return bool(self._waiting) and self._clock.monotonic_ms() - self._stored_ms > STALLED_MS

    async def run(self) -> None:
        """Take records until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(), name="records read")
            tasks.create_task(self._store_batches(), name="records stored")

    async def _read(self) -> None:
        while True:
            await self._waiting.room()
            deliveries = await self._link.receive(self._config.batch, 0)
            now_ms = self._clock.now_ms()
            if not self._waiting:
                self._stored_ms = self._clock.monotonic_ms()
            # an empty payload clears a retained message at the broker and says nothing (MQTT-2)
            inbound = [self._planner.read(message, now_ms) for message in deliveries if message.payload]
            self._link.ack([one.token for one in deliveries if one.token is not None and not one.payload])
            self._heard(inbound)
            self._waiting.put(inbound)

    async def _store_batches(self) -> None:
        while True:
            await self._take(await self._waiting.take(self._config.batch, self._config.linger_ms))

    async def run_acks(self) -> None:
        """Send the routine acks that were held back, once an interval, until cancelled."""
        while True:
            await self._clock.sleep_ms(self._config.ack_interval_ms)
            await self._send_acks(sorted(self._pending_acks), urgent=frozenset())

    async def acknowledge(self, pdu_id: str, boot: int) -> None:
        """Tell a device what is stored of `boot`, at once (at its birth)."""
        if self.database_away and not self._book.known(pdu_id):
            return  # whoever asks hears the control link: a database that hangs would hold it up at every birth
        try:
            await self._book.load(pdu_id)
        except StoreUnavailableError:
            return  # no position is known: the device waits, and asks again by re-sending
        self._latest_boot[pdu_id] = boot
        self._pending_acks.add((pdu_id, boot))
        await self._send_acks([(pdu_id, boot)], urgent=frozenset({pdu_id}))

    async def _take(self, inbound: Sequence[Inbound]) -> None:
        """Store one batch, whatever the database does meanwhile, then acknowledge it."""
        since_ms = self._clock.monotonic_ms()
        while True:
            try:
                await self._store_all(inbound)
            except PositionConflictError as error:
                _log.warning("stream positions were moved by somebody else, reading them again: %s", error)
                self._book.forget()
                self.counts.retries += 1
            except StoreUnavailableError as error:
                self._note_away(error)
                self.counts.retries += 1
                if self._clock.monotonic_ms() - since_ms >= self._config.away_after_ms:
                    await self._sit_out()
                    return  # the deliveries were not acknowledged: they come again
                await self._clock.sleep_ms(self._config.retry_ms)
            else:
                break
        self._note_back()
        self._stored_ms = self._clock.monotonic_ms()
        self._link.ack([one.message.token for one in inbound if one.message.token is not None])

    async def _store_all(self, inbound: Sequence[Inbound]) -> None:
        try:
            await self._store_once(inbound)
        except StoreDataError as error:
            if len(inbound) == 1:
                poison = inbound[0].refuse(Refusal.OUT_OF_RANGE, f"the database refused it: {error}")
                await self._store_once([poison])
                return
            # Halving finds the one record that the database refuses; the others are kept.
            middle = len(inbound) // 2
            await self._store_all(inbound[:middle])
            await self._store_all(inbound[middle:])

    async def _store_once(self, inbound: Sequence[Inbound]) -> None:
        for pdu_id in {one.pdu_id for one in inbound if one.pdu_id and not one.stranger}:
            await self._book.load(pdu_id)
        plan = self._planner.plan(inbound, self._book)
        if not plan.empty:
            await self._store.commit(plan.batch)
            self.counts.transactions += 1
        self._book.apply(plan.batch.positions)
        self._count(plan)
        for pdu_id, boot in plan.touched:
            self._latest_boot[pdu_id] = max(boot, self._latest_boot.get(pdu_id, 0))
        told = plan.touched | {(p, self._latest_boot[p]) for p in plan.urgent if p in self._latest_boot}
        self._pending_acks |= told
        await self._send_acks(sorted(told), plan.urgent)
        # a duplicate may have come in by a COMMIT that was given up and happened nevertheless
        if plan.batch.events or plan.duplicates:
            await self._committed()

    def _count(self, plan: Plan) -> None:
        self.counts.records += plan.taken
        self.counts.duplicates += plan.duplicates
        self.counts.ahead += plan.ahead
        for pdu_id in plan.strangers - self._strangers:
            _log.warning("'%s' sends records but is not registered: loadcenter device add %s", pdu_id, pdu_id)
        self._strangers |= plan.strangers
        for row in plan.batch.quarantine:
            self.counts.refused[row.reason] = self.counts.refused.get(row.reason, 0) + 1
            _log.warning("%s: put into quarantine (%s): %s", row.topic, row.reason, row.detail)

    async def _send_acks(self, pending: Iterable[tuple[str, int]], urgent: frozenset[str]) -> None:
        """Tell devices what is stored: those of `pending` that wait for it, or have heard nothing for an interval."""
        now = self._clock.monotonic_ms()
        due = [
            (pdu_id, boot)
            for pdu_id, boot in pending
            # An ack of positions that are being read again would tell the device of a lost database (MQTT-18).
            if self._book.known(pdu_id)
            and (
                pdu_id in urgent
                or now - self._last_ack_ms.get(pdu_id, -(10**12)) >= self._config.ack_interval_ms
            )
        ]
        for pdu_id, boot in due:
            self._pending_acks.discard((pdu_id, boot))
            payload = messages.encode_ack(
                boot,
                self._book.position(StreamKey(pdu_id, boot, Stream.TELEMETRY)),
                self._book.position(StreamKey(pdu_id, boot, Stream.EVENT)),
            )
            try:
                await self._link.publish(
                    topics.down(self._planner.root, pdu_id, topics.Down.ACK), payload, qos=0
                )
            except LinkDownError:
                return  # the device re-sends and is answered then
            self._last_ack_ms[pdu_id] = now

    def _note_away(self, error: StoreUnavailableError) -> None:
        if not self.database_away:
            _log.error("the database is away, records wait: %s", error)
        self.database_away = str(error)

    def _note_back(self) -> None:
        if self.database_away:
            _log.warning("the database is back")
            self.database_away = ""

    async def _sit_out(self) -> None:
        """Go down on purpose and come back when the database can write."""
        self.counts.pauses += 1
        _log.error(
            "the records connection goes down until the database is back; broker and devices keep the records"
        )
        await self._link.pause()
        self._waiting.clear()
        self._book.forget()
        while True:
            await self._clock.sleep_ms(self._config.retry_ms)
            try:
                await self._store.ping()
            except StoreUnavailableError as error:
                self._note_away(error)
            else:
                break
        self._note_back()
        await self._link.resume()
