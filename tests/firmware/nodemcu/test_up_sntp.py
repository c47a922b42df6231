"""The time of day by SNTP, and the uptime over the roll-over of the ticks."""

import asyncio
import struct
import threading
from socket import AF_INET, SOCK_DGRAM, socket

import pytest
from tests.firmware.nodemcu.modules import load
from tests.firmware.nodemcu.up_rig import play, uptime

sntp, clock_module = load("sntp"), load("clock")
NOW_S = 1_800_000_000
SINCE_1900_S = 2_208_988_800


def answer(seconds: float = NOW_S, mode: int = 4, stratum: int = 2) -> bytes:
    whole = int(seconds)
    fraction = int((seconds - whole) * 2**32)
    return (
        bytes([0x20 | mode, stratum])
        + bytes(38)
        + struct.pack(">II", (whole + SINCE_1900_S) % 2**32, fraction)
    )


def test_reads_the_time_also_after_2036():
    """RFC 5905: the counter of seconds rolls over."""
    assert sntp.read(answer(NOW_S + 0.5)) == NOW_S * 1000 + 500
    assert sntp.read(answer(2_500_000_000)) == 2_500_000_000_000


@pytest.mark.parametrize(
    "wrong",
    [None, b"", answer()[:47], answer(mode=3), answer(stratum=0), answer(stratum=16), answer(0), bytes(48)],
)
def test_believes_no_answer_without_a_time(wrong):
    assert sntp.read(wrong) is None


def test_asks_until_the_clock_is_set_and_never_sets_it_again():
    """MQTT-55: what the control center tells holds."""
    answers = [OSError("no network"), None, b"?", answer(), answer(NOW_S + 999)]

    async def exchange(request: bytes) -> bytes | None:
        assert request[0] & 7 == 3
        one = answers.pop(0)
        if isinstance(one, OSError):
            raise one
        return one

    async def course():
        clock = clock_module.Clock(uptime)
        asker = sntp.Sntp(clock, exchange)
        task = asyncio.ensure_future(asker.run())
        await asyncio.sleep(1000)
        assert asker.asked == 4
        assert clock.at(192_000) == NOW_S * 1000
        task.cancel()

    play(course)


def test_asks_a_server_over_udp():
    with socket(AF_INET, SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)

        def serve() -> None:
            _, client = server.recvfrom(48)
            server.sendto(answer(), client)

        thread = threading.Thread(target=serve)
        thread.start()
        found = asyncio.run(sntp.udp("127.0.0.1", server.getsockname()[1])(sntp.REQUEST))
        thread.join()
    assert sntp.read(found) == NOW_S * 1000


def test_uptime_goes_on_over_the_roll_over_of_the_ticks():
    """MQTT-4: 2**30 ms are 12 days."""
    ticks = [2**30 - 500]
    up = clock_module.Uptime(lambda: ticks[0])
    ticks[0] = 200
    assert up() == 700
    for _ in range(5):
        ticks[0] = (ticks[0] + 2**29) % 2**30
        up()
    assert up() == 700 + 5 * 2**29


def test_the_time_of_day_leaves_the_uptime_alone():
    """MQTT-55."""
    now = [5000]
    clock = clock_module.Clock(lambda: now[0])
    assert clock.at(5000) is None
    clock.set(1_000_000)
    now[0] += 1000
    assert clock.uptime() == 6000
    assert clock.at(6000) == 1_001_000
