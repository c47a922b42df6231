import asyncio
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect
from tests.contract.storage.records import T0, batch, outlet

from loadcenter.adapters.storage.engine import open_engines
from loadcenter.adapters.storage.migrations import REVISIONS, SchemaVersionError, migrate, newest_revision
from loadcenter.adapters.storage.migrations.upgrading import revisions
from loadcenter.adapters.storage.schema import metadata
from loadcenter.adapters.storage.store import open_store
from loadcenter.services.ports import SiteRow


async def look(url: str, work: Any) -> Any:
    engines = open_engines(url)
    try:
        async with engines.writer.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engines.close()


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return compare_metadata(context, metadata)


async def test_the_revisions_build_what_the_schema_describes(url: str) -> None:
    async with open_store(url):
        pass
    assert await look(url, differences) == []


def test_the_revisions_are_those_that_the_package_ships() -> None:
    assert tuple(reversed([script.revision for script in revisions().walk_revisions()])) == REVISIONS


async def test_the_comparison_would_see_a_difference(url: str) -> None:
    async with open_store(url):
        pass
    await look(url, lambda connection: connection.exec_driver_sql("DROP TABLE heartbeat"))
    assert len(await look(url, differences)) == 1


async def test_opening_again_changes_nothing(url: str) -> None:
    async with open_store(url) as store:
        await store.commit(batch([outlet(T0)]))
    async with open_store(url) as store:
        assert len(await store.raw_outlets("rack-1", 1, T0, T0 + 1)) == 1


async def test_a_newer_database_is_refused_with_both_revisions(url: str) -> None:
    async with open_store(url):
        pass
    newer = "UPDATE alembic_version SET version_num = '9999'"
    await look(url, lambda connection: connection.exec_driver_sql(newer))
    with pytest.raises(SchemaVersionError, match=f"revision 9999.*knows up to {newest_revision()}"):
        async with open_store(url):
            pass


async def test_the_first_revision_cut_off_half_way_runs_to_its_end(url: str) -> None:
    await look(url, lambda connection: migrate(connection, "0001"))

    def undo_the_end(connection: Connection) -> None:
        connection.exec_driver_sql("DROP VIEW source_readings")
        connection.exec_driver_sql("DROP TABLE session")
        connection.exec_driver_sql("DELETE FROM alembic_version")

    await look(url, undo_the_end)
    async with open_store(url) as store:
        await store.commit(batch([outlet(T0)]))
    assert await look(url, differences) == []
    assert set(await look(url, lambda connection: inspect(connection).get_view_names())) == {
        "readings",
        "source_readings",
    }


async def test_the_tables_of_schedules_are_added_to_what_is_there_even_after_a_cut(url: str) -> None:
    await look(url, lambda connection: migrate(connection, "0002"))
    keep = "INSERT INTO device VALUES ('rack-1', 'Rack', 1, 'b', 'm', '')"
    await look(url, lambda connection: connection.exec_driver_sql(keep))
    await look(url, lambda connection: migrate(connection, "0003"))

    def undo_the_end(connection: Connection) -> None:
        connection.exec_driver_sql("DROP TABLE energy_price")
        connection.exec_driver_sql(
            "DROP INDEX schedule_run_by_time ON schedule_run"
            if "mysql" in url
            else "DROP INDEX schedule_run_by_time"
        )
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")

    await look(url, undo_the_end)
    async with open_store(url) as store:
        assert [one.pdu_id for one in await store.devices()] == ["rack-1"]
    assert await look(url, differences) == []


async def test_the_tables_of_control_are_added_to_what_is_there_even_after_a_cut(url: str) -> None:
    await look(url, lambda connection: migrate(connection, "0003"))
    keep = "INSERT INTO hold_off VALUES ('rack-1', 2, 1, 'ada')"
    await look(url, lambda connection: connection.exec_driver_sql(keep))
    await look(url, lambda connection: migrate(connection, "0004"))

    def undo_the_end(connection: Connection) -> None:
        connection.exec_driver_sql("DROP TABLE planned")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")

    await look(url, undo_the_end)
    async with open_store(url) as store:
        assert await store.put_site(SiteRow("cellar", 1, "{}"), 0)
        assert await store.plans(10) == []
    kept = "SELECT given_by FROM hold_off"
    assert await look(url, lambda connection: connection.exec_driver_sql(kept).scalar()) == "ada"
    assert await look(url, differences) == []


async def test_two_programs_that_start_at_once_build_the_tables_once(url: str) -> None:
    async def start() -> None:
        async with open_store(url) as store:
            await store.ping()

    await asyncio.gather(start(), start())
    assert await look(url, differences) == []
