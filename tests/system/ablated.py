"""`loadcenter serve` with one safeguard switched off, by subclass: what the durability tests must see as damage.

python ablated.py ack-before-commit | puback-before-commit | position-apart  --config FILE
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace

from loadcenter.adapters.storage.store import SqlStore
from loadcenter.apps import bootstrap
from loadcenter.apps.cli import main
from loadcenter.services.ingest import Ingest
from loadcenter.services.planning import Inbound
from loadcenter.services.ports import IngestBatch

HOLE_S = 0.15
"""How long the hole stays open in each transaction, so that a kill finds it."""


class AckBeforeCommit(Ingest):
    """Tells broker and device that records are stored, and stores them then.

    The broker too, or it would bring them again: that alone does no harm, as the next one shows.
    """

    async def _take(self, inbound: Sequence[Inbound]) -> None:
        self._link.ack([one.message.token for one in inbound if one.message.token is not None])
        await super()._take(inbound)

    async def _store_once(self, inbound: Sequence[Inbound]) -> None:
        for pdu_id in {one.pdu_id for one in inbound if one.envelope}:
            await self._book.load(pdu_id)
        plan = self._planner.plan(inbound, self._book)
        self._book.apply(plan.batch.positions)
        self._pending_acks |= plan.touched
        await self._send_acks(plan.touched, frozenset(pdu_id for pdu_id, _ in plan.touched))
        await asyncio.sleep(HOLE_S)
        await self._store.commit(plan.batch)


class PubackBeforeCommit(Ingest):
    """Acknowledges to the broker first; the devices still hear of nothing that is not stored."""

    async def _take(self, inbound: Sequence[Inbound]) -> None:
        self._link.ack([one.message.token for one in inbound if one.message.token is not None])
        await asyncio.sleep(HOLE_S)
        await super()._take(inbound)


class PositionApart(SqlStore):
    """Moves the positions in a transaction of their own, after the one with the rows."""

    async def commit(self, batch: IngestBatch) -> None:
        await super().commit(replace(batch, positions=()))
        await asyncio.sleep(HOLE_S)
        await super().commit(IngestBatch(positions=batch.positions))


def ablate(name: str) -> None:
    match name:
        case "ack-before-commit":
            bootstrap.Ingest = AckBeforeCommit  # type: ignore[misc]
        case "puback-before-commit":
            bootstrap.Ingest = PubackBeforeCommit  # type: ignore[misc]
        case "position-apart":
            from loadcenter.adapters.storage import store

            store.SqlStore = PositionApart  # type: ignore[misc]
        case _:
            raise SystemExit(f"no such ablation: {name}")


if __name__ == "__main__":
    ablate(sys.argv[1])
    sys.argv[1:] = ["serve", *sys.argv[2:]]
    main()
