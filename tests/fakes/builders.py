"""Payloads as a device sends them, and a control center wired over fakes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.clock import FakeClock, settle
from tests.fakes.link import FakeBroker
from tests.fakes.passwords import FakePasswords
from tests.fakes.store import FakeStore

from loadcenter.adapters.calendar import Location, SiteAlmanac, SiteCalendar
from loadcenter.domain.tariffs import Tariffs
from loadcenter.protocol import topics
from loadcenter.protocol.messages import Result
from loadcenter.protocol.updating import Updating
from loadcenter.services.accounts import Accounts
from loadcenter.services.alarming import Alarming
from loadcenter.services.analytics import Analytics
from loadcenter.services.announce import Announcement, Announcer
from loadcenter.services.control import make_control, make_rooms
from loadcenter.services.dispatch import Dispatch
from loadcenter.services.energy_prices import EnergyPrices
from loadcenter.services.feed import Feed
from loadcenter.services.fleet import Fleet
from loadcenter.services.history import History
from loadcenter.services.ingest import Ingest, IngestConfig
from loadcenter.services.news import News
from loadcenter.services.planning import Planner
from loadcenter.services.ports import DeviceRow, Message
from loadcenter.services.registry import Registry, Secret
from loadcenter.services.scheduler import Scheduler
from loadcenter.services.schedules import Schedules
from loadcenter.services.today import Today
from loadcenter.services.tuning import Tuning
from loadcenter.services.updates import ImageMissingError, Updates
from loadcenter.services.watch import Watch

ROOT = topics.DEFAULT_ROOT
VIENNA = Location(48.21, 16.37)
START_MS = 1_800_000_000_000
"""UTC at which the device's boot 1 began and the fake clock starts: a full minute."""

# ---- payloads -----------------------------------------------------------------------------------------------


def payload(**fields: Any) -> bytes:
    """Return a payload of contract version 1; a field that is None is left out."""
    present = {"v": 1, **fields}
    return json.dumps({key: value for key, value in present.items() if value is not None}).encode()


def outlet(n: int, **changed: Any) -> dict[str, Any]:
    return {"n": n, "on": True, "i_ma": 500, "p_mw": 100_000, "e_mwh": 1_000 * n, **changed}


def telemetry(seq: int, **changed: Any) -> bytes:
    """Return the telemetry of second `seq` of a boot; `first` becomes `from`, and None leaves a field out."""
    up_ms = seq * 1000
    fields: dict[str, Any] = {
        "boot": 1,
        "seq": seq,
        "from": changed.pop("first", None),
        "up_ms": up_ms,
        "ts_ms": START_MS + up_ms,
        "active": "main",
        "live": True,
        "src": {"main": {"v_mv": 230_000, "f_mhz": 50_000}, "backup": {"v_mv": 229_000, "f_mhz": 50_010}},
        "out": [outlet(n, e_mwh=1_000 * n + 28 * seq) for n in (1, 2)],
    }
    return payload(**{**fields, **changed})


def gap(seq: int, *, first: int, count: int | None = None, reason: str = "overflow", **changed: Any) -> bytes:
    fields = {"boot": 1, "seq": seq, "from": first, "up_ms": seq * 1000, "ts_ms": START_MS + seq * 1000}
    return payload(**{**fields, "gap": {"reason": reason, "count": count}, **changed})


def event(seq: int, code: str = "switched", **changed: Any) -> bytes:
    fields = {"boot": 1, "seq": seq, "up_ms": seq * 1000, "ts_ms": START_MS + seq * 1000, "code": code}
    return payload(**{**fields, **changed})


def birth(boot: int = 1, **changed: Any) -> bytes:
    fields: dict[str, Any] = {
        "boot": boot,
        "up_ms": 100,
        "min_v": 1,
        "max_v": 1,
        "model": "LC-4",
        "fw": "1.0.0",
        "outlets": 2,
        "nominal": {"v_mv": 230_000, "f_mhz": 50_000},
        "ratings": {"outlet_ma": 4_000, "total_ma": 16_000},
        "period_ms": 1_000,
    }
    return payload(**{**fields, **changed})


def state(**changed: Any) -> bytes:
    fields: dict[str, Any] = {
        "boot": 1,
        "up_ms": 200,
        "active": "main",
        "live": True,
        "isolator": "closed",
        "src": {"main": "good", "backup": "good"},
        "out": [{"n": n, "on": True, "cause": "person_on", "by": "ada"} for n in (1, 2)],
        "settings": 0,
        "n": 0,
    }
    return payload(**{**fields, **changed})


def status(word: str) -> bytes:
    return payload(status=word)


def result(command_id: str, word: str, code: str = "ok", **changed: Any) -> bytes:
    return payload(
        **{"boot": 1, "up_ms": 9_000, "id": command_id, "n": 1, "status": word, "code": code, **changed}
    )


def up(pdu_id: str, leaf: str) -> str:
    return topics.up(ROOT, pdu_id, leaf)


def down(pdu_id: str, leaf: str) -> str:
    return topics.down(ROOT, pdu_id, leaf)


def device_row(pdu_id: str = "rack-1", name: str = "") -> DeviceRow:
    return DeviceRow(pdu_id, name or pdu_id.title(), START_MS, "bcrypt", "pbkdf2")


def planner(**changed: Any) -> Planner:
    known: dict[str, Any] = {"uptime_origin": lambda _pdu, _boot: None, "registered": lambda _pdu: True}
    return Planner(ROOT, **{**known, **changed})


# ---- the services over fakes ----------------------------------------------------------------------------------


@dataclass
class Center:
    """All services of a control center over one fake broker, store and clock, wired as `apps/bootstrap` does."""

    store: FakeStore = field(default_factory=FakeStore)
    clock: FakeClock = field(default_factory=lambda: FakeClock(START_MS))
    broker: FakeBroker = field(default_factory=FakeBroker)
    passwords: FakePasswords = field(default_factory=FakePasswords)
    ingest_config: IngestConfig = field(default_factory=lambda: IngestConfig(linger_ms=0))
    tariffs: Tariffs = field(default_factory=Tariffs)
    said: list[Announcement] = field(default_factory=list)

    def __post_init__(self) -> None:
        def every(leaf: str) -> str:
            return up("+", leaf)

        self.records = self.broker.link(
            "records", (every("telemetry"), 1), (every("event"), 1), persistent=True, inbox_limit=5_000
        )
        control = [(every(leaf), 1) for leaf in ("birth", "status", "state", "result", "updating")]
        self.control = self.broker.link("control", *control, (every("telemetry"), 0))
        self.announcer = Announcer()
        self.announcer.listen(self.said.append)
        self.news = News(self.store, self.announcer)
        self.fleet = Fleet(
            self.control,
            self.store,
            self.clock,
            self.announcer,
            ROOT,
            born=self._born,
            answered=self._answered,
            updating=self._took_word_of_update,
        )
        self.feed = Feed(self.records, self.control, self.fleet, self.clock, ROOT)
        self.ingest = Ingest(
            self.records,
            self.store,
            self.clock,
            Planner(ROOT, self.fleet.uptime_origin, self.fleet.registered),
            self.news.look,
            self.feed.take,
            self.ingest_config,
        )
        self.rooms = make_rooms(self.store, self.clock, self.fleet, self.announcer)
        self.dispatch = Dispatch(
            self.control,
            self.store,
            self.clock,
            self.fleet,
            self.announcer,
            ROOT,
            headroom=self.rooms.headroom,
        )
        self.deciding = make_control(
            self.rooms, self.store, self.clock, self.fleet, self.dispatch, self.announcer
        )
        self.alarming = Alarming(self.fleet, self.store, self.clock, self.announcer)
        calendar = SiteCalendar()
        self.history = History(self.store, self.clock, calendar)
        self.today = Today(self.store, self.clock, calendar)
        self.analytics = Analytics(self.store, self.clock, calendar, self.tariffs)
        prices = EnergyPrices(self.store.schedules, self.clock, calendar, self.tariffs)
        almanac = SiteAlmanac("Europe/Vienna", VIENNA)
        self.schedules = Schedules(self.store.schedules, self.clock, self.fleet, almanac, prices)
        self.scheduler = Scheduler(
            self.schedules, self.store.schedules, self.clock, self.fleet, self.dispatch, self.announcer
        )
        self.tuning = Tuning(self.fleet, self.store, self.control, ROOT)
        self.registry = Registry(self.fleet, self.store, self.clock, make_secret, self._admitted)
        self.accounts = Accounts(self.store, self.passwords, self.clock, "local-token")
        self.images: dict[str, bytes] = {}
        self.updates = Updates(
            self.fleet,
            self.store,
            self.control,
            self.clock,
            ROOT,
            secret=b"of the control center",
            read_image=self._read_image,
        )
        self.watch = Watch(
            self.records,
            self.control,
            self.store,
            self.clock,
            self.fleet,
            self.tuning,
            self.ingest,
            self.today,
            self.announcer,
            self.feed,
        )
        self.admissions = 0

    async def open(self, *pdu_ids: str) -> "Center":
        """Register PDUs, connect both links and load what is kept."""
        for pdu_id in pdu_ids:
            await self.store.put_device(device_row(pdu_id))
        self.records.open()
        self.control.open()
        await self.fleet.load()
        await self.schedules.load()
        await self.alarming.load()
        await self.news.load()
        await self.deciding.load()
        return self

    def hear(
        self, leaf: str, body: bytes, *, pdu_id: str = "rack-1", retained: bool = False
    ) -> Awaitable[None]:
        """Let the fleet take a message of a PDU, as from the control link."""
        return self.fleet.take(Message(up(pdu_id, leaf), body, retained))

    async def greet(self, pdu_id: str = "rack-1", seq: int = 1, **changed: Any) -> None:
        """Let a PDU connect and report: birth, state, online, and one second of telemetry."""
        await self.hear("birth", birth(), pdu_id=pdu_id)
        await self.hear("state", state(**changed), pdu_id=pdu_id)
        await self.hear("status", status("online"), pdu_id=pdu_id)
        await self.hear("telemetry", telemetry(seq), pdu_id=pdu_id)

    def sent(self, leaf: str, pdu_id: str = "rack-1") -> list[dict[str, Any]]:
        """Return what was published on `down/<leaf>`, oldest first."""
        return [json.loads(one) for one in self.broker.payloads(down(pdu_id, leaf))]

    async def _born(self, pdu_id: str, boot: int) -> None:
        await self.ingest.acknowledge(pdu_id, boot)
        await self.updates.born(pdu_id)

    async def _answered(self, pdu_id: str, answer: Result) -> None:
        await self.dispatch.answered(pdu_id, answer)

    async def _took_word_of_update(self, pdu_id: str, said: Updating) -> None:
        await self.updates.take(pdu_id, said)

    def _read_image(self, name: str) -> bytes:
        if name not in self.images:
            raise ImageMissingError(f"no image '{name}' is kept here")
        return self.images[name]

    async def _admitted(self) -> None:
        self.admissions += 1


def make_secret() -> Secret:
    return Secret("device-password", "bcrypt of it", "pbkdf2 of it")


def send(center: Center, *records: bytes | tuple[str, bytes], pdu_id: str = "rack-1") -> None:
    """Publish records of a PDU: telemetry, or (leaf, payload)."""
    for one in records:
        leaf, body = one if isinstance(one, tuple) else ("telemetry", one)
        center.broker.publish(up(pdu_id, leaf), body)


@contextlib.asynccontextmanager
async def running(*runs: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run endless tasks while the block runs; one that fails fails the test."""
    tasks = [asyncio.create_task(run()) for run in runs]
    await settle()
    try:
        yield
        failed = [task for task in tasks if task.done()]
        for task in failed:
            task.result()
        assert not failed, f"ended by itself: {failed}"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
