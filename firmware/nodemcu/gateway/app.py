"""The gateway as a whole: its tasks, and what happens when one of them dies.

It runs under MicroPython and CPython; whoever starts it gives the serial line, the way to the broker and a folder.
"""

import asyncio
import gc
import sys

from boxes import Boxes
from clock import Clock, Uptime
from device import Device
from meters import Meters
from uplink import Uplink

VERSION = "0.1.0"
STEP_S = 0.05
REOPEN_S = 1
READ_BYTES = 256
MISSED_MS = 10000  # a broker that is away for less is no event: flash is for what matters
TELEMETRY_RECORDS = 16
ACK_S = 2


class App:
    """One start of the gateway.

    Args:
        config: of `Uplink`; `telemetry_records` (16) and `sntp`, a host that is asked for the time, too.
        folder: where records are kept.
        open_serial: coroutine function that returns (reader, writer) of the line to the UNO; raises OSError.
        open_broker: likewise to the broker.
        ticks: counter of milliseconds and its period, as `Uptime` takes them.
        rng: function (n) -> a random number below n.
        rssi: returns the strength of the radio signal in dBm, 0 where it is not known.
        beat: called every 50 ms as long as all is well: a watchdog lives on it.
        cause: word for the event `boot`, such as `power`.
        update: `Update`, None where the program is not updated over MQTT.
    """

    def __init__(
        self,
        config: dict,
        folder: str,
        open_serial: object,
        open_broker: object,
        ticks: tuple,
        rng: object,
        rssi: object = lambda: 0,
        beat: object = lambda: None,
        cause: str = "unknown",
        update: object = None,
    ) -> None:
        self.uptime = Uptime(*ticks)
        clock = Clock(self.uptime)
        birth = {"reset_cause": cause, "gateway": VERSION}
        capacity = config.get("telemetry_records", TELEMETRY_RECORDS)
        ack_ms = int(1000 * config.get("ack_interval_s", ACK_S))
        self.boxes = Boxes(folder, clock, rng, birth, capacity, ack_ms=ack_ms)
        self.device = Device(self.boxes, Meters(folder), self.uptime, VERSION, lambda: (free_bytes(), rssi()))
        self.uplink = Uplink(config, open_broker, self.boxes, self.device, clock, rng, update)
        self._clock = clock
        self._time_host = config.get("sntp")
        self._open_serial = open_serial
        self._beat = beat
        self._ended = asyncio.Event()
        self._error = None
        self._away_ms = 0
        self._writer = None
        self.device.send = self._send
        self.device.links = self._links

    async def run(self) -> None:
        """Work until a task dies; the caller then starts the board anew.

        Raises:
            Exception: what it died of.
        """
        works = [("line", self._serve_line), ("clock", self._tick), ("uplink", self.uplink.run)]
        if self._time_host:
            from sntp import Sntp, udp  # noqa: PLC0415 - it takes no heap where it is not wanted

            works.append(("sntp", Sntp(self._clock, udp(self._time_host)).run))
        tasks = [asyncio.create_task(self._guard(name, work)) for name, work in works]
        await self._ended.wait()
        for task in tasks:
            task.cancel()
        raise self._error

    async def _guard(self, name: str, work: object) -> None:
        """Run a task that must not end."""
        try:
            await work()
            raise RuntimeError("it ended")  # noqa: TRY301 - as any other end
        except Exception as error:  # noqa: BLE001 - whatever it is: a gateway without one of its tasks is none
            print("gateway: the task", name, "died:", repr(error))  # noqa: T201 - the log of the host; the board drops it
            if hasattr(sys, "print_exception"):
                sys.print_exception(error)
            self._error = error
            self._ended.set()

    async def _serve_line(self) -> None:
        """Read the serial line, and open it again when it breaks."""
        while True:
            try:
                reader, self._writer = await self._open_serial()
                await self._read(reader)
            except OSError as error:
                print("gateway: serial line:", repr(error))  # noqa: T201 - likewise
            self._close()
            await asyncio.sleep(REOPEN_S)

    def _close(self) -> None:
        if self._writer:
            self._writer.close()
            socket = getattr(self._writer, "s", None)
            if hasattr(socket, "close"):
                socket.close()  # MicroPython leaves this to `wait_closed`, which knows no UART
        self._writer = None

    def _send(self, data: bytes) -> None:
        """Write to the serial line; what a broken one does not take is sent again or has no meaning any more."""
        if self._writer:
            try:
                self._writer.write(data)
            except OSError as error:
                print("gateway: serial line:", repr(error))  # noqa: T201 - likewise

    async def _read(self, reader: object) -> None:
        while True:
            data = await reader.read(READ_BYTES)
            if not data:
                return
            self.device.hear(data)

    async def _tick(self) -> None:
        """Let everything that has its time happen."""
        while True:
            self.device.step()
            if getattr(self._writer, "out_buf", b""):
                await self._writer.drain()  # MicroPython holds back all behind what was not taken at once
            self._watch_broker()
            self._beat()
            await asyncio.sleep(STEP_S)

    def _links(self) -> dict:
        uplink = self.uplink
        return {"connects": uplink.connects, "drops": uplink.drops, "reason": uplink.reason}

    def _watch_broker(self) -> None:
        """Tell of a broker that was away for long, and of its return; both wait in flash until it is back."""
        now_ms = self.uptime()
        if self.uplink.connected:
            if self._away_ms < 0:
                self.device.unit.note({"code": "link_found", "data": {"link": "broker"}})
            self._away_ms = now_ms
        elif self._away_ms >= 0 and self.uplink.connects and now_ms - self._away_ms > MISSED_MS:
            self._away_ms = -1
            data = {"link": "broker", "reason": self.uplink.reason}
            self.device.unit.note({"code": "link_lost", "data": data})


def free_bytes() -> int:
    """Return how much of the heap is free, 0 where that cannot be told."""
    return gc.mem_free() if hasattr(gc, "mem_free") else 0
