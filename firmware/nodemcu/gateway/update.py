"""Takes an update of the gateway's own program that the control center offers (MQTT-70 to MQTT-77).

Pure but for the flash that `slots` writes; runs under MicroPython and CPython. Nobody but who knows the update key
of this device gets a byte into its flash: the signature is checked before the first piece is asked for.
"""

import hashlib
import json
from binascii import a2b_base64

PIECE = 512
SIZE_MAX = 1 << 20
TRIAL_MS = 300_000  # in which a new version reaches the broker, or is started again (MQTT-75)
ASK_MS = 5_000
ASKS = 12  # without an answer, before it waits for the next offer
FAREWELL_MS = 10_000  # longest wait for the broker to take `restarting`
BLOCK = 64  # of SHA-256, in bytes
HEX = "0123456789abcdef"
NAME = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.+-"
NAME_MAX = 32


class Update:
    """One update at a time.

    The uplink calls `take` for each `down/update`, `online` when the broker has taken the birth, publishes what `due`
    returns on `up/updating` (with the envelope `v boot up_ms`) and calls `said` when the broker has taken that.

    Args:
        slots: the two images (board/slots.py).
        pdu_id: name of this device.
        key: update key of this device, 32 bytes.
        up_ms: function that returns the uptime in ms.
        restart: called without arguments to start the board again.
    """

    def __init__(self, slots: object, pdu_id: str, key: bytes, up_ms: object, restart: object) -> None:
        self._slots = slots
        self._pdu_id = pdu_id
        self._key = key
        self._up_ms = up_ms
        self._restart = restart
        self._trial = (
            slots.on_trial
        )  # of what runs here; an update that is complete begins one for the next start
        self._offer = None
        self._at = 0
        self._asks = 0
        self._asked_ms = None
        self._pending = []
        self._waiting = None
        self._leave_ms = None
        self._deadline_ms = up_ms() + TRIAL_MS

    def take(self, payload: bytes, retained: bool) -> None:
        """Take one message; one with the retain flag, or which is no update, changes nothing."""
        if retained or self._leave_ms is not None:
            return
        message = _read(payload)
        if message.get("do") == "piece":
            self._take_piece(message)
        elif message.get("do") == "offer" and self._trial:
            self._waiting = message  # the spare image is the way back until this one is confirmed
        elif message.get("do") == "offer":
            self._take_offer(message)

    def online(self) -> None:
        """Note that the broker has taken our birth: a version on trial stays, and how an update ended is said."""
        if self._trial:
            self._trial = False
            self._slots.confirm()
            if self._waiting:
                self._take_offer(self._waiting)
                self._waiting = None
        if self._slots.outcome and not self._slots.outcome[2]:
            self._tell_outcome()

    def due(self) -> dict | None:
        """Return what is to be said now, without the envelope; None if nothing is."""
        if self._pending:
            return self._pending[0]
        now_ms = self._up_ms()
        if self._offer is None or (self._asked_ms is not None and now_ms - self._asked_ms < ASK_MS):
            return None
        if self._asks == ASKS:
            self._offer = None
            return None
        self._asks += 1
        self._asked_ms = now_ms
        return {"n": self._offer["n"], "status": "wants", "at": self._at}

    def said(self, fields: dict) -> None:
        """Note that the broker has taken what `due` returned."""
        if fields["status"] == "wants":
            return
        if self._pending and self._pending[0] is fields:
            self._pending.pop(0)
        if fields["status"] in ("confirmed", "rolled_back"):
            self._slots.told()
        elif fields["status"] == "restarting":
            self._restart()

    def watch(self) -> None:
        """Start the board again where that is due; call it about once a second."""
        now_ms = self._up_ms()
        late = self._trial and now_ms > self._deadline_ms
        if late or (self._leave_ms is not None and now_ms > self._leave_ms):
            self._restart()

    def _take_offer(self, offer: dict) -> None:
        n = offer.get("n")
        code = self._judge(offer)
        outcome = self._slots.outcome
        if code == "repeated" and outcome and n == outcome[0]:
            self._tell_outcome()
        elif code != "ok":
            self._tell({"n": n if _is_number(n, 1 << 53) else 0, "status": "refused", "code": code})
        else:
            self._offer = {key: offer[key] for key in ("n", "version", "size", "sha256")}
            self._at = self._slots.begin(self._offer)
            self._ask()
            self._end_if_complete()

    def _judge(self, offer: dict) -> str:
        """Return `ok`, or why the offer is refused (MQTT-72)."""
        if not _is_offer(offer):
            return "malformed"
        lines = (
            "loadcenter update 1",
            self._pdu_id,
            offer["n"],
            offer["version"],
            offer["size"],
            offer["sha256"],
        )
        text = "".join(["%s\n" % line for line in lines])
        if not _equal(_hex(hmac_sha256(self._key, text.encode())), offer["mac"]):
            return "bad_signature"
        if offer["n"] <= self._slots.last_n:
            return "repeated"
        return "ok" if offer["size"] <= self._slots.room() else "too_large"

    def _take_piece(self, piece: dict) -> None:
        offer = self._offer
        if offer is None or piece.get("n") != offer["n"] or piece.get("at") != self._at:
            return
        try:
            data = a2b_base64(piece.get("data"))
        except (TypeError, ValueError):
            return  # asked for again
        if len(data) != min(PIECE, offer["size"] - self._at):
            return
        self._slots.write(self._at, data)
        self._at += len(data)
        self._ask()
        self._end_if_complete()

    def _end_if_complete(self) -> None:
        offer = self._offer
        if self._at < offer["size"]:
            return
        self._offer = None
        if self._slots.complete():
            self._leave_ms = self._up_ms() + FAREWELL_MS
            self._tell({"n": offer["n"], "status": "restarting"})
        else:
            self._tell({"n": offer["n"], "status": "refused", "code": "bad_digest"})

    def _ask(self) -> None:
        self._asks = 0
        self._asked_ms = None

    def _tell_outcome(self) -> None:
        n, status, _ = self._slots.outcome
        self._tell({"n": n, "status": status, "version": self._slots.version})

    def _tell(self, fields: dict) -> None:
        self._pending = [fields]  # what was not said before is of no use any more


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """Return HMAC-SHA256 (RFC 2104) under a key of at most 64 bytes; MicroPython has none of its own."""
    key = key + bytes(BLOCK - len(key))
    inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in key]))
    inner.update(message)
    outer = hashlib.sha256(bytes([byte ^ 0x5C for byte in key]))
    outer.update(inner.digest())
    return outer.digest()


def _hex(data: bytes) -> str:
    return "".join(["%02x" % byte for byte in data])


def _equal(one: str, other: str) -> bool:
    """Return whether two texts of equal length are equal, in a time that does not tell where they differ."""
    differs = 0
    for a, b in zip(one, other):
        differs |= ord(a) ^ ord(b)
    return differs == 0


def _read(payload: bytes) -> dict:
    try:
        message = json.loads(payload)
    except ValueError:
        return {}
    return message if isinstance(message, dict) and message.get("v") == 1 else {}


def _is_offer(offer: dict) -> bool:
    version = offer.get("version")
    return (
        _is_number(offer.get("n"), 1 << 53)
        and _is_number(offer.get("size"), SIZE_MAX)
        and isinstance(version, str)
        and 0 < len(version) <= NAME_MAX
        and all(c in NAME for c in version)
        and _is_digest(offer.get("sha256"))
        and _is_digest(offer.get("mac"))
    )


def _is_number(value: object, most: int) -> bool:
    return type(value) is int and 0 < value <= most


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == BLOCK and all(c in HEX for c in value)
