"""What people call a PDU and its outlets, and which outlets ask before they are switched off."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

NAME_MAX = 64


class OutletLabel(Struct, frozen=True):
    """Name of an outlet; a `critical` one is switched off only after a second question."""

    n: Annotated[int, Meta(ge=1)]
    name: Annotated[str, Meta(max_length=NAME_MAX)] = ""
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of one PDU."""

    name: str
    outlets: dict[int, OutletLabel]

    def outlet(self, number: int) -> OutletLabel:
        """Return the label of an outlet, "Outlet N" where nobody has named it."""
        label = self.outlets.get(number, OutletLabel(number))
        return label if label.name else OutletLabel(number, f"Outlet {number}", label.critical)


_decoder = msgspec.json.Decoder(list[OutletLabel])


def read_labels(name: str, text: str) -> Labels:
    """Return the labels kept as JSON `text`; an empty text names nothing.

    Raises:
        ValueError: the text was not written by `write_labels`.
    """
    outlets = _decoder.decode(text) if text else []
    return Labels(name, {one.n: one for one in outlets})


def write_labels(outlets: dict[int, OutletLabel]) -> str:
    """Return the JSON text that `read_labels` reads."""
    return msgspec.json.encode(sorted(outlets.values(), key=lambda one: one.n)).decode()
