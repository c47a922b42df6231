"""Joins the simulated rack to the broker: one MQTT connection and one set of credentials for each simulated PDU.

The simulator itself does no input or output; what a real device's Wi-Fi and flash do is done here. A device that
vanishes (its network cut, its gateway restarted) is seen by the broker as one whose connection broke: its will is
published.
"""

import asyncio
import gzip
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from loadcenter.adapters.clock import SystemClock
from loadcenter.adapters.mqtt.inbox import WhenFull
from loadcenter.adapters.mqtt.link import MqttLink
from loadcenter.adapters.mqtt.options import LinkOptions, Will
from loadcenter.adapters.mqtt.url import BrokerAddress
from loadcenter.adapters.storage.store import open_store
from loadcenter.apps.bootstrap import Center
from loadcenter.apps.config import Config
from loadcenter.apps.demo_schedules import demo_schedules
from loadcenter.apps.past import LENGTH_MS, STEP_MS, live_past
from loadcenter.domain.memory import PduMemory
from loadcenter.services.labels import OutletLabel
from loadcenter.services.ports import LinkDownError, LinkState
from loadcenter.simulator.flash import FlashError
from loadcenter.simulator.outgoing import Outgoing
from loadcenter.simulator.pdu import VirtualPdu
from loadcenter.simulator.rack import PduLayout, Rack, default_layouts, recorded_layouts
from loadcenter.simulator.traces import Playback, TraceError, ending_at, parse_any

_log = logging.getLogger(__name__)

TICK_MS = 50
"""How often the simulation catches up with the clock; its own step is finer."""

OUTBOX_MAX = 500
"""Messages that may wait for the broker; past that the newest are given up, as a full radio would."""

SAVE_MS = 10_000
"""How often the devices' flash is written to disk; what a crash must not undo is written at once."""

DEMO_TARIFF = Path(__file__).with_name("demo_tariff.toml")
"""What a kWh costs in a demo, so that Analytics shows cost."""

_SUFFIXES = (".csv", ".csv.gz")

Recording: TypeAlias = tuple[str, Playback]


@dataclass(frozen=True, slots=True)
class DemoRack:
    """What is simulated: so many PDUs with modelled loads, or the recordings of a folder.

    Attributes:
        firmware: one PDU more, in which the real programs run (`apps/real_unit.py`).
    """

    pdus: int
    traces: Path | None
    seed: int
    firmware: bool = False


class RunningRack:
    """The simulated rack with its flash on disk.

    Args:
        demo: what is simulated.
        config: its data folder keeps the devices' flash, so that they go on after a restart.

    Raises:
        TraceError: there is no usable recording in the folder.
        FlashError: the flash on disk was not written by this program.
    """

    def __init__(self, demo: DemoRack, config: Config) -> None:
        self._clock = SystemClock()
        # UTC at the start, and from then on a clock that does not step.
        self._offset_ms = self._clock.now_ms() - self._clock.monotonic_ms()
        self._folder = config.folder / "rack"
        self._root = config.root
        self._seed = demo.seed
        if demo.traces:
            _log.info("reading the recordings in %s", demo.traces)
        self._layouts = (
            recorded_layouts(read_recordings(demo.traces, self.now_ms()))
            if demo.traces
            else default_layouts(demo.pdus, demo.seed)
        )
        self.plant = self._open()

    def now_ms(self) -> int:
        """Return the time of the rack: UTC that never steps."""
        return self._clock.monotonic_ms() + self._offset_ms

    async def live_past(self, config: Config) -> None:
        """Before the first start of all: let the rack live the last half hour, so that there is history to look at.

        Raises:
            StoreError, DatabaseUrlError: the database cannot be used.
        """
        if not any(self._folder.glob("*.flash")):
            _log.info("first start: the rack lives the half hour before in virtual time, for History to show")
            start_ms = self.now_ms() - LENGTH_MS
            past = Rack(self._layouts, self._seed, start_ms, root=self._root, step_ms=STEP_MS)
            async with open_store(config.database_url) as store:
                self._write(await live_past(past, store, self._root, start_ms))
            self.plant = self._open()
        self._save(stopped=False)

    async def run(self, center: Center) -> None:
        """Register the devices, connect them and let time pass, until cancelled."""
        fresh = not any(center.fleet.registered(pdu_id) for pdu_id in self.plant.pdus)
        try:
            async with asyncio.TaskGroup() as tasks:
                for pdu_id, pdu in self.plant.pdus.items():
                    address = await self._register(center, self.plant.layouts[pdu_id])
                    device = SimulatedDevice(pdu, self, address)
                    tasks.create_task(device.run(), name=pdu_id)
                tasks.create_task(self._keep_saved(), name="flash")
                if fresh:
                    await self._add_schedules(center)
        finally:
            self._save(stopped=True)

    async def _add_schedules(self, center: Center) -> None:
        almanac = center.schedules.almanac
        today = almanac.day_of(self._clock.now_ms(), almanac.site_zone)
        for draft in demo_schedules(list(self.plant.layouts.values()), almanac.site_zone, today):
            await center.schedules.add(draft, "demo")

    async def _register(self, center: Center, layout: PduLayout) -> BrokerAddress:
        known = center.fleet.registered(layout.pdu_id)
        name = center.fleet.labels(layout.pdu_id).name if known else layout.name
        secret = await center.registry.add(layout.pdu_id, name, replace_secret=True)
        if not known:
            labels = {
                n: OutletLabel(n, outlet.name, outlet.critical) for n, outlet in enumerate(layout.outlets, 1)
            }
            await center.registry.rename(layout.pdu_id, name, labels)
        broker = center.broker
        return BrokerAddress(
            broker.host,
            broker.port,
            broker.tls,
            layout.pdu_id,
            secret.password,
            broker.ca_file,
            broker.insecure,
        )

    def _open(self) -> Rack:
        files = {path.stem: path.read_bytes() for path in self._folder.glob("*.flash")}
        try:
            return Rack(self._layouts, self._seed, self.now_ms(), root=self._root, saved=files)
        except FlashError as error:
            raise FlashError(f"{error}; delete {self._folder.parent} to begin anew") from error

    async def _keep_saved(self) -> None:
        while True:
            since_ms, kept = self._clock.monotonic_ms(), self._lasting()
            while self._lasting() == kept and self._clock.monotonic_ms() - since_ms < SAVE_MS:
                await self._clock.sleep_ms(TICK_MS)
            self._save(stopped=False)

    def _lasting(self) -> list[tuple[int, PduMemory, int]]:
        """Return what a crash must not undo: numbers of starts, latches and wishes, settings."""
        return [(pdu.boot, pdu.state.memory, pdu.config.version) for pdu in self.plant.pdus.values()]

    def _save(self, *, stopped: bool) -> None:
        self._write(self.plant.saved(stopped=stopped))

    def _write(self, flash: Mapping[str, bytes]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for pdu_id, content in flash.items():
            fresh = self._folder / f"{pdu_id}.new"
            fresh.write_bytes(content)
            fresh.replace(self._folder / f"{pdu_id}.flash")


def read_recordings(folder: Path, end_ms: int) -> list[Recording]:
    """Return the recordings of a folder by name, each ending at `end_ms` and then beginning anew.

    A file that is none is left out, with a warning.

    Raises:
        TraceError: there is none at all.
    """
    files = sorted(path for path in folder.glob("*") if path.name.endswith(_SUFFIXES))
    recordings: list[Recording] = []
    for path in files:
        try:
            content = path.read_bytes()
            text = gzip.decompress(content) if path.suffix == ".gz" else content
            parsed = parse_any(text.decode().splitlines())
        except (TraceError, OSError, EOFError, UnicodeDecodeError) as error:
            _log.warning("%s is left out, it is not a recording that can be replayed: %s", path, error)
            continue
        title = path.name.removesuffix(".gz").removesuffix(".csv")
        for column, trace in parsed.items():
            name = f"{title.split('_')[0]} {column}" if column else title.split("_")[1]
            recordings.append((name, ending_at(trace, end_ms, loop=True)))
    if not recordings:
        raise TraceError(f"{folder} holds no recording: *.csv or *.csv.gz of tracebase, UK-DALE or REFIT")
    return recordings


class SimulatedDevice:
    """One simulated PDU, connected to a broker."""

    def __init__(self, pdu: VirtualPdu, rack: RunningRack, address: BrokerAddress) -> None:
        self._pdu = pdu
        self._rack = rack
        will = pdu.will
        options = LinkOptions(
            client_id=pdu.pdu_id,
            subscriptions=((pdu.subscription, 1),),
            when_full=WhenFull.STOP_READING,
            will=Will(will.topic, will.payload, will.qos, will.retain),
        )
        self._link = MqttLink(address, options)
        self._generation = 0
        self._outbox: asyncio.Queue[Outgoing] = asyncio.Queue(OUTBOX_MAX)
        self._clock = SystemClock()

    async def run(self) -> None:
        """Run until cancelled."""
        async with self._link, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._advance(), name=f"{self._pdu.pdu_id} time")
            tasks.create_task(self._receive(), name=f"{self._pdu.pdu_id} in")
            tasks.create_task(self._publish(), name=f"{self._pdu.pdu_id} out")

    async def _advance(self) -> None:
        while True:
            await self._follow_link()
            self._queue(self._pdu.advance(self._rack.now_ms()))
            await self._clock.sleep_ms(TICK_MS)

    async def _follow_link(self) -> None:
        """Tell the PDU of its network, and the broker of what happened to the PDU."""
        up = self._link.state is LinkState.UP
        if not self._rack.plant.network_up(self._pdu.pdu_id):
            if up:
                await self._vanish()
                await self._link.pause()
            return
        if self._link.state is LinkState.PAUSED:
            await self._link.resume()
        elif not up:
            self._lose()
        elif self._link.generation != self._generation:
            self._generation = self._link.generation
            self._queue(self._pdu.connected(self._rack.now_ms()))
        elif not self._pdu.is_connected:  # it has restarted
            await self._vanish()

    async def _vanish(self) -> None:
        await self._send(self._pdu.will)
        self._lose()

    def _lose(self) -> None:
        self._generation = 0
        while not self._outbox.empty():
            self._outbox.get_nowait()  # the PDU keeps its records and sends them again
        if self._pdu.is_connected:
            self._pdu.disconnected(self._rack.now_ms())

    async def _receive(self) -> None:
        while True:
            for message in await self._link.receive(100, 0):
                if message.token is not None:
                    self._link.ack([message.token])
                if self._generation:
                    now_ms = self._rack.now_ms()
                    self._queue(self._pdu.receive(message.topic, message.payload, message.retained, now_ms))

    def _queue(self, messages: Sequence[Outgoing]) -> None:
        for message in messages if self._generation else ():
            if self._outbox.full():
                return  # the broker is slower than the PDU, which sends its records again
            self._outbox.put_nowait(message)

    async def _publish(self) -> None:
        while True:
            await self._send(await self._outbox.get())

    async def _send(self, message: Outgoing) -> None:
        try:
            await self._link.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)
        except LinkDownError as error:
            _log.debug("%s: %s", self._pdu.pdu_id, error)  # the PDU notices, and sends its records again
