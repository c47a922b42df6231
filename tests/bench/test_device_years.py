"""The years of PDUs run at a tiny size, and the watch over them sees a violation."""

from bench.device_years import Course, measure
from bench.figures import Settings

from loadcenter.domain.site import Limit
from loadcenter.domain.topology import OutletId


def test_some_days_of_a_site_pass_without_a_violation() -> None:
    found = measure(Settings(0.00004, 1))
    assert found["YEARS_violations"].value == 0
    assert found["YEARS_devices"].value > 0


def test_the_watch_sees_what_must_not_happen() -> None:
    course = Course(1)
    outlet = OutletId("rack-1", 1)
    course.site.plug(outlet).protected = True
    course._check_move(outlet, on=False)
    course.off_by_person.add(outlet)
    course._check_move(outlet, on=True)
    course.site.config = type(course.site.config)("site", "Site", course.site.config.pdus, Limit(1))
    course._check_restore(outlet)
    assert [text.split(": ")[1].split(" ", 1)[0] for text in course.violations] == ["rack-1/1"] * 3
