"""The host build of the UNO's serial line and records, driven through ctypes as a gateway and a main loop would."""

import ctypes
import shutil
import tempfile
import tomllib
from pathlib import Path

from scripts import firmware
from tests.firmware.named import Frame, LineReader, encode

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec"
ACCEPTED, CONFIRMED, REJECTED = 1, 2, 3
EEPROM_BYTES = 4096
UNKNOWN = -(2**31)
READINGS = (
    *("active", "live", "isolator", "lockout", "cpu_permille", "late_us", "free_b"),
    *("v_mv", "f_mhz", "grade"),
    *("on", "cause", "trip", "lock", "i_ma", "p_mw"),
)
"""In the order of `Reading` in core/joined.hpp."""


def code(category: str, name: str) -> int:
    table = tomllib.loads((SPEC / "codes.toml").read_text(encoding="utf-8"))["code"]
    return next(row["number"] for row in table if (row["category"], row["name"]) == (category, name))


def result(name: str) -> str:
    return str(code("result", name))


def told(frame: Frame) -> dict[str, str]:
    """Return the numbers of an event by their keys in spec/serial.toml, with those that are words as words."""
    serial = tomllib.loads((SPEC / "serial.toml").read_text(encoding="utf-8"))
    keys = next(
        row["data"] for row in serial["event"] if code("event", row["name"]) == int(frame.fields["code"])
    )
    found = {}
    for key, value in zip(keys, frame.fields.get("data", "").split(","), strict=False):
        name, _, words = key.partition(":")
        found[name] = serial["words"][words][int(value)] if words in serial["words"] else value
    return found


def verb(number: int) -> str:
    table = tomllib.loads((SPEC / "serial.toml").read_text(encoding="utf-8"))["command"]
    return next(row["name"] for row in table if row["number"] == number)


class GivenCommand(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_uint8) for name in ("key", "verb", "outlet", "on", "emergency", "source")),
        ("off_ms", ctypes.c_uint32),
    ]


class KeptOutlet(ctypes.Structure):
    _fields_ = [
        ("wanted", ctypes.c_bool),
        ("locked", ctypes.c_bool),
        *((name, ctypes.c_uint8) for name in ("heat_stage", "cause", "trip")),
    ]

    def values(self) -> tuple[int, ...]:
        return tuple(getattr(self, name) for name, _ in self._fields_)


class Tally(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("commands", "emergencies", "applied", "thrown", "sent")]


def library(build: str = "host") -> ctypes.CDLL:
    """Return the host build; each call loads a PDU of its own.

    Raises:
        firmware.BuildError: there is no compiler, or it refused.
    """
    with tempfile.TemporaryDirectory() as folder:
        # The same file loaded twice is one PDU: a copy is another.
        own = shutil.copy(firmware.build(firmware.BUILDS[build]), folder)
        shim = ctypes.CDLL(str(own))
    shim.link_energy.restype = ctypes.c_uint64
    shim.link_eeprom.restype = ctypes.POINTER(ctypes.c_uint8)
    shim.link_eeprom_writes.restype = ctypes.POINTER(ctypes.c_uint32)
    shim.link_command.restype = ctypes.c_bool
    for name in ("link_session", "link_note", "link_thrown", "link_unknown", "link_starts"):
        getattr(shim, name).restype = ctypes.c_uint16
    for name in ("link_emergency", "link_outlets", "link_held", "link_settings_byte", "link_settings_bytes"):
        getattr(shim, name).restype = ctypes.c_uint8
    return shim


class Line:
    """A PDU at the other end of the line. It starts with a blank EEPROM, and time stands until `passes`."""

    def __init__(self, shim: ctypes.CDLL) -> None:
        self.shim = shim
        self.now_ms = 0
        self.seq = 0
        self.sent: list[Frame] = []
        self.raw = bytearray()
        shim.link_eeprom_blank()
        self.start()

    def start(self, noise: int = 1234, cause: int = 1) -> None:
        """Start the PDU anew, after a loss of supply or a reset; its EEPROM stays."""
        self.reader = LineReader()
        self.sent = []
        self.raw = bytearray()
        self.shim.link_start(self.now_ms, noise, cause)

    @property
    def session(self) -> int:
        return self.shim.link_session()

    def passes(self, count: int = 1, step_ms: int = 1) -> list[Frame]:
        """Return the frames that come in `count` passes."""
        before = len(self.sent)
        room = ctypes.create_string_buffer(4096)
        for _ in range(count):
            self.now_ms = (self.now_ms + step_ms) % 2**32
            self.shim.link_pass(self.now_ms)
            count = self.shim.link_sent(room, len(room))
            taken = room.raw[:count]
            self.raw += taken
            self.sent += self.reader.take(taken)
        return self.sent[before:]

    def feed(self, data: bytes) -> None:
        """Let bytes come in, to be read in the next pass."""
        self.shim.link_feed(data, len(data))

    def give(self, kind: str, fields: dict[str, object] | None = None, *, seq: int | None = None) -> int:
        """Send a frame with the right session, and return its number."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        self.feed(encode(kind, seq, self.session, fields))
        return seq

    def ask(self, kind: str, fields: dict[str, object], passes: int = 200) -> Frame | None:
        """Return what is answered to a frame, None if nothing is."""
        seq = self.give(kind, fields)
        return self.answer_in(self.passes(passes), seq)

    @staticmethod
    def answer_in(frames: list[Frame], seq: int) -> Frame | None:
        found = [frame for frame in frames if frame.type in "AR" and frame.seq == seq]
        return found[-1] if found else None

    def commands(self) -> list[GivenCommand]:
        """Return what is handed to the decision layer."""
        found = []
        command = GivenCommand()
        while self.shim.link_command(ctypes.byref(command)):
            found.append(command)
            command = GivenCommand()
        return found

    def reading(self, name: str, of: int, value: int) -> None:
        self.shim.link_reading(READINGS.index(name), of, ctypes.c_int32(value))

    def note(self, name: str, numbers: tuple[int, ...] = (), **where: int) -> int:
        """Let something happen, and return its number."""
        places = [where.get(key, 0) for key in ("outlet", "source", "cause", "because")]
        array = (ctypes.c_int32 * max(1, len(numbers)))(*numbers)
        return self.shim.link_note(code("event", name), *places, self.now_ms, array, len(numbers))

    def acknowledge_all(self) -> None:
        """Take every event that the PDU holds."""
        for _ in range(40):
            for frame in self.passes(40):
                if frame.type == "E":
                    self.give("A", seq=frame.seq)

    def settings(self) -> bytes:
        """Return the image of the settings that run."""
        return bytes(self.shim.link_settings_byte(at) for at in range(self.shim.link_settings_bytes()))

    def apply(self, version: int, **values: object) -> Frame | None:
        """Send a whole version of settings and return the last answer."""
        steps = [
            {"begin": 1},
            *({name.replace("__", "."): value} for name, value in values.items()),
            {"end": 1},
        ]
        answer = None
        for step in steps:
            answer = self.ask("S", {"version": version, **step}, passes=200)
            if answer is None or answer.type == "R":
                break
        return answer

    def kept(self, outlet: int) -> tuple[int, ...]:
        kept = KeptOutlet()
        self.shim.link_kept(outlet, ctypes.byref(kept))
        return kept.values()

    def keep(self, outlet: int, *values: int) -> None:
        self.shim.link_keep(outlet, ctypes.byref(KeptOutlet(*values)))

    def eeprom(self) -> bytes:
        return bytes(self.shim.link_eeprom()[0:EEPROM_BYTES])

    def set_eeprom(self, image: bytes) -> None:
        ctypes.memmove(self.shim.link_eeprom(), image, len(image))
