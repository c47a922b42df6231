"""What a PDU is made of: sources, outlets and their names on the wire."""

import re
from dataclasses import dataclass
from enum import StrEnum

PDU_ID_PATTERN = r"[a-z0-9-]{1,32}"
_PDU_ID = re.compile(PDU_ID_PATTERN)

MAX_OUTLETS = 48
"""Most outlets one PDU may report; the largest rack PDUs of the field have 48."""


class Source(StrEnum):
    """A supply of the PDU."""

    MAIN = "main"
    BACKUP = "backup"

    @property
    def other(self) -> "Source":
        """The source that this one is exchanged for in a transfer."""
        return Source.BACKUP if self is Source.MAIN else Source.MAIN


class Grade(StrEnum):
    """How well a source is fit to carry the loads."""

    GOOD = "good"
    USABLE = "usable"
    BAD = "bad"


@dataclass(frozen=True, slots=True, order=True)
class OutletId:
    """One switched socket of one PDU; `outlet` counts from 1."""

    pdu_id: str
    outlet: int

    def __str__(self) -> str:
        return f"{self.pdu_id}/{self.outlet}"


class TopologyError(ValueError):
    """A name does not fit the contract; the message says what would."""


def check_pdu_id(pdu_id: str) -> str:
    """Return `pdu_id` unchanged if it is a valid name (MQTT-1).

    Raises:
        TopologyError: it is not 1 to 32 of a-z, 0-9 and hyphen.
    """
    if not _PDU_ID.fullmatch(pdu_id):
        raise TopologyError(f"'{pdu_id}' is not a PDU name: use 1 to 32 of a-z, 0-9 and '-'")
    return pdu_id


def parse_outlet_id(text: str) -> OutletId:
    """Return the outlet that `PDU/N` names, such as `rack-1/3`.

    Raises:
        TopologyError: the text is not of that form, or N is not 1 to `MAX_OUTLETS`.
    """
    pdu_id, slash, number = text.partition("/")
    if not slash or not number.isascii() or not number.isdigit() or not 1 <= int(number) <= MAX_OUTLETS:
        raise TopologyError(f"'{text}' is not an outlet: write PDU/N, for example rack-1/3")
    return OutletId(check_pdu_id(pdu_id), int(number))
