"""The half hour before a demo's first start: the rack lives it in virtual time, so that History has something to show.

It takes the same way as any other: what the PDUs say is read by the planner and stored in transactions with its
positions. Only the broker is left out.
"""

from collections.abc import Mapping

from loadcenter.domain.commands import Do
from loadcenter.protocol import messages, topics
from loadcenter.protocol.session import Stream, StreamKey
from loadcenter.services.planning import Planner, PositionBook
from loadcenter.services.ports import Message, Store
from loadcenter.simulator.encode import encode
from loadcenter.simulator.outgoing import Outgoing
from loadcenter.simulator.pdu import VirtualPdu
from loadcenter.simulator.rack import Rack

LENGTH_MS = 1_800_000
"""Half an hour: an hour would take as long as everything else of the start."""
TICK_MS = 40_000
"""One transaction for so much time: a PDU has at most 50 records on the way."""

STEP_MS = 1_000
"""Step while nothing happens: the readings are one a second anyway."""

_MINUTE_MS = 60_000
_COURSE: tuple[tuple[int, int, str, int | None, int], ...] = (
    (8, 0, "main_outage", None, 1),
    (17, 1, "overload", 2, 1),
)
"""What went wrong: minute from the begin, index of the PDU, disturbance, outlet, and for how many minutes."""


async def live_past(rack: Rack, store: Store, root: str, start_ms: int) -> Mapping[str, bytes]:
    """Let `rack`, started at `start_ms`, live for `LENGTH_MS` and return what its devices' flash holds then.

    Raises:
        StoreUnavailableError: the database is away.
    """
    past = _Past(rack, store, root)
    for now_ms in range(start_ms + TICK_MS, start_ms + LENGTH_MS + 1, TICK_MS):
        past.disturb(now_ms - start_ms)
        await past.advance(now_ms)
    return rack.saved(stopped=True)


class _Past:
    def __init__(self, rack: Rack, store: Store, root: str) -> None:
        self._rack = rack
        self._store = store
        self._root = root
        self._planner = Planner(root, lambda _pdu_id, _boot: None, lambda _pdu_id: True)
        self._book = PositionBook(store)
        self._orders = 0

    def disturb(self, elapsed_ms: int) -> None:
        names = list(self._rack.pdus)
        for minute, index, disturbance, outlet, lasts in _COURSE:
            if index < len(names) and _due(elapsed_ms, minute):
                self._rack.start(names[index], disturbance, outlet)
            if index < len(names) and _due(elapsed_ms, minute + lasts):
                self._rack.stop(names[index], disturbance)
                if outlet is not None:
                    self._mend(self._rack.pdus[names[index]], outlet)

    async def advance(self, now_ms: int) -> None:
        """Let all PDUs live until `now_ms` and store what they say."""
        said = [one for pdu in self._rack.pdus.values() for one in self._live(pdu, now_ms)]
        records = [
            self._planner.read(Message(one.topic, one.payload), now_ms)
            for one in said
            if topics.parse_up(self._root, one.topic).leaf in topics.RECORDS
        ]
        for pdu_id in self._rack.pdus:
            await self._book.load(pdu_id)
        plan = self._planner.plan(records, self._book)
        if not plan.empty:
            await self._store.commit(plan.batch)
        self._book.apply(plan.batch.positions)
        for pdu in self._rack.pdus.values():
            telemetry = self._book.position(StreamKey(pdu.pdu_id, pdu.boot, Stream.TELEMETRY))
            event = self._book.position(StreamKey(pdu.pdu_id, pdu.boot, Stream.EVENT))
            self._tell(pdu, topics.Down.ACK, messages.encode_ack(pdu.boot, telemetry, event))

    def _live(self, pdu: VirtualPdu, now_ms: int) -> list[Outgoing]:
        said: list[Outgoing] = []
        if not pdu.is_connected:
            said += pdu.connected(pdu.now_ms)
            said += self._tell(pdu, topics.Down.TIME, messages.encode_time(pdu.now_ms))
        return said + pdu.advance(now_ms)

    def _mend(self, pdu: VirtualPdu, outlet: int) -> None:
        """Reset the trip and switch on again, as a person would."""
        for do, on in ((Do.RESET_TRIP, None), (Do.SWITCH, True)):
            self._orders += 1
            fields: dict[str, object] = {
                "v": messages.VERSION,
                "id": f"past-{self._orders}",
                "boot": pdu.boot,
                "n": self._orders,
                "exp_up_ms": 2**50,
                "do": do.value,
                "out": outlet,
                "by": "admin",
            }
            self._tell(pdu, topics.Down.COMMAND, encode(fields if on is None else {**fields, "on": on}))

    def _tell(self, pdu: VirtualPdu, leaf: topics.Down, payload: bytes) -> list[Outgoing]:
        topic = topics.down(self._root, pdu.pdu_id, leaf)
        return pdu.receive(topic, payload, False, pdu.now_ms)


def _due(elapsed_ms: int, minute: int) -> bool:
    return elapsed_ms - TICK_MS < minute * _MINUTE_MS <= elapsed_ms
