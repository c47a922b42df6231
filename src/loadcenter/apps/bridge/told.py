"""What a bridge says of its unit, a line for each thing that happened."""

from collections.abc import Sequence

from loadcenter.adapters.emulator import CLOCK_HZ, Event, Kind, Part, Reset

BUS = {0: "the bus is on main", 1: "the bus is on backup"}


class Teller:
    """Words for the log of one unit.

    Args:
        pair: the board has two source relays in place of a changeover.
    """

    def __init__(self, *, pair: bool) -> None:
        self._pair = pair
        self._bus = -1

    def lines(self, events: Sequence[Event]) -> list[str]:
        """Return what to say of what happened in a slice, each with its time in s.

        Of the bus only what it came to is told: contacts bounce.
        """
        buses = [event for event in events if event.kind is Kind.BUS]
        told = [event for event in events if event.kind is not Kind.BUS]
        if buses and buses[-1].value != self._bus:
            self._bus = buses[-1].value
            told = sorted([*told, buses[-1]], key=lambda event: event.cycle)
        said = ((event.cycle / CLOCK_HZ, self._words(event)) for event in told)
        return [f"{at_s:10.4f} s  {words}" for at_s, words in said if words]

    def _words(self, event: Event) -> str | None:
        match event.kind:
            case Kind.PIN:
                name = pin_name(Part(event.index), pair=self._pair)
                return f"pin  {name} {'on' if event.value else 'off'}"
            case Kind.BUS:
                return BUS.get(event.value, "the bus is on no source")
            case Kind.BOTH:
                return "BOTH SOURCES ARE CONNECTED TO EACH OTHER" if event.value else "they are apart again"
            case Kind.RESET:
                return f"start, by {_causes(Reset(event.index))}"
            case Kind.OVERRUN:
                return "the receiver lost a byte"
            case Kind.CRASH:
                return f"the program left its code at 0x{event.value:x}"
            case _:
                return None


def pin_name(part: Part, *, pair: bool) -> str:
    """Return what a relay's pin is called in board.json."""
    if part > Part.ISOLATOR:
        return f"outlet_{part - Part.ISOLATOR}"
    if pair and part is Part.CHANGEOVER:
        return "main_relay"
    return part.name.lower()


def _causes(cause: Reset) -> str:
    return (
        " and ".join(flag.name.lower().replace("_", "-") for flag in cause if flag.name) or "no known cause"
    )
