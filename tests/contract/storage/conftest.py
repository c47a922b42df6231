"""Every test that takes `store` runs on the fake, on SQLite and on a real MariaDB."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.databases import MariaDbServer
from tests.fakes.store import FakeStore

from loadcenter.adapters.storage.store import open_store
from loadcenter.services.ports import Store


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDbServer]:
    with MariaDbServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'loadcenter.db'}"
    server: MariaDbServer = request.getfixturevalue("mariadb")
    return server.new_database()


@pytest.fixture(params=["fake", "sqlite", "mariadb"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    match request.param:
        case "fake":
            yield FakeStore()
        case "sqlite":
            async with open_store(f"sqlite:///{tmp_path / 'loadcenter.db'}") as opened:
                yield opened
        case _:
            server: MariaDbServer = request.getfixturevalue("mariadb")
            async with open_store(server.new_database()) as opened:
                yield opened
