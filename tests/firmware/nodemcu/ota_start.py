"""The program in the images of test_board_over_the_air.py: the gateway, with a PDU that is made up."""

import asyncio
import random
import sys
import time
from binascii import unhexlify

import update
from boxes import Boxes
from clock import Clock, Uptime
from uplink import Uplink

SOURCES = {"main": "good", "backup": "good"}


class Device:
    """A PDU of which nothing changes."""

    def __init__(self):
        self.changed = asyncio.Event()
        self.state_version = 1

    def birth(self):
        return {
            "min_v": 1,
            "max_v": 1,
            "model": "LC-1",
            "fw": "1",
            "outlets": 1,
            "period_ms": 1000,
            "nominal": {"v_mv": 230000, "f_mhz": 50000},
            "ratings": {"outlet_ma": 4000, "total_ma": 4000},
        }

    def state(self):
        outlet = {"n": 1, "on": True, "cause": "restore"}
        return {
            "active": "main",
            "live": True,
            "isolator": "closed",
            "src": SOURCES,
            "settings": 0,
            "n": 0,
            "out": [outlet],
        }

    def results(self):
        return None

    def command(self, payload, retained):
        pass

    def desired(self, payload):
        pass


async def work(slots, home, port, password, key):
    uptime = Uptime(time.ticks_ms)
    changing = update.Update(slots, "pdu-1", unhexlify(key), uptime, sys.exit)
    clock = Clock(uptime)
    boxes = Boxes(home + "/records", clock, random.randrange)
    config = {"user": "pdu-1", "password": password}

    async def connect():
        return await asyncio.open_connection("127.0.0.1", port)

    running = asyncio.create_task(
        Uplink(config, connect, boxes, Device(), clock, random.randrange, changing).run()
    )
    while not running.done():
        changing.watch()
        await asyncio.sleep(0.05)
    await running


def main(*given):
    asyncio.run(work(*given))
