"""The whole gateway with a UNO that was made up, to see how much heap it takes and that it keeps to it.

    micropython -X heapsize=... up_start.py IMAGE PORT PASSWORD RECORDS FOLDER
    python up_host.py PORT PASSWORD RECORDS FOLDER

It publishes RECORDS records as fast as they are acknowledged, and leaves when all is. It prints what it did and how
much heap was alive, as a line of JSON; CPython has none to tell.
"""

import asyncio
import gc
import json
import os
import sys
import time

from app import App
from frames import Lines, encode

PORT, PASSWORD, RECORDS, FOLDER = int(sys.argv[-4]), sys.argv[-3], int(sys.argv[-2]), sys.argv[-1]
HELLO = "1 4 230000 50000 4000 16000 12 1 0 100"
PDU = "%d 0 0 0 0 0 0 1 1 0 640 310 402 230120 50010 2 229800 49990 2"
OUTLET = " %d 7 - 0 %d 437900 %d"
SESSION = int.from_bytes(os.urandom(2), "big")
SWITCHED = "%d 9 %d 0 1 0"
SWITCH, RETURN = 1, 7
WINDOW = 8
SETTLED = 100  # records after which all that is made once has been made


def ticks_ms():
    return time.ticks_ms() if hasattr(time, "ticks_ms") else int(time.monotonic() * 1000)


def heap():
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


class Unit:
    """A UNO whose seconds pass as fast as what it has told is stored."""

    def __init__(self):
        self.app = None
        self.up_ms = self.seq = self.events = self.switched = 0
        self.on = [1] * 4
        self.energies = [90211345] * 4
        self.peak = 0
        self.least = [1 << 29, 1 << 29]  # of each half
        self._lines = Lines(64)
        self._out = []

    async def open(self):
        return self, self

    def close(self):
        pass

    def write(self, data):
        for kind, seq, _session, numbers in self._lines.take(data):
            if kind == "Q":
                self.say("H", HELLO)
                self.tell()
            elif kind == "C" and numbers[0] == RETURN:
                _, n, low, high = numbers
                self.energies[n - 1] = max(self.energies[n - 1], (high << 24 | low) - self.up_ms)
                self.say("R", "2 0", seq)
                self.tell()
            elif kind == "C" and numbers[0] == SWITCH:
                self.on[numbers[1] - 1] = numbers[2]
                self.switched += 1
                self.events += 1
                self.say("R", "1 0", seq)
                self.say("R", "2 0", seq)
                self.say("E", SWITCHED % (self.up_ms, numbers[1]), self.events)
                self.tell()

    async def read(self, size):
        del size
        while not self._out:
            await asyncio.sleep(0.002)
            telemetry, events = self.app.boxes.held
            if self.app.device.unit.hello and telemetry < WINDOW and self.up_ms < RECORDS * 1000:
                self.up_ms += 1000
                self.tell()
                self.note()
            elif telemetry + events == 0 and self.up_ms >= RECORDS * 1000 and self.switched:
                raise Done
        return self._out.pop(0)

    def note(self):
        done = self.up_ms // 1000
        if done % 25 == 0:
            alive = heap()
            self.peak = max(self.peak, alive)
            if done > SETTLED:
                half = done * 2 > RECORDS
                self.least[half] = min(self.least[half], alive)

    def tell(self):
        outlets = [OUTLET % (self.on[n], 1904 * self.on[n], self.energies[n] + self.up_ms) for n in range(4)]
        self.say("T", PDU % self.up_ms + "".join(outlets))

    def say(self, kind, numbers, seq=None):
        self.seq = (self.seq + 1) % 65536
        self._out.append(encode(kind, self.seq if seq is None else seq, SESSION, (numbers,)))


class Done(Exception):  # noqa: N818 - it is no error
    """All that was told is stored."""


async def broker():
    return await asyncio.open_connection("127.0.0.1", PORT)


async def run(unit):
    config = {"user": "pdu-1", "password": PASSWORD}
    unit.app = App(config, FOLDER, unit.open, broker, (ticks_ms, 1 << 30), lambda n: ticks_ms() % n)
    try:
        await unit.app.run()
    except Done:
        return


def main():
    unit = Unit()
    loaded = heap()
    asyncio.run(run(unit))
    boxes = unit.app.boxes
    done = {"records": unit.up_ms // 1000, "switchings": unit.switched}
    done["lost"], done["unwritten"] = boxes.lost, boxes.unwritten
    done["heap_loaded"], done["heap_peak"] = loaded, unit.peak
    done["heap_first_half"], done["heap_second_half"] = unit.least
    print(json.dumps(done))


main()
