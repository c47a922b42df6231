"""The events of one step, numbered through the whole run so that a later event can name the one that led to it."""

from collections.abc import Mapping

from loadcenter.domain.events import Cause, Detail, Event, EventCode
from loadcenter.domain.topology import Source


class Journal:
    """Collects the events of one step.

    Args:
        first: position, in the list of all events of this run, that the next event gets.
    """

    def __init__(self, first: int) -> None:
        self.first = first
        self.events: list[Event] = []

    def add(
        self,
        code: EventCode,
        *,
        outlet: int | None = None,
        source: Source | None = None,
        cause: Cause | None = None,
        data: Mapping[str, Detail] | None = None,
        because: int | None = None,
    ) -> int:
        """Note an event and return its position in the list of all events of this run."""
        self.events.append(Event(code, outlet, source, cause, data or {}, because))
        return self.first + len(self.events) - 1
