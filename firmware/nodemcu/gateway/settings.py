"""Settings: from `down/desired` to the pieces of the line (MQTT-50, SER-40, SER-41). Pure.

A version is checked as a whole before its first piece is sent, and held as six bytes a value: as JSON it would take a
tenth of an ESP8266's heap for as long as the gateway runs.
"""

import json
import struct

import words
from payloads import is_whole, read

VERSION_MAX = 0x7FFFFFFF
PIECE = "<BBI"  # setting, outlet, value
PIECE_BYTES = 6


class Settings:
    """The newest version that was wanted, and how far it has got.

    Attributes:
        version: the version wanted, 0 before the first.
        refused: the version that was refused last.
    """

    def __init__(self) -> None:
        self.version = 0
        self.refused = 0
        self._pieces = b""
        self._at = 0
        self._waits = False

    def desire(self, payload: bytes, in_force: int, outlets: int) -> dict | None:
        """Take a new version; return the data of the event `settings_refused` if it is refused as a whole.

        A version below the one in force, or one that was refused already, is ignored. The one in force is not sent,
        but what it says is known from then on.
        """
        try:
            fields = versioned(payload)
        except RefusedError as error:
            return error.data
        version = fields["version"]
        if version < in_force or version in (self.refused, self.version):
            return None
        if version == in_force < self.version != self.refused:
            return None  # a newer one is under way
        try:
            pieces = packed(fields, outlets)
        except RefusedError as error:
            self.refused = version
            error.data["version"] = version
            return error.data
        self.version, self._pieces = version, pieces
        self.restart()
        return None

    def piece(self, in_force: int) -> tuple | None:
        """Return the numbers of the piece to send next, None when there is nothing to send."""
        if self._waits or self.version <= in_force or self.version == self.refused:
            return None
        count = len(self._pieces) // PIECE_BYTES
        if self._at == 0:
            return (self.version, words.SETTING_BEGIN)
        if self._at > count:
            return (self.version, words.SETTING_END)
        return (self.version,) + struct.unpack_from(PIECE, self._pieces, (self._at - 1) * PIECE_BYTES)  # noqa: RUF005

    def taken(self) -> None:
        """Go on: the piece was acknowledged. Behind the last one only T tells whether it must begin anew."""
        self._waits = self._at > len(self._pieces) // PIECE_BYTES
        self._at = 0 if self._waits else self._at + 1

    def told(self) -> None:
        """Take note that a T has come: the version in force is known again."""
        self._waits = False

    def restart(self) -> None:
        """Begin with the first piece: the UNO has forgotten the others."""
        self._at = 0
        self._waits = False

    def refuse(self, code: str) -> dict:
        """Give up the version, which the UNO has refused; return the data of the event."""
        piece = self.piece(0)
        self.refused = self.version
        self.restart()
        data = {"version": self.version, "code": code}
        if piece and len(piece) > 2:  # noqa: PLR2004 - a value has a number and an outlet
            data["setting"], data["value"] = name_of(piece[1]), piece[3]
            if piece[2]:
                data["out"] = piece[2]
        return data

    def value(self, name: str, outlet: int, in_force: int) -> int | None:
        """Return what `name` is in the version in force, as the line says it; None where that is not known here."""
        number = number_of(name, outlet)
        table = words.SETTINGS_OUTLET if outlet else words.SETTINGS_PDU
        row = table[number - (words.SETTING_OUTLET if outlet else 0) - 1].split(" ")
        default = 0 if len(row) == 2 else int(row[4]) // int(row[3])  # noqa: PLR2004 - choices have no more
        if in_force == 0:
            return default
        if in_force != self.version or self.version == self.refused:
            return None
        for at in range(0, len(self._pieces), PIECE_BYTES):
            setting, of, value = struct.unpack_from(PIECE, self._pieces, at)
            if setting == number and of == outlet:
                return value
        return default


class RefusedError(ValueError):
    """A value that is not taken; `data` is that of the event."""

    def __init__(self, name: str, value: object, allowed: str, outlet: int = 0) -> None:
        where = " of outlet %d" % outlet if outlet else ""
        text = json.dumps(value)[:40]
        self.data = {"setting": name, "detail": "%s%s is %s: it must be %s" % (name, where, text, allowed)}
        if outlet:
            self.data["out"] = outlet


def versioned(payload: bytes) -> dict:
    """Return the object in a payload, which has a version of settings.

    Raises:
        RefusedError: it is none, has none, or is of another version of the contract.
    """
    fields = read(payload)
    if not is_whole(fields.get("v"), 1, 1):
        raise RefusedError("v", fields.get("v"), "1: update the older side")
    version = fields.get("version")
    if not is_whole(version, 1, VERSION_MAX):
        raise RefusedError("version", version, "1 to %d" % VERSION_MAX)
    return fields


def packed(fields: dict, outlets: int) -> bytes:
    """Return the values of a version, each as a piece.

    Raises:
        RefusedError: one of them is out of its range, or of an outlet that is not there.
    """
    pieces = bytearray()
    group = fields.get("pdu", {})
    if not isinstance(group, dict):
        raise RefusedError("pdu", group, "an object of settings")
    pack(pieces, words.SETTINGS_PDU, 0, group, 0)
    listed = fields.get("out", [])
    if not isinstance(listed, list):
        raise RefusedError("out", listed, "a list of outlets")
    seen = []
    for one in listed:
        n = one.get("n") if isinstance(one, dict) else None
        if not is_whole(n, 1, outlets) or n in seen:
            raise RefusedError("n", n, "an outlet, 1 to %d, once" % outlets)
        seen.append(n)
        pack(pieces, words.SETTINGS_OUTLET, words.SETTING_OUTLET, one, n)
    return bytes(pieces)


def pack(pieces: bytearray, table: tuple, base: int, group: dict, outlet: int) -> None:
    """Append the settings of one group; names that are not in the table are ignored (MQTT-2)."""
    for at, row in enumerate(table):
        name, *rule = row.split(" ")
        if name in group:
            value = number(name, rule, group[name], outlet)
            pieces += struct.pack(PIECE, base + at + 1, outlet, value)


def number(name: str, rule: list, value: object, outlet: int) -> int:
    """Return a value as the line says it.

    Raises:
        RefusedError: it is not one that the setting may have.
    """
    if rule == ["bool"]:
        if not isinstance(value, bool):
            raise RefusedError(name, value, "true or false", outlet)
        return int(value)
    if len(rule) == 1:
        choices = rule[0].split(",")
        if not isinstance(value, str) or value not in choices:
            raise RefusedError(name, value, "one of " + ", ".join(choices), outlet)
        return choices.index(value)
    low, high = int(rule[0]), int(rule[1])
    if not is_whole(value, low, high):
        raise RefusedError(name, value, "%d to %d" % (low, high), outlet)
    return value // int(rule[2])


def number_of(name: str, outlet: int) -> int:
    """Return the number of a setting on the line."""
    table = words.SETTINGS_OUTLET if outlet else words.SETTINGS_PDU
    names = [row.split(" ")[0] for row in table]
    return names.index(name) + 1 + (words.SETTING_OUTLET if outlet else 0)


def name_of(setting: int) -> str:
    """Return the name of a setting by its number on the line."""
    outlet = setting > words.SETTING_OUTLET
    table = words.SETTINGS_OUTLET if outlet else words.SETTINGS_PDU
    return table[setting - (words.SETTING_OUTLET if outlet else 0) - 1].split(" ")[0]
