"""`SqlStore`: the `Store` port on a database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage import (
    accounts,
    alarms,
    analytics,
    buckets,
    commands,
    days,
    folding,
    history,
    ingest,
    keeping,
    metering,
    quarantine,
    registry,
)
from loadcenter.adapters.storage.control import SqlControl
from loadcenter.adapters.storage.dialect import add_up, write_rows
from loadcenter.adapters.storage.engine import open_engines
from loadcenter.adapters.storage.migrations import migrate
from loadcenter.adapters.storage.rollups import DayStart, utc_day_start
from loadcenter.adapters.storage.schedules import SqlSchedules
from loadcenter.adapters.storage.schema import heartbeat
from loadcenter.adapters.storage.transactions import Database, StoreSettings
from loadcenter.domain.analysis.load_profile import Demand
from loadcenter.domain.analysis.metering import Metered
from loadcenter.domain.analysis.voltage_quality import VoltageBin, VoltageMean
from loadcenter.domain.analysis.wall import WallClock
from loadcenter.domain.commands import CommandStatus
from loadcenter.domain.energy import Meter
from loadcenter.domain.rollups import Counters, OutletRollup, SourceRollup, Stat, Tier
from loadcenter.domain.topology import Source
from loadcenter.protocol.session import StreamKey
from loadcenter.services.columns import Buckets, OutletColumns, SourceColumns
from loadcenter.services.ports import (
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

DEFAULT_SETTINGS = StoreSettings()


@asynccontextmanager
async def open_store(
    url: str, settings: StoreSettings = DEFAULT_SETTINGS, day_start: DayStart = utc_day_start
) -> AsyncIterator["SqlStore"]:
    """Yield the store behind a URL, with its tables at the newest revision; close its connections at the end.

    Raises:
        DatabaseUrlError: the URL is of another form, or its folder does not exist.
        StoreUnavailableError: the database cannot be reached.
        SchemaVersionError: its tables belong to a newer version.
    """
    database = Database(open_engines(url), settings)
    try:
        await database.prepare(migrate)
        yield SqlStore(database, settings, day_start)
    finally:
        await database.close()


class SqlStore(SqlControl):
    """The `Store` port, method by method; each is one transaction. `Store` says what they promise.

    Attributes:
        schedules: the `ScheduleStore` port on the same database.
    """

    def __init__(self, database: Database, settings: StoreSettings, day_start: DayStart) -> None:
        super().__init__(database)
        self.schedules = SqlSchedules(database)
        self._settings = settings
        self._day_start = day_start

    # -- ingest

    async def positions(self, pdu_id: str) -> dict[StreamKey, int]:
        """See `Store.positions`."""
        return await self._database.read(partial(ingest.positions, pdu_id=pdu_id))

    async def commit(self, batch: IngestBatch) -> None:
        """See `Store.commit`."""
        most = self._settings.quarantine_most
        await self._database.write(
            partial(ingest.commit, batch=batch, day_start=self._day_start, quarantine_most=most)
        )

    async def ping(self) -> None:
        """See `Store.ping`."""
        await self._database.write(_beat)

    # -- rollups

    async def fold(self, most: int = 4_000) -> int:
        """See `Store.fold`."""
        work = partial(folding.fold, day_start=self._day_start, most=most)
        return await self._database.write(work, folding.BOUND_S)

    async def meters(self, pdu_ids: Sequence[str]) -> dict[tuple[str, int], Meter]:
        """See `Store.meters`."""
        return await self._database.read(partial(days.meters, pdu_ids=pdu_ids))

    async def day_counters(self, pdu_ids: Sequence[str], day_ms: int) -> dict[tuple[str, int], Counters]:
        """See `Store.day_counters`."""
        return await self._database.read(partial(days.day_counters, pdu_ids=pdu_ids, day_ms=day_ms))

    async def outlets_reset(
        self, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
    ) -> frozenset[int]:
        """See `Store.outlets_reset`."""
        return await self._database.read(
            lambda connection: history.outlets_reset(connection, pdu_id, outlets, since_ms, until_ms)
        )

    # -- retention

    async def prepare_days(self, now_ms: int) -> None:
        """See `Store.prepare_days`."""
        # after an import or a restore into new tables, the rows of days that had no place are moved
        await self._database.write(partial(keeping.prepare_days, now_ms=now_ms), keeping.MOVING_BOUND_S)

    async def forget_raw(self, before_ms: int) -> int:
        """See `Store.forget_raw`."""
        return await self._database.write(partial(keeping.forget_raw, before_ms=before_ms))

    async def forget_rollups(self, tier: Tier, before_ms: int) -> int:
        """See `Store.forget_rollups`."""
        return await self._database.write(
            lambda connection: keeping.forget_rollups(connection, tier, before_ms)
        )

    # -- history

    async def raw_outlets(
        self, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[RawOutlet]:
        """See `Store.raw_outlets`."""
        return await self._database.read(
            lambda connection: history.raw_outlets(connection, pdu_id, outlet, since_ms, until_ms, limit)
        )

    async def raw_sources(
        self, pdu_id: str, source: Source, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[RawSource]:
        """See `Store.raw_sources`."""
        return await self._database.read(
            lambda connection: history.raw_sources(connection, pdu_id, source, since_ms, until_ms, limit)
        )

    async def outlet_rollups(
        self, tier: Tier, pdu_id: str, outlet: int, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[tuple[int, OutletRollup]]:
        """See `Store.outlet_rollups`."""
        return await self._database.read(
            lambda connection: history.outlet_rollups(
                connection, tier, pdu_id, outlet, since_ms, until_ms, limit
            )
        )

    async def source_rollups(
        self, tier: Tier, pdu_id: str, source: Source, since_ms: int, until_ms: int, limit: int | None = None
    ) -> list[tuple[int, SourceRollup]]:
        """See `Store.source_rollups`."""
        return await self._database.read(
            lambda connection: history.source_rollups(
                connection, tier, pdu_id, source, since_ms, until_ms, limit
            )
        )

    async def outlet_buckets(
        self, pdu_id: str, outlets: Sequence[int], span: Buckets
    ) -> dict[int, OutletColumns]:
        """See `Store.outlet_buckets`. Half of many outlets comes over a second connection, at the same time."""
        middle = len(outlets) // 2 if len(outlets) >= buckets.HALVED_FROM else len(outlets)
        halves = await asyncio.gather(
            *(
                self._database.read(
                    partial(buckets.outlet_buckets, pdu_id=pdu_id, outlets=half, buckets=span)
                )
                for half in (outlets[:middle], outlets[middle:])
                if half
            )
        )
        return {outlet: columns for half in halves for outlet, columns in half.items()}

    async def source_buckets(
        self, pdu_id: str, sources: Sequence[Source], span: Buckets
    ) -> dict[Source, SourceColumns]:
        """See `Store.source_buckets`."""
        return await self._database.read(
            lambda connection: buckets.source_buckets(connection, pdu_id, sources, span)
        )

    async def outlet_counters(
        self, pdu_id: str, outlets: Sequence[int], tier: Tier | None, since_ms: int, until_ms: int
    ) -> dict[int, list[tuple[int, Counters]]]:
        """See `Store.outlet_counters`."""
        return await self._database.read(
            lambda connection: buckets.outlet_counters(connection, pdu_id, outlets, tier, since_ms, until_ms)
        )

    async def events(self, wanted: EventFilter) -> list[StoredEvent]:
        """See `Store.events`."""
        return await self._database.read(partial(history.events, wanted=wanted))

    async def add_event(self, event: StoredEvent) -> StoredEvent:
        """See `Store.add_event`."""
        return await self._database.write(partial(history.add_event, event=event))

    async def gaps(self, pdu_id: str) -> list[GapRow]:
        """See `Store.gaps`."""
        return await self._database.read(partial(history.gaps, pdu_id=pdu_id))

    async def quarantine_counts(self) -> dict[str, int]:
        """See `Store.quarantine_counts`."""
        return await self._database.read(quarantine.counts)

    # -- analytics; `services.analytics.Measurements` says what they promise

    async def outlets_between(self, pdu_id: str, since_ms: int, until_ms: int) -> list[int]:
        """See `Measurements.outlets_between`."""
        return await self._database.read(
            lambda connection: analytics.outlets_between(connection, pdu_id, since_ms, until_ms)
        )

    async def metered(
        self, pdu_id: str, outlet: int, since_ms: int, until_ms: int, wall: WallClock
    ) -> list[Metered]:
        """See `Measurements.metered`."""
        return await self._database.read(
            lambda connection: metering.metered(connection, pdu_id, outlet, since_ms, until_ms, wall)
        )

    async def hours_of_week(
        self, pdu_id: str, outlet: int, since_ms: int, until_ms: int, wall: WallClock
    ) -> dict[tuple[int, int], Stat]:
        """See `Measurements.hours_of_week`."""
        return await self._database.read(
            lambda connection: analytics.hours_of_week(connection, pdu_id, outlet, since_ms, until_ms, wall)
        )

    async def highest_mean(
        self, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
    ) -> Demand | None:
        """See `Measurements.highest_mean`."""
        return await self._database.read(
            lambda connection: analytics.highest_mean(connection, pdu_id, outlets, since_ms, until_ms)
        )

    async def highest_reading(
        self, tier: Tier, pdu_id: str, outlet: int, since_ms: int, until_ms: int
    ) -> Demand | None:
        """See `Measurements.highest_reading`."""
        return await self._database.read(
            lambda connection: analytics.highest_reading(connection, tier, pdu_id, outlet, since_ms, until_ms)
        )

    async def power_levels(
        self, pdu_id: str, outlet: int, spans: Sequence[tuple[int, int]]
    ) -> dict[int, int]:
        """See `Measurements.power_levels`."""
        return await self._database.read(
            lambda connection: analytics.power_levels(connection, pdu_id, outlet, spans)
        )

    async def voltage_bins(
        self, pdu_id: str, source: Source, since_ms: int, until_ms: int, nominal_mv: int, wall: WallClock
    ) -> list[VoltageBin]:
        """See `Measurements.voltage_bins`."""
        return await self._database.read(
            lambda connection: analytics.voltage_bins(
                connection, pdu_id, source, since_ms, until_ms, nominal_mv, wall
            )
        )

    async def voltage_means(
        self, pdu_id: str, source: Source, since_ms: int, until_ms: int
    ) -> list[VoltageMean]:
        """See `Measurements.voltage_means`."""
        return await self._database.read(
            lambda connection: analytics.voltage_means(connection, pdu_id, source, since_ms, until_ms)
        )

    # -- registry

    async def devices(self) -> list[DeviceRow]:
        """See `Store.devices`."""
        return await self._database.read(registry.devices)

    async def put_device(self, device: DeviceRow) -> None:
        """See `Store.put_device`."""
        await self._database.write(partial(registry.put_device, device=device))

    async def delete_device(self, pdu_id: str) -> bool:
        """See `Store.delete_device`."""
        return await self._database.write(partial(registry.delete_device, pdu_id=pdu_id))

    async def desired(self, pdu_id: str) -> tuple[int, str] | None:
        """See `Store.desired`."""
        return await self._database.read(partial(registry.desired, pdu_id=pdu_id))

    async def put_desired(self, pdu_id: str, version: int, settings: str, before: int) -> bool:
        """See `Store.put_desired`."""
        return await self._database.write(
            lambda connection: registry.put_desired(connection, pdu_id, version, settings, before)
        )

    # -- commands

    async def add_command(self, row: CommandRow) -> CommandRow:
        """See `Store.add_command`."""
        return await self._database.write(partial(commands.add_command, row=row))

    async def settle_command(
        self, command_id: str, status: CommandStatus, code: str, at_ms: int, detail: str
    ) -> None:
        """See `Store.settle_command`."""
        await self._database.write(
            lambda connection: commands.settle_command(connection, command_id, status, code, at_ms, detail)
        )

    async def command(self, command_id: str) -> CommandRow | None:
        """See `Store.command`."""
        return await self._database.read(partial(commands.command, command_id=command_id))

    async def commands(self, pdu_id: str | None, limit: int) -> list[CommandRow]:
        """See `Store.commands`."""
        return await self._database.read(partial(commands.commands, pdu_id=pdu_id, limit=limit))

    # -- alarms

    async def alarms(self, *, open_only: bool) -> list[AlarmRow]:
        """See `Store.alarms`."""
        return await self._database.read(partial(alarms.alarms, open_only=open_only))

    async def put_alarm(self, alarm: AlarmRow) -> AlarmRow:
        """See `Store.put_alarm`."""
        return await self._database.write(partial(alarms.put_alarm, alarm=alarm))

    # -- people

    async def user(self, name: str) -> UserRow | None:
        """See `Store.user`."""
        return await self._database.read(partial(accounts.user, name=name))

    async def put_user(self, user: UserRow) -> None:
        """See `Store.put_user`."""
        await self._database.write(partial(accounts.put_user, person=user))

    async def put_session(self, session: SessionRow) -> None:
        """See `Store.put_session`."""
        await self._database.write(partial(accounts.put_session, login=session))

    async def session(self, token_sha256: str) -> SessionRow | None:
        """See `Store.session`."""
        return await self._database.read(partial(accounts.session, token_sha256=token_sha256))

    async def delete_session(self, token_sha256: str) -> None:
        """See `Store.delete_session`."""
        await self._database.write(partial(accounts.delete_session, token_sha256=token_sha256))

    async def delete_sessions_of(self, user: str) -> None:
        """See `Store.delete_sessions_of`."""
        await self._database.write(partial(accounts.delete_sessions_of, user=user))

    async def delete_sessions_expired(self, now_ms: int) -> None:
        """See `Store.delete_sessions_expired`."""
        await self._database.write(partial(accounts.delete_sessions_expired, now_ms=now_ms))


async def _beat(connection: AsyncConnection) -> None:
    """Write for real: a full disk or a read-only server shows only then."""
    await write_rows(connection, add_up, heartbeat, [(1, 1)])
