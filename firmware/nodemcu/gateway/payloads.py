"""What the control center sends, as objects that are checked before they are believed (MQTT-2). Pure."""

import json


def read(payload: bytes) -> dict:
    """Return the object in a payload, an empty one if there is none."""
    try:
        fields = json.loads(payload)
    except (ValueError, RuntimeError, MemoryError):  # no JSON, nested too deeply, or too much for this heap
        return {}
    return fields if isinstance(fields, dict) else {}


def is_whole(given: object, low: int, high: int) -> bool:
    """Return whether `given` is a whole number of that range; true is none."""
    return isinstance(given, int) and not isinstance(given, bool) and low <= given <= high
