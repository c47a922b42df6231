"""A fleet of PDUs over real MQTT: N devices of M outlets from a few processes, each with its own connection and ledger.

They follow spec/mqtt.md: will, birth, state, status, telemetry with `seq`, acks that free the outbox, re-sending after
three ack intervals without progress, and commands that are carried out and answered. What they leave out: events,
thinning (an outbox holds everything), and the gap of a database restored from a backup.

    with FleetProcesses(FleetSpec("127.0.0.1", port, "secret", pdus=1000)) as fleet:
        fleet.rate(1.0)
        ...
        ledger = fleet.report()
"""

import asyncio
import itertools
import multiprocessing
import random
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from bench.fleet_device import Device, FleetSpec, Ledger

TICK_S = 0.01
CONNECT_AT_ONCE = 50
"""Connections that one process opens at the same time; a broker checks a slow password hash for each."""
CONNECT_BOUND_S = 300.0


class _Worker:
    """The devices of one process, told what to do through a pipe."""

    def __init__(self, spec: FleetSpec, pipe: Connection) -> None:
        self._spec = spec
        self._pipe = pipe
        self._devices = [Device(spec, spec.first + n) for n in range(spec.pdus)]
        self._chance = random.Random(spec.first)
        self._gate = asyncio.Semaphore(CONNECT_AT_ONCE)
        self._rate = 0.0
        self._stop = asyncio.Event()

    async def run(self) -> None:
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._told)
        tasks = [asyncio.create_task(self._keep(one)) for one in self._devices]
        tasks += [asyncio.create_task(self._produce()), asyncio.create_task(self._look_after())]
        stop = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait({*tasks, stop}, return_when=asyncio.FIRST_COMPLETED)
        for one in self._devices:
            one.close()
        for task in tasks:
            task.cancel()
        for task in done - {stop}:
            task.result()  # raises what has ended it

    def _told(self) -> None:
        try:
            word, value = self._pipe.recv()
        except EOFError:  # the bench has ended
            self._stop.set()
            return
        match word:
            case "rate":
                self._rate = value
            case "up":
                self._pipe.send(sum(one.up.is_set() for one in self._devices))
            case "waiting":
                self._pipe.send(sum(one.ledger.given - one.ledger.stored for one in self._devices))
            case "report":
                self._pipe.send({one.pdu_id: one.ledger for one in self._devices})
            case _:
                self._stop.set()

    async def _keep(self, device: Device) -> None:
        """Connect, and connect again whenever the connection ends."""
        loop = asyncio.get_running_loop()
        while True:
            device.lost.clear()
            async with self._gate:
                try:
                    await loop.create_connection(lambda: device, self._spec.host, self._spec.port)
                    await asyncio.wait_for(device.up.wait(), 30)
                except OSError:  # TimeoutError is one: away, or overloaded
                    await asyncio.sleep(0.2 + 0.3 * self._chance.random())
                    continue
            await device.lost.wait()
            await asyncio.sleep(0.2 + 0.3 * self._chance.random())

    async def _produce(self) -> None:
        """Let the devices sample in turn, so that the fleet speaks evenly."""
        turn, owed, last_s = 0, 0.0, time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            now_s = time.monotonic()
            owed += (now_s - last_s) * self._rate * len(self._devices)
            last_s = now_s
            for _ in range(int(owed)):
                self._devices[turn].sample()
                turn = (turn + 1) % len(self._devices)
            owed -= int(owed)

    async def _look_after(self) -> None:
        seconds = 0
        while True:
            await asyncio.sleep(1)
            seconds += 1
            for one in self._devices:
                one.resend_if_stuck(self._chance)
                if seconds % 30 == 0:
                    one.ping()


def _work(spec: FleetSpec, pipe: Connection) -> None:
    asyncio.run(_Worker(spec, pipe).run())


class FleetProcesses:
    """The fleet, spread over processes of its own; a context manager that returns when every PDU is connected."""

    def __init__(self, spec: FleetSpec) -> None:
        self.spec = spec
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []
        for part in _parts(spec):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(part, theirs), daemon=True)
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> Self:
        for process in self._processes:
            process.start()
        deadline = time.monotonic() + CONNECT_BOUND_S
        while (up := self.connected()) < self.spec.pdus:
            if time.monotonic() > deadline:
                self._end()
                raise TimeoutError(f"only {up} of {self.spec.pdus} PDUs got a connection")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def connected(self) -> int:
        """Return how many PDUs are connected now."""
        return sum(self._ask("up"))

    def rate(self, per_pdu_s: float) -> None:
        """Let each PDU give out so many records a second from now on; 0 stops."""
        for pipe in self._pipes:
            pipe.send(("rate", per_pdu_s))

    def unacknowledged(self) -> int:
        """Return how many records wait for an acknowledgement end to end."""
        return sum(self._ask("waiting"))

    def settle(self, bound_s: float = 120.0) -> None:
        """Stop, and return when everything is acknowledged end to end."""
        self.rate(0)
        deadline = time.monotonic() + bound_s
        while waiting := self.unacknowledged():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{waiting} records were not acknowledged within {bound_s} s")
            time.sleep(0.1)

    def report(self) -> dict[str, Ledger]:
        """Return the ledger of every PDU by name."""
        return {name: one for part in self._ask("report") for name, one in part.items()}

    def _ask(self, word: str) -> list[Any]:
        for pipe in self._pipes:
            pipe.send((word, None))
        return [pipe.recv() for pipe in self._pipes]

    def _end(self) -> None:
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            if process.is_alive():
                pipe.send(("stop", None))
        for process in self._processes:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()


def _parts(spec: FleetSpec) -> list[FleetSpec]:
    """Return the share of each process."""
    count = min(spec.processes, spec.pdus)
    edges = [spec.pdus * n // count for n in range(count + 1)]
    shares = itertools.pairwise(edges)
    return [replace(spec, pdus=end - begin, first=spec.first + begin, processes=1) for begin, end in shares]
