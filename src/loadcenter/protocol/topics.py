"""Topics of the contract (MQTT-1)."""

from dataclasses import dataclass
from enum import StrEnum

from loadcenter.domain.topology import TopologyError, check_pdu_id

DEFAULT_ROOT = "loadcenter"


class Up(StrEnum):
    """What a device writes."""

    BIRTH = "birth"
    STATUS = "status"
    STATE = "state"
    TELEMETRY = "telemetry"
    EVENT = "event"
    RESULT = "result"
    UPDATING = "updating"


class Down(StrEnum):
    """What the control center writes."""

    COMMAND = "command"
    DESIRED = "desired"
    ACK = "ack"
    TIME = "time"
    UPDATE = "update"


RETAINED: frozenset[Up | Down] = frozenset({Up.BIRTH, Up.STATUS, Up.STATE, Down.DESIRED})
"""Leaves that are published with the retain flag; a command never is."""

RECORDS: frozenset[Up] = frozenset({Up.TELEMETRY, Up.EVENT})
"""Leaves that carry records, which are stored and acknowledged end to end (MQTT-10)."""


@dataclass(frozen=True, slots=True)
class UpTopic:
    """A topic written by a device."""

    pdu_id: str
    leaf: Up


class TopicError(ValueError):
    """A topic is not one of the contract."""


def up(root: str, pdu_id: str, leaf: Up | str) -> str:
    """Return the topic that device `pdu_id` writes `leaf` to; `"+"` and `"#"` make a filter."""
    return f"{root}/v1/{pdu_id}/up/{leaf}"


def down(root: str, pdu_id: str, leaf: Down | str) -> str:
    """Return the topic that the control center writes `leaf` for `pdu_id` to; `"#"` makes a filter."""
    return f"{root}/v1/{pdu_id}/down/{leaf}"


def parse_up(root: str, topic: str) -> UpTopic:
    """Return what `topic` names.

    Raises:
        TopicError: it is not `<root>/v1/<pdu_id>/up/<leaf>` with a known leaf and a valid name.
    """
    prefix = f"{root}/v1/"
    parts = topic.removeprefix(prefix).split("/") if topic.startswith(prefix) else []
    if len(parts) != 3 or parts[1] != "up" or parts[2] not in Up._value2member_map_:  # noqa: PLR2004
        raise TopicError(
            f"'{topic}' is not a topic of the contract: expected {up(root, '<pdu_id>', '<leaf>')}"
        )
    try:
        return UpTopic(check_pdu_id(parts[0]), Up(parts[2]))
    except TopologyError as error:
        raise TopicError(str(error)) from error
