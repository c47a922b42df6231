"""Many messages as fast as a broker takes them, from one connection in a process of its own.

The packets are made before the first is sent, so that the generator costs the machine little while it is measured.
"""

import multiprocessing
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from bench import packets, payloads

CHUNK = 256


@dataclass(frozen=True, slots=True)
class BurstSpec:
    """What is sent: `messages` records of `pdus` devices in turn, as `boot`, one second apart from `start_ms` on.

    Attributes:
        rate: messages a second; 0 sends as fast as the broker takes them.
    """

    port: int
    username: str
    password: str
    messages: int
    pdus: int
    outlets: int
    boot: int
    start_ms: int
    rate: float = 0.0
    root: str = payloads.ROOT

    def packet(self, number: int) -> bytes:
        """Return the PUBLISH of a message, from 0."""
        index, seq = number % self.pdus, number // self.pdus + 1
        payload = payloads.telemetry(
            index, seq, self.outlets, self.start_ms + seq * 1000, boot=self.boot, up_ms=seq * 1000
        )
        topic = f"{self.root}/{payloads.pdu_id(index)}/up/telemetry"
        return packets.publish(topic, payload, number % packets.PACKET_IDS + 1)


class Burst:
    """A context manager that returns when every packet is made and the connection stands; then `send`."""

    def __init__(self, spec: BurstSpec) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(spec, theirs), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._pipe.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def send(self) -> float:
        """Begin to send and return when that was (monotonic seconds)."""
        self._pipe.send("send")
        return float(self._pipe.recv())

    def acknowledged(self) -> float:
        """Wait for the PUBACK of the last message and return how long all of them took, in seconds."""
        return float(self._pipe.recv())


def _work(spec: BurstSpec, pipe: Connection) -> None:
    made = [spec.packet(number) for number in range(spec.messages)]
    chunks = [b"".join(made[at : at + CHUNK]) for at in range(0, len(made), CHUNK)]
    with socket.create_connection(("127.0.0.1", spec.port), 30) as link:
        link.settimeout(None)
        link.sendall(packets.connect(f"burst-{spec.boot}", spec.username, spec.password, keep_alive_s=0))
        pubacks = threading.Thread(target=_count, args=(link, spec.messages), daemon=True)
        if link.recv(4)[3:] != b"\0":
            raise ConnectionRefusedError("the broker refuses the load generator")
        pubacks.start()
        pipe.send("ready")
        if pipe.poll(None) and not _ordered(pipe):
            return
        began = time.monotonic()
        pipe.send(began)
        _send(link.sendall, chunks, spec.rate)
        pubacks.join()
        pipe.send(time.monotonic() - began)


def _ordered(pipe: Connection) -> bool:
    try:
        return pipe.recv() == "send"
    except EOFError:
        return False


def _send(sendall: Callable[[bytes], None], chunks: list[bytes], rate: float) -> None:
    began = time.monotonic()
    for number, chunk in enumerate(chunks):
        if rate:
            time.sleep(max(0.0, began + number * CHUNK / rate - time.monotonic()))
        sendall(chunk)


def _count(link: socket.socket, wanted: int) -> None:
    reader, count = packets.Reader(), 0
    while count < wanted and (data := link.recv(65_536)):
        count += sum(packet.kind == packets.PUBACK for packet in reader.feed(data))
