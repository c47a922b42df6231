"""The simulated plant, wired only in a demo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One thing that the demo's panel can break, for the page to offer."""

    id: str
    label: str
    hint: str
    needs_outlet: bool = False
    lasts: bool = True


class Plant(Protocol):
    """The world behind a simulated rack. Wired only in a demo; under `serve` its routes do not exist."""

    def disturbances(self) -> Sequence[Disturbance]:
        """Return what can be broken."""
        ...

    def active(self, pdu_id: str) -> Mapping[str, int | None]:
        """Return the disturbances now active on a PDU, with the outlet where one applies."""
        ...

    def start(self, pdu_id: str, disturbance: str, outlet: int | None) -> None:
        """Break something.

        Raises:
            KeyError: no such PDU, disturbance or outlet.
        """
        ...

    def stop(self, pdu_id: str, disturbance: str) -> None:
        """Mend it again; nothing happens if it was not broken."""
        ...
