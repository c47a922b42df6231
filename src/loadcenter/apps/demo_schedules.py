"""Two schedules for the simulated rack, so that the demo has something to look at."""

from collections.abc import Sequence
from datetime import date

from loadcenter.domain.schedules import HOUR_MS, Act, Cheapest, ClockMoment, Days, Plan, Span, Timing
from loadcenter.domain.topology import OutletId
from loadcenter.services.schedules import Draft
from loadcenter.simulator.rack import PduLayout

_WORKDAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
_EVENING = Span(ClockMoment(16 * 60), ClockMoment(20 * 60))
_NIGHT = Cheapest(before_minute=7 * 60, need_ms=3 * HOUR_MS, within_ms=11 * HOUR_MS)


def demo_schedules(layouts: Sequence[PduLayout], zone: str, today: date) -> list[Draft]:
    """Return what the demo adds at its first start: light for the desk, and a charger that waits for cheap hours.

    A rack without such outlets (one that replays recordings) has none of them.
    """
    wanted: list[tuple[str, str, str, Timing]] = [
        ("Light at the desk", "Desk lamp", _WORKDAYS, _EVENING),
        ("Charge at night", "Charger", "FREQ=DAILY", _NIGHT),
    ]
    places = {
        outlet.name: OutletId(layout.pdu_id, number)
        for layout in reversed(layouts)
        for number, outlet in enumerate(layout.outlets, 1)
    }
    return [
        Draft(name, Plan((places[outlet],), Act.ON, Days(today, rrule), timing, zone))
        for name, outlet, rrule, timing in wanted
        if outlet in places
    ]
