"""Who asks for a switching that nobody asks for by hand.

A PDU knows two kinds of orders, a person's *on* and *off*; it reports who gave them in `by`. An order that the control
center gives by a rule therefore names the rule there: `site:cellar`, `schedule:evening`. So the cause survives a
restart of either side, on every PDU, and nothing has to be remembered to tell it.
"""

from loadcenter.domain.events import Cause

SITE_PREFIX = "site:"
SCHEDULE_PREFIX = "schedule:"


def site_origin(site_id: str) -> str:
    """Return the `by` of what a site sheds and restores."""
    return f"{SITE_PREFIX}{site_id}"


def schedule_origin(name: str) -> str:
    """Return the `by` of what a schedule switches."""
    return f"{SCHEDULE_PREFIX}{name}"


def spoken(by: str) -> str:
    """Return who or what `by` names, as a sentence says it."""
    if by.startswith(SCHEDULE_PREFIX):
        return f"the schedule '{by.removeprefix(SCHEDULE_PREFIX)}'"
    if by.startswith(SITE_PREFIX):
        return f"the site {by.removeprefix(SITE_PREFIX)}"
    return by


def is_automatic(by: str) -> bool:
    """Return whether `by` names a rule, not a person."""
    return by.startswith((SITE_PREFIX, SCHEDULE_PREFIX))


def cause_of(cause: Cause, by: str, *, on: bool) -> Cause:
    """Return why an outlet is as it is: the PDU's cause, with the rule behind an order in place of a person."""
    if cause not in (Cause.PERSON_ON, Cause.PERSON_OFF):
        return cause
    if by.startswith(SCHEDULE_PREFIX):
        return Cause.SCHEDULE
    if by.startswith(SITE_PREFIX):
        return Cause.RESTORE if on else Cause.SHED
    return cause
