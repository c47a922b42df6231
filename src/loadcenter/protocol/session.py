"""Which records are taken: positions per (pdu, boot, stream), moved only forward and without holes (MQTT-12)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Stream(StrEnum):
    """The two kinds of records, each with its own numbers."""

    TELEMETRY = "telemetry"
    EVENT = "event"

    __hash__ = (
        str.__hash__
    )  # that of an enum is a call of Python, and positions are looked up for each record


class StreamKey(NamedTuple):
    """One sequence of records: a stream of one start of one device."""

    pdu_id: str
    boot: int
    stream: Stream


@dataclass(frozen=True, slots=True)
class Taken:
    """The record is taken; it stands for `first..seq` after what was stored already is left out.

    `first` is above the record's own `from` where the two overlap (MQTT-13).
    """

    first: int
    seq: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Everything in the record is stored already."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Records before this one are missing; the device is told the position and sends from there."""

    position: int


Verdict = Taken | Duplicate | Ahead


def judge(position: int, first: int, seq: int) -> Verdict:
    """Return what becomes of a record `first..seq` when all up to `position` is stored.

    Args:
        position: last number stored, 0 at first.
        first: `from` of the record, 1 or more and not above `seq`.
        seq: number of the record.

    Raises:
        ValueError: the numbers are not in that order.
    """
    if not 1 <= first <= seq or position < 0:
        raise ValueError(f"not a record: position {position}, from {first}, seq {seq}")
    if seq <= position:
        return Duplicate()
    if first > position + 1:
        return Ahead(position)
    return Taken(max(first, position + 1), seq)
