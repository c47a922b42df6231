"""How everything is wired: storage, broker, services, web. The only place that knows all of them.

`control_center` yields a running control center; leaving it ends every task, connection and child process in the
reverse order.
"""

import asyncio
import contextlib
import functools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from loadcenter import __version__
from loadcenter.adapters.calendar import SiteAlmanac, SiteCalendar, parse_location
from loadcenter.adapters.clock import SystemClock
from loadcenter.adapters.files import FORMATS
from loadcenter.adapters.mqtt.credentials import make_credentials
from loadcenter.adapters.mqtt.embedded import EmbeddedBroker
from loadcenter.adapters.mqtt.inbox import WhenFull
from loadcenter.adapters.mqtt.link import MqttLink
from loadcenter.adapters.mqtt.nats_config import EmbeddedOptions
from loadcenter.adapters.mqtt.options import LinkOptions
from loadcenter.adapters.mqtt.url import BrokerAddress, parse_broker_url
from loadcenter.adapters.passwords import Argon2Passwords
from loadcenter.adapters.storage.store import SqlStore, open_store
from loadcenter.adapters.web.app import Served, make_app
from loadcenter.adapters.web.live import Hub
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.apps.config import Config
from loadcenter.apps.metrics import render_metrics
from loadcenter.apps.tariff_file import read_tariffs
from loadcenter.apps.update_files import read_image, update_secret
from loadcenter.protocol import topics
from loadcenter.protocol.messages import Result
from loadcenter.protocol.updating import Updating
from loadcenter.services.accounts import Accounts
from loadcenter.services.alarming import Alarming
from loadcenter.services.analytics import Analytics
from loadcenter.services.announce import Announcer
from loadcenter.services.control import make_control, make_rooms
from loadcenter.services.dispatch import Dispatch
from loadcenter.services.energy_prices import EnergyPrices
from loadcenter.services.export import Exporter
from loadcenter.services.feed import Feed
from loadcenter.services.fleet import Fleet
from loadcenter.services.history import History
from loadcenter.services.ingest import Ingest
from loadcenter.services.news import News
from loadcenter.services.planning import Planner
from loadcenter.services.ports import Plant
from loadcenter.services.registry import Registry, Secret
from loadcenter.services.retention import Retention
from loadcenter.services.scheduler import Scheduler
from loadcenter.services.schedules import Schedules
from loadcenter.services.today import Today
from loadcenter.services.tuning import Tuning
from loadcenter.services.updates import Updates
from loadcenter.services.watch import Watch

CLIENT_FILE = "client-id"
RECORDS_INBOX = 5_000
"""Records that may wait in memory (about 5 MB); then the link stops reading and the broker keeps them."""


@dataclass(frozen=True, slots=True)
class Center:
    """A running control center.

    Attributes:
        app: the HTTP application to serve.
        broker: where devices connect.
        embedded: the embedded broker, None where an external one is used.
        new_password: the one-time admin password if one was made now.
        local_token: bearer token of the command line.
    """

    app: FastAPI
    broker: BrokerAddress
    embedded: EmbeddedBroker | None
    store: SqlStore
    fleet: Fleet
    ingest: Ingest
    dispatch: Dispatch
    registry: Registry
    schedules: Schedules
    records: MqttLink
    control: MqttLink
    new_password: str | None
    local_token: str


@contextlib.asynccontextmanager
async def control_center(
    config: Config, *, admin_password: str | None = None, plant: Plant | None = None
) -> AsyncIterator[Center]:
    """Yield a running control center.

    Args:
        config: how it runs.
        admin_password: the admin's password; None keeps the one there is, or makes one.
        plant: the simulated plant of a demo.

    Raises:
        ConfigError, DatabaseUrlError, BrokerUrlError, TimeZoneError, StoreError, BrokerStartError, OSError: it cannot
            start; the message says what to do.
    """
    config.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    clock, calendar = SystemClock(), SiteCalendar(config.timezone)
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(
            open_store(config.database_url, day_start=calendar.day_start_ms)
        )
        embedded, address = await _broker(stack, config, store)
        records, control = await _links(stack, config, address)
        announcer = Announcer()
        token = secrets.token_urlsafe(32)
        accounts = Accounts(store, Argon2Passwords(), clock, token)
        new_password = await accounts.ensure_admin(admin_password)
        news = News(store, announcer)

        # Fleet, ingest, dispatch and updates know each other only through these calls.
        async def born(pdu_id: str, boot: int) -> None:
            await ingest.acknowledge(pdu_id, boot)
            await updates.born(pdu_id)

        async def answered(pdu_id: str, result: Result) -> None:
            await dispatch.answered(pdu_id, result)

        async def updating(pdu_id: str, said: Updating) -> None:
            await updates.take(pdu_id, said)

        fleet = Fleet(
            control,
            store,
            clock,
            announcer,
            config.root,
            born=born,
            answered=answered,
            updating=updating,
        )
        planner = Planner(config.root, fleet.uptime_origin, fleet.registered)
        feed, retention = (
            Feed(records, control, fleet, clock, config.root),
            Retention(store, clock, config.keeping),
        )
        ingest = Ingest(records, store, clock, planner, news.look, feed.take)
        rooms = make_rooms(store, clock, fleet, announcer)
        dispatch = Dispatch(control, store, clock, fleet, announcer, config.root, headroom=rooms.headroom)
        deciding = make_control(rooms, store, clock, fleet, dispatch, announcer)
        alarming = Alarming(fleet, store, clock, announcer)
        history, today = History(store, clock, calendar), Today(store, clock, calendar)
        tuning = Tuning(fleet, store, control, config.root)
        registry = Registry(fleet, store, clock, _make_secret, _admit(embedded, store))
        updates = Updates(
            fleet,
            store,
            control,
            clock,
            config.root,
            secret=update_secret(config.folder),
            read_image=functools.partial(read_image, config.folder),
        )
        watch = Watch(records, control, store, clock, fleet, tuning, ingest, today, announcer, feed)
        schedules = _schedules(config, store, fleet, calendar)
        scheduler = Scheduler(schedules, store.schedules, clock, fleet, dispatch, announcer)
        await fleet.load()
        await schedules.load()
        await alarming.load()
        await news.load()
        await deciding.load()
        shapes = Shapes(fleet, alarming, dispatch, today, news, clock, deciding)
        hub = Hub(announcer, shapes)
        served = Served(
            shapes,
            hub,
            accounts,
            store,
            history,
            Exporter(store, FORMATS),
            registry,
            updates,
            tuning,
            Analytics(store, clock, calendar, read_tariffs(config.tariff_path)),
            schedules,
            checks=watch.checks,
            metrics=lambda: render_metrics(
                fleet, ingest, dispatch, hub, records, control, retention, watch.checks()["database"]
            ),
            version=__version__,
            plant=plant,
        )
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        runs: Mapping[str, Callable[[], Coroutine[None, None, None]]] = {
            "ingest": ingest.run,
            "acks": ingest.run_acks,
            "fleet": fleet.run,
            "time": fleet.run_time,
            "commands": dispatch.run,
            "command journal": dispatch.run_journal,
            "schedules": scheduler.run,
            "alarms": alarming.run,
            "rollups": history.run_rollups,
            "retention": retention.run,
            "watch": watch.run,
            "database": watch.run_pings,
            "energy of today": watch.run_today,
            "live": hub.run,
            "live pings": hub.run_pings,
            **deciding.runs,
        }
        running = [tasks.create_task(run(), name=name) for name, run in runs.items()]
        try:
            yield Center(
                make_app(served),
                address,
                embedded,
                store,
                fleet,
                ingest,
                dispatch,
                registry,
                schedules,
                records,
                control,
                new_password,
                token,
            )
        finally:
            for task in running:
                task.cancel()


def _schedules(config: Config, store: SqlStore, fleet: Fleet, calendar: SiteCalendar) -> Schedules:
    clock, almanac = SystemClock(), SiteAlmanac(config.timezone, parse_location(config.location))
    prices = EnergyPrices(store.schedules, clock, calendar, read_tariffs(config.tariff_path))
    return Schedules(store.schedules, clock, fleet, almanac, prices)


async def _broker(
    stack: contextlib.AsyncExitStack, config: Config, store: SqlStore
) -> tuple[EmbeddedBroker | None, BrokerAddress]:
    if config.broker:
        ca_file = Path(config.broker_ca) if config.broker_ca else None
        return None, parse_broker_url(config.broker, plain=config.plain, ca_file=ca_file)
    certificate = None
    if config.mqtt_certificate:
        certificate = Path(config.mqtt_certificate), Path(config.mqtt_key)
    options = EmbeddedOptions(
        folder=config.folder / "broker",
        host=config.mqtt_host,
        port=config.mqtt_port,
        root=config.root,
        certificate=certificate,
        plain=config.plain,
        password=config.mqtt_password,
    )
    devices = {one.pdu_id: one.bcrypt_hash for one in await store.devices()}
    embedded = await stack.enter_async_context(EmbeddedBroker(options, devices))
    return embedded, embedded.address


async def _links(
    stack: contextlib.AsyncExitStack, config: Config, address: BrokerAddress
) -> tuple[MqttLink, MqttLink]:
    client_id = _client_id(config.folder / CLIENT_FILE)

    def every(leaf: topics.Up) -> str:
        return topics.up(config.root, "+", leaf)

    records = LinkOptions(
        client_id=f"{client_id}-records",
        subscriptions=tuple((every(leaf), 1) for leaf in sorted(topics.RECORDS)),
        persistent=True,
        when_full=WhenFull.STOP_READING,
        inbox_limit=RECORDS_INBOX,
    )
    control = LinkOptions(
        client_id=f"{client_id}-control",
        subscriptions=(
            *(
                (every(leaf), 1)
                for leaf in (
                    topics.Up.BIRTH,
                    topics.Up.STATUS,
                    topics.Up.STATE,
                    topics.Up.RESULT,
                    topics.Up.UPDATING,
                )
            ),
            (every(topics.Up.TELEMETRY), 0),
        ),
        when_full=WhenFull.DROP_OLDEST,
        inbox_limit=RECORDS_INBOX,
    )
    return (
        await stack.enter_async_context(MqttLink(address, records)),
        await stack.enter_async_context(MqttLink(address, control)),
    )


def _client_id(path: Path) -> str:
    """Return the id of this control center at the broker: the same in every run, and not to be guessed."""
    # it is empty where a first start was killed between the two steps below
    if path.exists() and (known := path.read_text(encoding="ascii").strip()):
        return known
    client_id = f"loadcenter-{secrets.token_hex(8)}"
    path.touch(mode=0o600)
    path.write_text(f"{client_id}\n", encoding="ascii")
    return client_id


def _make_secret() -> Secret:
    made = make_credentials()
    return Secret(made.secret, made.bcrypt_hash, made.mosquitto_hash)


def _admit(embedded: EmbeddedBroker | None, store: SqlStore) -> Callable[[], Awaitable[None]]:
    async def admit() -> None:
        if embedded is not None:
            await embedded.set_devices({one.pdu_id: one.bcrypt_hash for one in await store.devices()})

    return admit
