"""The database."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from loadcenter.domain.commands import CommandStatus
from loadcenter.domain.energy import Meter
from loadcenter.domain.rollups import Counters, OutletRollup, SourceRollup, Tier
from loadcenter.domain.topology import Source
from loadcenter.protocol.session import StreamKey
from loadcenter.services.columns import Buckets, OutletColumns, SourceColumns
from loadcenter.services.ports.control import ControlStore
from loadcenter.services.ports.rows import (
    AlarmRow,
    CommandRow,
    DeviceRow,
    EventFilter,
    GapRow,
    IngestBatch,
    RawOutlet,
    RawSource,
    SessionRow,
    StoredEvent,
    UserRow,
)


class StoreError(Exception):
    """Family of what storage can raise."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached or cannot write (gone, locked, disk full). Try again later: nothing was kept."""


class PositionConflictError(StoreError):
    """A position in the database is not what the writer believed: read the positions again. Nothing was kept."""


class StoreDataError(StoreError):
    """The database refused a value. Trying again will not help; nothing was kept."""


class Store(ControlStore, Protocol):
    """The database. One writer; readers beside it. Every method may raise `StoreUnavailableError`."""

    # -- ingest
    async def positions(self, pdu_id: str) -> dict[StreamKey, int]:
        """Return all stream positions of a PDU; a stream never heard of is absent (position 0)."""
        ...

    async def commit(self, batch: IngestBatch) -> None:
        """Write the whole batch in one transaction and return after COMMIT.

        Positions are compared and set inside the transaction. A reading with the key of an older one replaces it;
        minutes are added to the rollups of every tier; an event with a known (pdu, boot, seq) is left as it is.

        Raises:
            PositionConflictError: a position is not at `before`.
            StoreDataError: a value does not fit.
        """
        ...

    async def ping(self) -> None:
        """Return if the database can write now."""
        ...

    # -- rollups
    async def fold(self, most: int = 4_000) -> int:
        """Add records that were committed to their rollups, each exactly once; return how many, 0 when none is left.

        It takes the oldest, about `most`, in one transaction; the more, the less each costs.
        """
        ...

    async def meters(self, pdu_ids: Sequence[str]) -> Mapping[tuple[str, int], Meter]:
        """Return the energy meter of each outlet of these PDUs, as of the last fold."""
        ...

    async def day_counters(self, pdu_ids: Sequence[str], day_ms: int) -> Mapping[tuple[str, int], Counters]:
        """Return the counters of each outlet of these PDUs in the local day that begins at `day_ms`, as of the last fold."""
        ...

    async def outlets_reset(
        self, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
    ) -> frozenset[int]:
        """Return which of the outlets began to count again at a reading with since <= ts < until."""
        ...

    # -- retention
    async def prepare_days(self, now_ms: int) -> None:
        """Make room for the raw rows of the coming days, where the database wants that beforehand."""
        ...

    async def forget_raw(self, before_ms: int) -> int:
        """Delete raw rows of before `before_ms` (some younger ones may stay with them); return how many, about.

        It deletes as much as fits into a short transaction: 0 when nothing is left to delete.
        """
        ...

    async def forget_rollups(self, tier: Tier, before_ms: int) -> int:
        """Delete rollups of a tier that begin before `before_ms`; return how many, 0 when nothing is left."""
        ...

    # -- history
    async def raw_outlets(
        self, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[RawOutlet]:
        """Return raw rows of one outlet with since <= ts < until, in order; the first `limit`."""
        ...

    async def raw_sources(
        self, pdu_id: str, source: Source, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[RawSource]:
        """Return raw rows of one source with since <= ts < until, in order; the first `limit`."""
        ...

    async def outlet_rollups(
        self, tier: Tier, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[tuple[int, OutletRollup]]:
        """Return (start_ms, rollup) with since <= start < until, in order; the first `limit`."""
        ...

    async def source_rollups(
        self, tier: Tier, pdu_id: str, source: Source, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[tuple[int, SourceRollup]]:
        """Return (start_ms, rollup) of a source with since <= start < until, in order; the first `limit`."""
        ...

    async def outlet_buckets(
        self, pdu_id: str, outlets: Sequence[int], span: Buckets
    ) -> Mapping[int, OutletColumns]:
        """Return the columns of each outlet that has rows in the range; one query for all."""
        ...

    async def source_buckets(
        self, pdu_id: str, sources: Sequence[Source], span: Buckets
    ) -> Mapping[Source, SourceColumns]:
        """Return the columns of each source that has rows in the range; one query for all."""
        ...

    async def outlet_counters(
        self, pdu_id: str, outlets: Sequence[int], tier: Tier | None, since_ms: int, until_ms: int
    ) -> Mapping[int, Sequence[tuple[int, Counters]]]:
        """Return (time, counters) of the rows (`tier` None: raw) that know their counter, by outlet, in order.

        Of raw rows they are those of a meter which is read in the order of their times, from the first one.
        """
        ...

    async def events(self, wanted: EventFilter) -> list[StoredEvent]:
        """Return events, newest first (oldest first when `after_id` is given), at most `limit`."""
        ...

    async def add_event(self, event: StoredEvent) -> StoredEvent:
        """Keep an event of the control center itself (boot 0) and return it with its id."""
        ...

    async def gaps(self, pdu_id: str) -> list[GapRow]:
        """Return the announced gaps of a PDU, oldest first."""
        ...

    async def quarantine_counts(self) -> dict[str, int]:
        """Return how many payloads stand in quarantine, by reason."""
        ...

    # -- registry
    async def devices(self) -> list[DeviceRow]:
        """Return the registered PDUs by name."""
        ...

    async def put_device(self, device: DeviceRow) -> None:
        """Register a PDU or replace its credentials."""
        ...

    async def delete_device(self, pdu_id: str) -> bool:
        """Forget a PDU's registration (its history stays); return whether there was one."""
        ...

    async def desired(self, pdu_id: str) -> tuple[int, str] | None:
        """Return (version, JSON text) of the desired settings, None before the first."""
        ...

    async def put_desired(self, pdu_id: str, version: int, settings: str, before: int) -> bool:
        """Set the desired settings if the stored version is still `before` (0: none); return whether it was."""
        ...

    # -- commands
    async def add_command(self, row: CommandRow) -> CommandRow:
        """Keep a new command; if its idempotency key is known return the command kept under it instead."""
        ...

    async def settle_command(
        self, command_id: str, status: CommandStatus, code: str, at_ms: int, detail: str
    ) -> None:
        """Record where a command has got to."""
        ...

    async def command(self, command_id: str) -> CommandRow | None:
        """Return one command."""
        ...

    async def commands(self, pdu_id: str | None, limit: int) -> list[CommandRow]:
        """Return the latest commands, newest first."""
        ...

    # -- alarms
    async def alarms(self, *, open_only: bool) -> list[AlarmRow]:
        """Return alarms, newest first; only those not cleared if `open_only`."""
        ...

    async def put_alarm(self, alarm: AlarmRow) -> AlarmRow:
        """Insert (id 0) or update an alarm; return it with its id."""
        ...

    # -- people
    async def user(self, name: str) -> UserRow | None:
        """Return a user."""
        ...

    async def put_user(self, user: UserRow) -> None:
        """Add a user or replace their password."""
        ...

    async def put_session(self, session: SessionRow) -> None:
        """Keep a login."""
        ...

    async def session(self, token_sha256: str) -> SessionRow | None:
        """Return a login, expired or not."""
        ...

    async def delete_session(self, token_sha256: str) -> None:
        """End a login."""
        ...

    async def delete_sessions_of(self, user: str) -> None:
        """End all log-ins of a user."""
        ...

    async def delete_sessions_expired(self, now_ms: int) -> None:
        """Forget the log-ins that ended at or before `now_ms`."""
        ...
