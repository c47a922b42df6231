import pytest

from loadcenter.domain.events import Cause
from loadcenter.domain.origin import cause_of, is_automatic, schedule_origin, site_origin


@pytest.mark.parametrize(
    ("cause", "by", "on", "shown"),
    [
        (Cause.PERSON_OFF, site_origin("cellar"), False, Cause.SHED),
        (Cause.PERSON_ON, site_origin("cellar"), True, Cause.RESTORE),
        (Cause.PERSON_OFF, schedule_origin("night"), False, Cause.SCHEDULE),
        (Cause.PERSON_ON, schedule_origin("night"), True, Cause.SCHEDULE),
        (Cause.PERSON_OFF, "ada", False, Cause.PERSON_OFF),
        (Cause.PROTECTION, site_origin("cellar"), False, Cause.PROTECTION),
        (Cause.LOCK, schedule_origin("night"), True, Cause.LOCK),
    ],
)
def test_the_rule_behind_an_order_is_told_in_place_of_a_person(cause, by, on, shown):
    assert cause_of(cause, by, on=on) is shown


def test_only_rules_are_automatic():
    assert [is_automatic(by) for by in ("site:a", "schedule:b", "ada", "", "sites")] == [
        True,
        True,
        False,
        False,
        False,
    ]
