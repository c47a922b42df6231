import pytest

from loadcenter.domain.cycle import OutletView, why
from loadcenter.domain.events import Cause


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        (OutletView(None, None), "Unknown: the PDU has not reported this outlet yet."),
        (OutletView(on=True, cause=Cause.PERSON_ON, by="anna"), "On: switched on by anna."),
        (OutletView(on=True, cause=Cause.PERSON_ON), "On: switched on by a person."),
        (OutletView(on=True, cause=Cause.RESTORE), "On: set by the power-restore policy at start-up."),
        (
            OutletView(on=True, cause=Cause.RESTORE, live=False),
            "On: set by the power-restore policy at start-up. No source feeds it now.",
        ),
        (OutletView(on=False, cause=Cause.PERSON_OFF, by="anna"), "Off: switched off by anna."),
        (OutletView(on=False, cause=Cause.LOCK), "Off: locked; unlock it to switch it."),
        (
            OutletView(on=False, cause=Cause.PERSON_ON, by="anna", live=True),
            "Off for a moment: it closes by itself, switched on by anna.",
        ),
        (
            OutletView(on=False, cause=Cause.PERSON_ON, by="anna", live=False),
            "Off: no source feeds the PDU. It closes by itself when one returns.",
        ),
        (
            OutletView(on=False, cause=Cause.RESTORE, live=False),
            "Off: no source feeds the PDU. When one returns, the power-restore policy decides.",
        ),
        (
            OutletView(
                on=False,
                cause=Cause.PROTECTION,
                trip="overcurrent",
                trip_ma=6200,
                limit_ma=4000,
                limit_ms=2000,
            ),
            "Off: tripped at 6.2 A, limit 4.0 A for 2.0 s. Reset the trip to switch it on.",
        ),
        (
            OutletView(on=False, cause=Cause.PROTECTION, trip="overcurrent", trip_ma=6200, limit_ma=4000),
            "Off: tripped at 6.2 A, limit 4.0 A. Reset the trip to switch it on.",
        ),
        (
            OutletView(on=False, cause=Cause.PROTECTION, trip="overcurrent", limit_ma=4000),
            "Off: tripped by overcurrent. Reset the trip to switch it on.",
        ),
        (
            OutletView(
                on=False,
                cause=Cause.PERSON_OFF,
                by="site:cellar",
                shed={"total_ma": 10_400, "budget_ma": 10_000, "circuit": "site:cellar"},
            ),
            "Off: shed by site cellar: 10.4 of 10.0 A at site cellar.",
        ),
        (
            OutletView(
                on=False,
                cause=Cause.PERSON_OFF,
                by="site:cellar",
                shed={"total_mw": 2_400_000, "budget_mw": 2_000_000, "circuit": "pdu:a"},
            ),
            "Off: shed by site cellar: 2400 of 2000 W at pdu a.",
        ),
        (
            OutletView(
                on=False, cause=Cause.PERSON_OFF, by="site:cellar", shed={"stage_s": 300, "keep_priority": 4}
            ),
            "Off: shed by site cellar after 300 s on BACKUP, where priorities up to 4 are kept.",
        ),
        (
            OutletView(on=False, cause=Cause.PERSON_OFF, by="site:cellar"),
            "Off: shed by site cellar to keep it within its limits.",
        ),
        (
            OutletView(on=True, cause=Cause.PERSON_ON, by="site:cellar", live=True),
            "On: closed again by site cellar, which has headroom.",
        ),
        (
            OutletView(on=False, cause=Cause.PERSON_OFF, by="schedule:night"),
            "Off: switched off by the schedule 'night'.",
        ),
    ],
)
def test_one_sentence_says_why_with_the_numbers(view, sentence):
    assert why(view) == sentence


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_words(on, cause):
    sentence = why(OutletView(on=on, cause=cause, by="anna", live=True))
    assert sentence.startswith("On" if on else "Off")
    assert sentence.endswith(".")
