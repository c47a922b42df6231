"""The gateway: its heap over very many records, and what garbage from a broker does to it (figures F6 and F13)."""

import asyncio
import random
import tempfile
from pathlib import Path

from bench import figures
from bench.figures import Figure, Figures, number
from tests.firmware.nodemcu import up_process
from tests.firmware.nodemcu.modules import load

COUNT, PACKETS = 100_000, 1_000_000
TOPIC = b"loadcenter/v1/pdu-1/down/"
LEAVES = (b"ack", b"time", b"command", b"desired", b"", b"x/y", b"\xff\xfe")
BODIES = (b"", b"{}", b"[", b'{"v":1,"boot":1,"telemetry":0,"event":0}', b'{"v":1,"ts_ms":1}', b"\x00" * 40)
PER_STREAM = 20


def packet(chance: random.Random) -> bytes:
    """Return a packet that is right, wrong in its form, or nothing but bytes."""
    if chance.random() < 0.02:
        return chance.randbytes(chance.randrange(1, 60))
    topic = TOPIC + chance.choice(LEAVES)
    body = len(topic).to_bytes(2, "big") + topic + chance.choice(BODIES)
    kind = chance.choice((0x30, 0x31, 0x32, 0x34, 0x40, 0x90, 0xD0, chance.randrange(256)))
    size = len(body) if chance.random() < 0.98 else chance.randrange(200)
    head = bytes([kind]) + (bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7]))
    return head + body


async def listen(packets: int, seed: int) -> dict[str, int]:
    """Feed so many packets to the client, some to a connection; return what came of them."""
    chance = random.Random(seed)
    client_class, found = load("mqtt").Client, {"messages": 0, "connections": 0, "crashes": 0}

    def hear(_topic: bytes, _payload: bytes, _retained: bool) -> None:
        found["messages"] += 1

    for _ in range(packets // PER_STREAM):
        reader = asyncio.StreamReader()
        reader.feed_data(b"".join(packet(chance) for _ in range(PER_STREAM)))
        reader.feed_eof()
        client = client_class((reader, None), lambda: 0, asyncio.Event(), 15, 512)
        found["connections"] += 1
        try:
            await client.listen(hear)
        except Exception:  # noqa: BLE001 - each is what is counted
            found["crashes"] += 1
    return found


def heap_figure(records: int, folder: Path) -> Figure:
    """Measure the heap over so many records."""
    image = up_process.image(folder)
    report = up_process.run(folder, up_process.micropython(up_process.HEAP_KB, image), records)
    heap = up_process.heap(report, image)
    grown = heap["heap_second_half"] - heap["heap_first_half"]
    return Figure(
        heap["heap_peak"] / 1024,
        "KB",
        f"<= {up_process.HEAP_KB}",
        peer={"loaded_kb": round(heap["heap_loaded"] / 1024, 1), "grown_b": grown, "records": records},
        note="alive at most, words of 64 bits, bytecode in flash; grown_b: second half of the run against the first",
    )


def main() -> Figures:
    """Measure. COUNT, PACKETS and SEED of the environment say how many, and which."""
    records, packets = int(number("COUNT", COUNT)), int(number("PACKETS", PACKETS))
    found = asyncio.run(listen(packets, int(number("SEED", 1))))
    with tempfile.TemporaryDirectory() as folder:
        heap = heap_figure(records, Path(folder))
    return {
        "F6_gateway_heap_kb": heap,
        "F13_gateway_packets": Figure(packets, "packets", ">= 1,000,000", peer=found),
        "F13_gateway_crashes": Figure(found["crashes"], "crashes", "0"),
    }


if __name__ == "__main__":
    figures.run("gateway", main)
