"""Orders of people to PDUs, and how they end.

An order is first asked of the same rules that the device will apply (`domain.cycle.admit`), then sent with the boot, a
rising number and an expiry on the device's own uptime (MQTT-41), and ends in exactly one of confirmed, rejected,
expired, unknown (MQTT-44). Commands live in memory and are written down beside: switching goes on while the database
is away, and what was done is written when it is back.
"""

import asyncio
import logging
import secrets
from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from loadcenter.domain.admission import Refusal, admit
from loadcenter.domain.commands import CommandStatus, Do, Order, OrderError, ResultCode, check_order
from loadcenter.domain.origin import SCHEDULE_PREFIX, is_automatic
from loadcenter.domain.topology import OutletId
from loadcenter.domain.twin import Twin
from loadcenter.protocol import messages, topics
from loadcenter.protocol.messages import Result
from loadcenter.services.announce import Announcer, CommandChanged, PduChanged
from loadcenter.services.fleet import Fleet
from loadcenter.services.headroom import Headroom
from loadcenter.services.ports import (
    Clock,
    CommandRow,
    Link,
    LinkDownError,
    Store,
    StoreDataError,
    StoreUnavailableError,
)
from loadcenter.services.snapshots import pdu_snapshot

_log = logging.getLogger(__name__)

TTL_MS = 10_000
"""A command that has not reached the PDU by then is never carried out."""

GRACE_MS = 2_000
"""An answer may take this much longer than the expiry before the command counts as unknown."""

REMEMBERED = 2_000
"""Commands kept in memory; older ones are read from the database."""

JOURNAL_MAX = 10_000
"""Changes waiting for the database; past that the oldest are given up, counted and logged."""

_CHECK_MS = 250


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An order that waits until what makes room for it is off."""

    displaced: tuple[str, ...]
    until_ms: int


@dataclass(slots=True)
class _Flight:
    """A command under way: its number at the device and when its answer is overdue."""

    n: int
    overdue_ms: int


class Dispatch:
    """Sends orders and follows them to their end.

    Args:
        link: the control connection.
        headroom: asked before an outlet is switched on; without it the PDU alone decides.
        journal_max: bound of the changes waiting for the database.
    """

    def __init__(
        self,
        link: Link,
        store: Store,
        clock: Clock,
        fleet: Fleet,
        announcer: Announcer,
        root: str,
        *,
        headroom: Headroom | None = None,
        journal_max: int = JOURNAL_MAX,
    ) -> None:
        self._link = link
        self._store = store
        self._clock = clock
        self._fleet = fleet
        self._announcer = announcer
        self._root = root
        self._headroom = headroom
        self._waiting: dict[str, _Waiting] = {}
        self._rows: OrderedDict[str, CommandRow] = OrderedDict()
        self._keys: dict[str, str] = {}
        self._flights: dict[str, _Flight] = {}
        self._numbers: dict[tuple[str, int], int] = {}
        self._by_people: Counter[tuple[str, int | None]] = Counter()
        self._journal: deque[CommandRow] = deque()
        self._journal_max = journal_max
        self._journal_wake = asyncio.Event()
        self._store_away = False
        self.journal_lost = 0
        """Changes of commands that could not be kept because the database was away too long."""

    async def submit(
        self,
        pdu_id: str,
        order: Order,
        idempotency_key: str | None,
        displace: Sequence[OutletId] = (),
    ) -> CommandRow:
        """Return the command for `order`: sent, or rejected with the reason. The same key gives the same command.

        An automatic order that still waits for the database while a person gives one for its outlet is superseded.
        With `displace` those outlets are switched off first, and the order is sent when they have been seen to be.

        Raises:
            NoSuchPduError: no such PDU.
            OrderError: the order is incomplete, its key belongs to another one, or an outlet may not be displaced.
        """
        check_order(order)
        self._fleet.twin(pdu_id)
        self._check_displaced(pdu_id, order, displace)
        asked_ms = self._clock.monotonic_ms()
        place, automatic = (pdu_id, order.outlet), is_automatic(order.by)
        if not automatic:
            self._by_people[place] += 1
        orders_by_people = self._by_people[place]
        row = CommandRow(
            f"c-{secrets.token_hex(8)}",
            pdu_id,
            order,
            CommandStatus.PENDING,
            "",
            self._clock.now_ms(),
            idempotency_key=idempotency_key,
        )
        known = await self._known(row)
        if known is not None:
            if (known.pdu_id, known.order) != (pdu_id, order):
                raise OrderError("this Idempotency-Key was given with another order: give each order its own")
            return known
        if automatic and self._by_people[place] != orders_by_people:
            message = "a person gave another order meanwhile, which counts"
            return self._settle(row, CommandStatus.REJECTED, ResultCode.SUPERSEDED, message)
        # a step of our clock that no message has shown yet would move the expiry by as much
        self._fleet.follow_clock()
        twin = self._fleet.twin(pdu_id)
        refusal = self._refusal(twin, order, displace)
        # an off that finds the outlet off already still ends what waits to switch it on
        decides = refusal is None or (refusal.code is ResultCode.ALREADY and order.on is False)
        if decides and not automatic:
            self._end_waiting(row)
        if refusal is not None:
            return self._settle(row, CommandStatus.REJECTED, refusal.code, refusal.message)
        if displace:
            return await self._make_room(row, displace)
        self._keep(row)
        await self._send(row, twin, self._clock.monotonic_ms() - asked_ms)
        return self._rows[row.id]

    async def answered(self, pdu_id: str, result: Result) -> None:
        """Note the answer of a device; one to an unknown command is logged, a late one settles it."""
        row = await self._row_of(result.id)
        if row is None or row.pdu_id != pdu_id:
            _log.info("%s answered a command that is not known here: %s", pdu_id, result.id)
            return
        if row.status.final and row.status is not CommandStatus.UNKNOWN:
            return  # a repeated answer
        if row.status.final and result.status is CommandStatus.ACCEPTED:
            return  # too late to be waited for; its end, if it comes, still settles it
        if result.status is CommandStatus.ACCEPTED:
            self._keep(replace(row, status=CommandStatus.ACCEPTED))
        else:
            self._settle(row, result.status, result.code, "")

    async def command(self, command_id: str) -> CommandRow | None:
        """Return a command, from memory or the database.

        Raises:
            StoreUnavailableError: it is not in memory and the database is away.
        """
        if command_id in self._rows:
            return self._rows[command_id]
        kept = await self._store.command(command_id)
        return None if kept is None else _left_over(kept)

    async def commands(self, pdu_id: str | None, limit: int) -> list[CommandRow]:
        """Return the latest commands, newest first; from memory alone while the database is away."""
        here = [row for row in reversed(self._rows.values()) if pdu_id in (None, row.pdu_id)]
        try:
            kept = await self._store.commands(pdu_id, limit)
        except StoreUnavailableError as error:
            _log.warning("older commands are not shown: %s", error)
            kept = []
        known = {row.id for row in here}
        rows = here + [_left_over(row) for row in kept if row.id not in known]
        return sorted(rows, key=lambda row: row.created_ms, reverse=True)[:limit]

    def pending(self, pdu_id: str, outlet: int) -> CommandRow | None:
        """Return the newest command under way for an outlet."""
        rows = [self._rows[command_id] for command_id in self._flights]
        return next((r for r in reversed(rows) if r.pdu_id == pdu_id and r.order.outlet == outlet), None)

    @staticmethod
    def expires_at_ms(row: CommandRow) -> int:
        """Return the UTC after which the device will not carry the command out."""
        return row.created_ms + TTL_MS + (row.order.off_ms or 0)

    async def run(self) -> None:
        """End commands whose answer is overdue as unknown, until cancelled."""
        while True:
            await self._clock.sleep_ms(_CHECK_MS)
            for command_id in list(self._waiting):
                await self._send_when_room(command_id)
            now_ms = self._clock.monotonic_ms()
            for command_id in [key for key, flight in self._flights.items() if now_ms >= flight.overdue_ms]:
                message = "sent, but the PDU has not answered; the page shows what it reports"
                self._settle(self._rows[command_id], CommandStatus.UNKNOWN, None, message)

    async def run_journal(self) -> None:
        """Write changes of commands to the database, in order, until cancelled."""
        while True:
            await self._journal_wake.wait()
            self._journal_wake.clear()
            while self._journal:
                await self._write(self._journal[0])

    def _check_displaced(self, pdu_id: str, order: Order, displace: Sequence[OutletId]) -> None:
        if not displace:
            return
        if order.do is not Do.SWITCH or not order.on or order.outlet is None or self._headroom is None:
            raise OrderError("'displace' goes with 'on' alone")
        for outlet in displace:
            if not self._headroom.displaceable(pdu_id, order.outlet, outlet):
                raise OrderError(
                    f"{outlet} cannot be displaced: it must be on, behind the same supply, of lower priority, "
                    "and neither protected nor locked"
                )

    def _refusal(self, twin: Twin, order: Order, displace: Sequence[OutletId]) -> Refusal | None:
        """Return why the order is not even sent, None if it is."""
        unsendable = _unsendable(twin)
        if unsendable is not None:
            return unsendable
        if self._outranked(twin.pdu_id, order):
            message = f"outlet {order.outlet} is shed by its site, which goes before a schedule: it comes back by itself"
            return Refusal(ResultCode.NO_HEADROOM, message)
        shortage = None
        if self._headroom is not None and order.do is Do.SWITCH and order.on and order.outlet is not None:
            shortage = self._headroom.shortage(twin.pdu_id, order.outlet, displace)
        excess = {} if shortage is None else {shortage.outlet.outlet: shortage.numbers}
        verdict = admit(pdu_snapshot(twin, excess), order)
        if not isinstance(verdict, Refusal):
            return None
        if shortage is not None and verdict.code is ResultCode.NO_HEADROOM:
            return Refusal(verdict.code, shortage.message, verdict.numbers)
        return verdict

    def _outranked(self, pdu_id: str, order: Order) -> bool:
        """Return whether a schedule wants on what a site has shed: shedding goes before it."""
        if self._headroom is None or order.do is not Do.SWITCH or not order.on or order.outlet is None:
            return False
        scheduled = order.by.startswith(SCHEDULE_PREFIX)
        return scheduled and self._headroom.is_shed(OutletId(pdu_id, order.outlet))

    async def _make_room(self, row: CommandRow, displace: Sequence[OutletId]) -> CommandRow:
        """Switch off what is displaced; the order itself waits for that."""
        offs = [
            await self.submit(outlet.pdu_id, Order(Do.SWITCH, outlet.outlet, on=False, by=row.order.by), None)
            for outlet in displace
        ]
        until_ms = self._clock.monotonic_ms() + TTL_MS + GRACE_MS
        self._waiting[row.id] = _Waiting(tuple(off.id for off in offs), until_ms)
        names = ", ".join(str(outlet) for outlet in displace)
        self._keep(replace(row, detail=f"waits until {names} is off"))
        return self._rows[row.id]

    def _end_waiting(self, row: CommandRow) -> None:
        """End the orders for the same outlet that still wait for room: the later one counts."""
        target = row.pdu_id, row.order.outlet
        for command_id in list(self._waiting):
            old = self._rows[command_id]
            if (old.pdu_id, old.order.outlet) == target:
                del self._waiting[command_id]
                self._settle(old, CommandStatus.REJECTED, ResultCode.SUPERSEDED, "")

    async def _send_when_room(self, command_id: str) -> None:
        waiting, row = self._waiting[command_id], self._rows[command_id]
        offs = [self._rows[off] for off in waiting.displaced if off in self._rows]
        if all(off.status is CommandStatus.CONFIRMED for off in offs):
            del self._waiting[command_id]
            refusal = _unsendable(self._fleet.twin(row.pdu_id))
            if refusal is not None:
                self._settle(row, CommandStatus.REJECTED, refusal.code, refusal.message)
                return
            sent = replace(row, detail="")
            self._keep(sent)
            await self._send(sent, self._fleet.twin(row.pdu_id), 0)
        elif any(off.status.final and off.status is not CommandStatus.CONFIRMED for off in offs) or (
            self._clock.monotonic_ms() >= waiting.until_ms
        ):
            del self._waiting[command_id]
            message = "nothing was switched on: what should make room was not seen to go off"
            self._settle(row, CommandStatus.REJECTED, ResultCode.NO_HEADROOM, message)

    async def _write(self, row: CommandRow) -> None:
        try:
            if await self._store.command(row.id) is None:
                await self._store.add_command(row)
            else:
                at_ms = row.settled_ms or self._clock.now_ms()
                await self._store.settle_command(row.id, row.status, row.code, at_ms, row.detail)
        except StoreUnavailableError:
            self._store_away = True
            await self._clock.sleep_ms(1_000)  # ingest has said that the database is away
            return
        except StoreDataError:
            _log.exception("command %s cannot be kept", row.id)
        self._store_away = False
        if self._journal and self._journal[0] is row:
            self._journal.popleft()

    async def _known(self, row: CommandRow) -> CommandRow | None:
        """Return the command given earlier under the key of `row`, None if there is none.

        The database is asked by keeping the new command there, so that two askers cannot both be the first. While
        it is away, what is in memory decides.
        """
        key = row.idempotency_key
        if key is None:
            return None
        if key not in self._keys and not self._store_away:
            try:
                kept = await self._store.add_command(row)
            except StoreUnavailableError as error:
                self._store_away = True
                _log.warning("a key of a command is compared with those in memory only: %s", error)
            else:
                if kept.id != row.id:
                    return self._rows.get(kept.id, _left_over(kept))
        return self._rows.get(self._keys.get(key, ""))

    async def _row_of(self, command_id: str) -> CommandRow | None:
        """Return a command from memory, or from the database as far as that can be asked."""
        try:
            return await self.command(command_id)
        except StoreUnavailableError as error:
            _log.warning("an answer to command %s cannot be noted: %s", command_id, error)
            return None

    async def _send(self, row: CommandRow, twin: Twin, waited_ms: int) -> None:
        """Send a command; the time it has waited for the database is taken off its life (`expires_at_ms`)."""
        now_ms = self._clock.now_ms()
        uptime_ms = twin.uptime_ms(now_ms)
        assert twin.anchor is not None
        assert uptime_ms is not None
        boot = twin.anchor.boot
        last_n = twin.state.last_n if twin.state and twin.state.boot == boot else 0
        n = max(self._numbers.get((row.pdu_id, boot), 0), last_n) + 1
        self._numbers[row.pdu_id, boot] = n
        wait_ms = TTL_MS + GRACE_MS + (row.order.off_ms or 0)
        self._flights[row.id] = _Flight(n, self._clock.monotonic_ms() + wait_ms)
        payload = messages.encode_command(
            row.order, command_id=row.id, boot=boot, n=n, exp_up_ms=uptime_ms + TTL_MS - waited_ms
        )
        try:
            await self._link.publish(topics.down(self._root, row.pdu_id, topics.Down.COMMAND), payload, qos=1)
        except LinkDownError as error:
            # It may have left before the connection broke: only the device can say, and may have said it already.
            now = self._rows.get(row.id)
            if now is not None and now.status is CommandStatus.PENDING:
                self._settle(now, CommandStatus.UNKNOWN, None, str(error))

    def _settle(
        self, row: CommandRow, status: CommandStatus, code: ResultCode | None, detail: str
    ) -> CommandRow:
        self._flights.pop(row.id, None)
        ended = replace(row, status=status, code=code or "", settled_ms=self._clock.now_ms(), detail=detail)
        self._keep(ended)
        return ended

    def _keep(self, row: CommandRow) -> None:
        self._rows[row.id] = row
        if row.idempotency_key:
            self._keys[row.idempotency_key] = row.id
        self._forget_oldest()
        if len(self._journal) >= self._journal_max:
            self._journal.popleft()
            self.journal_lost += 1
            _log.error(
                "a command's history is lost: the database is away too long (%d lost)", self.journal_lost
            )
        self._journal.append(row)
        self._journal_wake.set()
        self._announcer.announce(CommandChanged(row))
        self._announcer.announce(PduChanged(row.pdu_id, urgent=True))

    def _forget_oldest(self) -> None:
        """Keep the memory bounded; what is under way stays (a power cycle may take an hour)."""
        excess = len(self._rows) - REMEMBERED
        busy = self._flights.keys() | self._waiting.keys()
        busy |= {off for one in self._waiting.values() for off in one.displaced}
        for old in [row for row in self._rows.values() if row.id not in busy][: max(0, excess)]:
            del self._rows[old.id]
            if old.idempotency_key:
                self._keys.pop(old.idempotency_key, None)


def _left_over(row: CommandRow) -> CommandRow:
    """Return a command that only the database knows: one without an end was under way when the server ended."""
    if row.status.final:
        return row
    detail = (
        "sent, but the control center was restarted before the PDU answered; the page shows what it reports"
    )
    return replace(row, status=CommandStatus.UNKNOWN, detail=detail)


def _unsendable(twin: Twin) -> Refusal | None:
    """Return why no order at all can be sent to a PDU now, None if one can."""
    if not twin.online:
        return Refusal(ResultCode.OFFLINE, f"{twin.pdu_id} is not connected: nothing was sent", {})
    # Without an uptime of the same start there is no expiry that the PDU would take.
    boots = {
        twin.anchor and twin.anchor.boot,
        twin.state and twin.state.boot,
        twin.identity and twin.identity.boot,
    }
    if twin.anchor is None or twin.state is None or len(boots - {None}) > 1:
        return Refusal(ResultCode.UNREPORTED, f"{twin.pdu_id} has not reported its state yet: try again", {})
    return None
