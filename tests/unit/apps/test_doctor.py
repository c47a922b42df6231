"""Doctor says what stands in quarantine: nobody else would look there."""

from pathlib import Path

from loadcenter.adapters.storage.store import open_store
from loadcenter.apps.cli.doctor import Finding, examine
from loadcenter.apps.config import Config
from loadcenter.services.ports import IngestBatch, QuarantineRow

ROW = QuarantineRow("rack-1", "loadcenter/v1/rack-1/up/event", 0, "wrong_type", "code is 5", b"{}", 1, 7)


async def database_of(config: Config) -> Finding:
    return next(one for one in await examine(config) if one.check == "database")


async def test_payloads_in_quarantine_are_told_and_only_then(tmp_path: Path) -> None:
    config = Config(data=str(tmp_path), port=0, mqtt_port=0)
    assert "quarantine" not in (await database_of(config)).detail
    async with open_store(config.database_url) as store:
        await store.commit(IngestBatch(quarantine=[ROW, ROW]))
    found = await database_of(config)
    assert found.ok
    assert "2 payloads were not understood: see the table quarantine" in found.detail
