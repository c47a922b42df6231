"""The whole chain on real parts: firmware in its emulator, gateway in MicroPython, Mosquitto with TLS, server, MariaDB.

What goes over the serial line is heard by a ledger, which knows nothing of gateway, broker or server: the reference for
what must be in the database, and for what may have moved a relay.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer, make_certificate
from tests.databases import MariaDbServer
from tests.firmware.named import VERBS, Frame, LineReader
from tests.system.centers import ServedCenter, wait_for
from tests.system.wires import Network, SerialWire

from loadcenter.protocol import frames as raw

PDU = "chain"
SECRET = "secret-of-the-chain"
HEAP = "192k"
NODEMCU = Path(__file__).resolve().parents[2] / "firmware" / "nodemcu"
BOUND_S = 60.0


class Unit:
    """`loadcenter sim firmware` in a process of its own; what it prints is kept."""

    def __init__(self, folder: Path, elf: Path | None = None) -> None:
        program = ["--elf", str(elf)] if elf else []
        keep = ["--eeprom", str(folder / "eeprom")]
        command = [sys.executable, "-m", "loadcenter", "sim", "firmware", "--tcp", "0", *program, *keep]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, name="unit")

    def __enter__(self) -> Self:
        self._reader.start()
        self.see(r"serial line at")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)
        self._reader.join(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    @property
    def port(self) -> int:
        return int(self.see(r"serial line at [\d.]+:(\d+)")[1])

    @property
    def printed(self) -> list[str]:
        return self._lines[:]

    def type(self, order: str) -> None:
        """Give an order as a person at the keyboard does: `main off`, `load 1 600`, `reset`."""
        assert self._process.stdin
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()

    def see(self, pattern: str, after: int = 0) -> re.Match[str]:
        """Return the first match in what was printed from line `after` on, waited for."""

        def found() -> re.Match[str] | None:
            assert self._process.poll() is None or self._lines, "the emulator did not start"
            return re.search(pattern, "\n".join(self._lines[after:]))

        match: re.Match[str] = wait_for(found, bound_s=BOUND_S)
        return match

    def outlet_pins(self) -> list[str]:
        """Return each move of an outlet's relay pin, oldest first: `outlet_2 off`."""
        return re.findall(r"pin  (outlet_\d+ (?:on|off))", "\n".join(self._lines))

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.append(line.rstrip("\n"))


@dataclass(frozen=True)
class Acted:
    """An order that has reached the unit, and when."""

    ts_ms: int
    frame: raw.Frame


@dataclass
class Ledger:
    """What went over the serial line.

    Attributes:
        events: each event that the unit has told, by session and number.
        taken: those of them whose acknowledgement has reached the unit: it has forgotten them.
        acting: each order of a relay that has reached the unit, as it came first; a re-sent one is the same.
        sessions: those that the unit has drawn, oldest first.
        telemetry: the newest readings.
    """

    events: dict[tuple[int, int], Frame] = field(default_factory=dict)
    taken: set[tuple[int, int]] = field(default_factory=set)
    acting: dict[tuple[str, int, int], Acted] = field(default_factory=dict)
    sessions: list[int] = field(default_factory=list)
    telemetry: Frame | None = None
    _from_unit: LineReader = field(default_factory=LineReader)
    _to_unit: raw.LineReader = field(default_factory=lambda: raw.LineReader(raw.UNO_LINE_MAX))

    def hear(self, data: bytes) -> None:
        """Take what the unit has sent."""
        for frame in self._from_unit.take(data):
            if not self.sessions or self.sessions[-1] != frame.session:
                self.sessions.append(frame.session)
            if frame.type == "E":
                self.events.setdefault((frame.session, frame.seq), frame)
            elif frame.type == "T":
                self.telemetry = frame

    def tell(self, data: bytes) -> None:
        """Take what has reached the unit."""
        for frame in self._to_unit.take(data):
            if frame.type == "A" and (frame.session, frame.seq) in self.events:
                self.taken.add((frame.session, frame.seq))
            elif frame.type in "CX" and frame.numbers[:1] != (VERBS["energy"],):
                key = (frame.type, frame.session, frame.seq)
                self.acting.setdefault(key, Acted(int(time.time() * 1000), frame))


class Gateway:
    """The gateway's program in MicroPython with a bounded heap, killed and started again on the same flash."""

    def __init__(self, folder: Path, serial: int, broker: int, ca: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._command = [
            str(Path(sys.executable).with_name("micropython")),
            *("-X", f"heapsize={HEAP}", str(NODEMCU / "host.py")),
            *("--serial", f"tcp:127.0.0.1:{serial}"),
            *("--broker", f"mqtts://{PDU}:{SECRET}@localhost:{broker}"),
            *("--ca", str(ca), "--folder", str(folder)),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        env = {**os.environ, "MICROPYPATH": f"{NODEMCU}:.frozen"}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=env)

    def kill(self) -> None:
        """End it with kill -9, as a loss of its supply does."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


@dataclass
class Chain:
    """All parts, from the relay pins to the database."""

    unit: Unit
    wire: SerialWire
    ledger: Ledger
    gateway: Gateway
    network: Network
    broker: MosquittoServer
    center: ServedCenter
    database: MariaDbServer
    name: str

    def pdu(self) -> dict[str, Any]:
        """Return the PDU as the API shows it."""
        return dict(self.center.get(f"/pdus/{PDU}"))

    def sql(self, text: str) -> list[list[str]]:
        return [line.split("\t") for line in self.database.run_sql(text, self.name).splitlines()]

    def until(self, condition: Callable[[], Any], bound_s: float = BOUND_S) -> Any:
        """Return the first true value of a condition; fail with what gateway and server have said."""
        try:
            return wait_for(condition, self.center, bound_s)
        except AssertionError as error:
            unit = "\n".join(self.unit.printed[-15:])
            raise AssertionError(f"{error}\ngateway:\n{self.gateway.log[-3000:]}\nunit:\n{unit}") from None

    def ready(self) -> bool:
        """Return whether the PDU is shown live, with all four outlets known."""
        pdu = self.pdu()
        return pdu["quality"] == "good" and all(one["on"] is not None for one in pdu["outlets"])

    def settled(self) -> bool:
        """Return whether each event that the unit was relieved of is stored, and all is folded."""
        return not self.missing() and self.sql("SELECT COUNT(*) FROM unfolded") == [["0"]]

    def stored_events(self) -> Counter[tuple[int, int]]:
        """Return how often each event of the unit is in the database, by session and number."""
        rows = self.sql("SELECT data FROM event WHERE boot > 0")
        told = (json.loads(data) for (data,) in rows if data.startswith("{"))
        return Counter((one["unit_session"], one["unit_seq"]) for one in told if "unit_seq" in one)

    def missing(self) -> set[tuple[int, int]]:
        """Return the events that the gateway has taken over from the unit, and the database has not."""
        return self.ledger.taken - set(self.stored_events())

    def doubled(self) -> list[tuple[int, int]]:
        return [key for key, count in self.stored_events().items() if count > 1]


@contextmanager
def chain(folder: Path, database: MariaDbServer, elf: Path | None = None) -> Iterator[Chain]:
    """Yield the chain, when the page shows the PDU live."""
    certificate = make_certificate(folder, "localhost")
    ledger = Ledger()
    with ExitStack() as stack:
        broker = stack.enter_context(MosquittoServer(folder / "mosquitto", {PDU: SECRET}, certificate))
        url = database.new_database()
        config = {
            "database": url,
            "broker": f"mqtts://{CENTER}:{CENTER_PASSWORD}@localhost:{broker.port}",
            "broker_ca": str(certificate[0]),
        }
        center = stack.enter_context(ServedCenter(folder / "center", config))
        center.add_device(PDU)
        unit = stack.enter_context(Unit(folder, elf))
        wire = stack.enter_context(SerialWire(unit.port, ledger.hear, ledger.tell))
        network = stack.enter_context(Network(broker.port))
        gateway = stack.enter_context(Gateway(folder / "gateway", wire.port, network.port, certificate[0]))
        made = Chain(unit, wire, ledger, gateway, network, broker, center, database, url.rsplit("/", 1)[1])
        made.until(made.ready)
        yield made
