"""What the control center sees as one device: the UNO with its gateway. `Uplink` speaks for it.

It runs under MicroPython and CPython. Nothing here waits.
"""

import asyncio

import translate
import unit
import words
from acting import Act
from orders import Orders
from unit import Unit

CONTRACT_MIN = CONTRACT_MAX = 1
SOURCE_SETTING = "preferred"
LIMIT_SETTING = "limit_ma"
BY_EVENT = {"switched": "by", "trip_reset": "by", "locked": "lock_by"}


class Device:
    """The UNO as MQTT knows it, and the commands and settings that are on their way to it.

    Args:
        boxes: `Boxes`.
        meters: `Meters`.
        uptime: returns the milliseconds of this boot.
        version: of the gateway's firmware.
        memory: returns (free heap in bytes, radio signal in dBm), each 0 where it is not known.

    Attributes:
        changed: asyncio.Event, set when a state or an answer waits.
        state_version: rises with each change of what `state` returns.
        send: function (bytes) that writes to the serial line; set by whoever opens it.
        links: function that returns what is known of the way to the broker, for the birth; likewise.
    """

    def __init__(self, boxes: object, meters: object, uptime: object, version: str, memory: object) -> None:
        self.changed = asyncio.Event()
        self.state_version = 0
        self.send = None
        self.links = dict
        self.boxes = boxes
        self.orders = Orders(boxes.boot, self._refused, self.changed.set)
        self.unit = Unit(boxes, meters, self.touch, self.orders.release, self._told_by, memory)
        self._uptime = uptime
        self._version = version

    def touch(self) -> None:
        """Let the state be told anew."""
        self.state_version += 1
        self.changed.set()

    # -- the serial line

    def hear(self, data: bytes) -> None:
        """Take bytes of the UNO."""
        self.unit.take(data, self._uptime())
        self.step()

    def step(self) -> None:
        """Send what is due on the serial line; to be called every 50 ms or so."""
        out = self.unit.step(self._uptime())
        if out and self.send:
            self.send(out)

    # -- what the control center is told

    def birth(self) -> dict | None:
        """Return the fields of `up/birth`, None before the UNO has told what it is and how it stands."""
        hello = self.unit.hello
        if hello is None or (self.unit.speaks and self.unit.readings.numbers is None):
            return None
        fields = {"min_v": CONTRACT_MIN, "max_v": CONTRACT_MAX, "period_ms": 1000, "gateway": self._version}
        if not self.unit.speaks:  # SER-11: what else it says may mean something else
            fields["serial_v"] = hello[unit.VERSION]
        # Beyond the contract (MQTT-2): what a person asks for when a line is bad.
        fields["line"] = {
            "thrown": self.unit.lines.thrown,
            "odd": self.unit.odd,
            "restarts": self.unit.restarts,
            "unanswered": self.orders.dropped + self.unit.acting.full,
        }
        fields["link"] = self.links()
        fields["model"] = "LC-%d" % hello[unit.OUTLETS]
        fields["fw"] = translate.firmware(hello[unit.FW])
        fields["outlets"] = hello[unit.OUTLETS]
        fields["nominal"] = {"v_mv": hello[unit.NOMINAL_MV], "f_mhz": hello[unit.NOMINAL_MHZ]}
        fields["ratings"] = {"outlet_ma": hello[unit.OUTLET_MA], "total_ma": hello[unit.TOTAL_MA]}
        return fields

    def state(self) -> dict | None:
        """Return the fields of `up/state`, None while nothing is known of it."""
        readings = self.unit.readings
        if readings.numbers is None:
            return None
        self.orders.rise(self.boxes.boot)
        fields = translate.state(readings.numbers, readings.outlets, self.orders.by)
        fields["n"] = self.orders.n
        if self.unit.silent:
            fields["q"] = "stale"  # as telemetry says of each value
        settings, in_force = self.unit.settings, self.unit.in_force
        preferred = settings.value(SOURCE_SETTING, 0, in_force)
        if preferred is not None:
            fields["preferred"] = words.word(words.WORDS_SOURCE, preferred)
        for outlet in fields["out"]:
            limit = settings.value(LIMIT_SETTING, outlet["n"], in_force)
            if limit is not None:
                outlet["limit_ma"] = limit
        return fields

    def results(self) -> dict | None:
        """Return the next answer to a command."""
        return self.orders.next_answer()

    # -- what the control center wants

    def command(self, payload: bytes, retained: bool) -> None:
        """Take `down/command`."""
        self.orders.rise(self.boxes.boot)
        before = self.orders.n
        order = self.orders.take(payload, self._uptime(), retained=retained)
        if self.orders.n != before:
            self.touch()
        if order is None:
            return
        if not self.unit.speaks:
            order.answer("rejected", "not_supported")
        elif not self.unit.acting.add(Act("C", order.numbers, order.answer, order.exp_up_ms)):
            order.answer("expired", "expired")  # too many wait: it would be late
        self.step()

    def desired(self, payload: bytes) -> None:
        """Take `down/desired`."""
        if not self.unit.speaks or self.unit.readings.numbers is None:
            return
        in_force, outlets = self.unit.in_force, self.unit.readings.outlets
        refused = self.unit.settings.desire(payload, in_force, outlets)
        if refused:
            self.unit.note({"code": "settings_refused", "data": refused})
        self.touch()
        self.step()

    def _refused(self, data: dict) -> None:
        self.unit.note({"code": "command_refused", "data": data})

    def _told_by(self, fields: dict) -> None:
        """Add to an event of an outlet who asked for it, where a person did."""
        name = BY_EVENT.get(fields.get("code", ""))
        if name is None or (name == "by" and fields.get("cause") not in translate.PERSON):
            return
        by = getattr(self.orders, name).get(fields.get("out"))
        if by:
            fields.setdefault("data", {})["by"] = by
