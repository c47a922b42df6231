"""A gateway with four made-up outlets, to see whether the contract fits into the memory of an ESP8266.

    micropython -X heapsize=38k heap_spike.py PORT PASSWORD RECORDS

Publishes RECORDS records through an outbox of 16, carries out one command, and leaves when all is acknowledged.
Prints what it did, and the most heap that was alive, as a line of JSON. CPython runs it too (heap 0).
"""

# ruff: noqa: UP031
import asyncio
import gc
import json
import sys
import time

from clock import Uptime
from mqtt import Client
from orders import Orders
from outbox import Outbox

NAME, BOOT, OUTBOX = "pdu-1", 1, 16
UP = "loadcenter/v1/pdu-1/up/"
LINE = b"1904 437900 90211345"  # of one outlet, as the UNO would say it
OUTLET = '{"n":%d,"on":%s,"i_ma":%s,"p_mw":%s,"e_mwh":%s}'
TELEMETRY = (
    '"active":"main","live":true,"src":{"main":{"v_mv":230120,"f_mhz":50010},'
    '"backup":{"v_mv":229800,"f_mhz":49990}},"out":[%s]'
)
BIRTH = (
    '"min_v":1,"max_v":1,"model":"spike","fw":"0","outlets":4,"period_ms":1000,'
    '"nominal":{"v_mv":230000,"f_mhz":50000},"ratings":{"outlet_ma":4000,"total_ma":16000}'
)
STATE = '"active":"main","live":true,"isolator":"closed","src":{"main":"good","backup":"good"},"settings":0,"n":%d,"out":[%s]'


def ticks_ms():
    return time.ticks_ms() if hasattr(time, "ticks_ms") else int(time.monotonic() * 1000)


def heap():
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


def telemetry_fields(line):
    outlets = []
    for n, one in enumerate(line.split(b";")):
        on = "true" if one[:1] == b"1" else "false"
        outlets.append(OUTLET % ((n + 1, on) + tuple(one[2:].decode().split())))  # noqa: RUF005 - as MicroPython reads
    return TELEMETRY % ",".join(outlets)


class Gateway:
    def __init__(self, port, password, records):
        self.records = records
        self.up_ms = Uptime(ticks_ms)
        self.telemetry = Outbox(BOOT, OUTBOX, telemetry_fields)
        self.events = Outbox(BOOT, OUTBOX, str)
        self.orders = Orders(BOOT)
        self.on = [True] * 4
        self.switchings = self.peak = self.idle = 0
        self.ack = self.command = None
        will = (UP + "status", '{"v":1,"status":"offline"}')
        self.client = Client(("127.0.0.1", port), (NAME, password), will, self.hear, self.up_ms)

    def hear(self, leaf, payload, retained):
        if leaf == "ack":
            self.ack = json.loads(payload)  # a later one says all that an earlier one did
        elif leaf == "command":
            self.command = (json.loads(payload), retained)

    async def say(self, leaf, fields, retain=False):
        payload = '{"v":1,"boot":%d,"up_ms":%d,%s}' % (BOOT, self.up_ms(), fields)
        await self.client.publish(UP + leaf, payload.encode(), retain=retain)

    async def say_state(self):
        words = ('"on":true,"cause":"restore"', '"on":false,"cause":"person_off"')
        outlets = ",".join(['{"n":%d,%s}' % (n + 1, words[not on]) for n, on in enumerate(self.on)])
        await self.say("state", STATE % (self.orders.n, outlets), retain=True)

    async def record(self, leaf, outbox, record):
        # What is kept for long finds the lowest hole only after a collection: without one the heap crumbles.
        gc.collect()
        self.peak = max(self.peak, heap())
        await self.client.publish(UP + leaf, outbox.payload(outbox.add(self.up_ms(), record)))

    async def obey(self, order, retained):
        code = self.orders.judge(order, self.up_ms(), retained=retained)
        if code == "ok":
            self.on[order["out"] - 1] = order["on"]
            self.switchings += 1
            await self.record(
                "event", self.events, '"code":"switched","out":%d,"cause":"person_off"' % order["out"]
            )
            await self.say_state()
        status = {"ok": "confirmed", "expired": "expired"}.get(code, "rejected")
        await self.say(
            "result", '"id":"%s","n":%d,"status":"%s","code":"%s"' % (order["id"], order["n"], status, code)
        )

    async def send_held(self):
        for leaf, outbox in (("event", self.events), ("telemetry", self.telemetry)):
            for record in outbox.held():
                await self.client.publish(UP + leaf, outbox.payload(record))

    async def step(self):
        if self.ack:
            self.telemetry.ack(self.ack["telemetry"], self.up_ms())
            self.events.ack(self.ack["event"], self.up_ms())
            self.ack = None
        elif self.command:
            await self.obey(*self.command)
            self.command = None
        elif self.telemetry.seq < self.records and len(self.telemetry) < OUTBOX:
            await self.record(
                "telemetry", self.telemetry, b";".join([(b"1 " if on else b"0 ") + LINE for on in self.on])
            )
        elif self.idle < 10:
            self.idle += 1
            await self.client.poll(0.1)
        else:
            self.idle = 0
            await self.send_held()

    async def run(self):
        await self.client.connect()
        await self.client.subscribe("loadcenter/v1/pdu-1/down/#")
        await self.say("birth", BIRTH, retain=True)
        await self.say_state()
        await self.client.publish(UP + "status", b'{"v":1,"status":"online"}', retain=True)
        await self.record("event", self.events, '"code":"boot","data":{"closes":null}')
        while self.telemetry.seq < self.records or self.telemetry or self.events or not self.switchings:
            await self.step()
        self.client.close()


def main():
    gc.collect()
    gateway = Gateway(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    asyncio.run(gateway.run())
    done = {
        "records": gateway.telemetry.seq,
        "switchings": gateway.switchings,
        "lost": gateway.telemetry.lost,
    }
    print(json.dumps(dict(done, heap_peak=gateway.peak)))


main()
