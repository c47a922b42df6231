"""The real firmware in the emulator: every kind of reset, and what is kept over it."""

import random

import pytest
from tests.firmware.contacts import live_s
from tests.firmware.rig import Rig, forked

from loadcenter.adapters.emulator import CLOCK_HZ, DEAD, Impedance, Kind, Part, Reset
from loadcenter.domain.topology import Source

WATCHDOG_S = 0.15
HEATED = ("nothing", "watchdog", "power")
GAPS_S = (0.2, 0.45, 0.7, 0.95)
"""Longest time that a reset of the program leaves outlets 1 to 4 without voltage: what docs/safety.md says."""


def reset_causes(rig: Rig, since_s: float) -> list[Reset]:
    return [Reset(one.index) for one in rig.events(Kind.RESET, since_s=since_s)]


def gap_s(rig: Rig, outlet: int, since_s: float) -> float:
    """Return how long an outlet had no voltage after `since_s`, until it had it again."""
    changes = [
        (one.cycle / CLOCK_HZ, one.value)
        for one in rig.events(Kind.LIVE, since_s=since_s)
        if one.index == outlet - 1
    ]
    off_s = next(at_s for at_s, live in changes if not live)
    return max(at_s for at_s, live in changes if live) - off_s


def test_a_hung_program_is_reset_and_takes_up_its_work(rig):
    at_s = rig.emulator.now_s
    rig.emulator.hang(interrupts_off=True)
    rig.run(4)
    (reset,) = rig.events(Kind.RESET, since_s=at_s)
    assert reset.index & Reset.WATCHDOG
    assert reset.cycle / CLOCK_HZ - at_s <= WATCHDOG_S
    assert all(rig.emulator.closed(outlet) for outlet in rig.outlets)
    assert all(
        gap_s(rig, outlet, at_s) <= longest for outlet, longest in zip(rig.outlets, GAPS_S, strict=True)
    )
    assert rig.told("boot")[-1]["reset_cause"] == "watchdog"


def test_a_main_loop_that_hangs_does_not_live_on_its_interrupts(rig):
    at_s = rig.emulator.now_s
    rig.emulator.hang()
    rig.run(1)
    assert reset_causes(rig, at_s) == [Reset.WATCHDOG]


def test_with_a_dead_adc_nothing_stays_closed(rig):
    at_s = rig.emulator.now_s
    rig.emulator.stop_adc()
    rig.run(3)
    assert Reset.WATCHDOG in reset_causes(rig, at_s)
    assert not rig.emulator.isolator_closed
    assert rig.first(Kind.PIN, Part.ISOLATOR, 0, at_s) - at_s <= 2 * WATCHDOG_S


@pytest.mark.parametrize("lowest_v", [4.2, 3.0, 0.5])
def test_a_brown_out_ends_in_a_clean_start(rig, lowest_v):
    now_s = rig.emulator.now_s
    rig.emulator.supply([(now_s, 5), (now_s + 0.3, lowest_v), (now_s + 0.4, lowest_v), (now_s + 0.7, 5)])
    rig.run(0.35)
    assert not rig.emulator.driven(Part.ISOLATOR)
    rig.run(6)
    assert rig.told("boot")[-1]["reset_cause"] == ("power" if lowest_v < 1.5 else "brown_out")
    assert all(rig.emulator.closed(outlet) for outlet in rig.outlets)


def test_the_mains_are_not_misread_while_the_supply_sags(rig):
    now_s = rig.emulator.now_s
    rig.emulator.supply([(now_s, 5), (now_s + 2, 4.5), (now_s + 4, 4.5), (now_s + 6, 5)])
    rig.run(7)
    assert rig.left(now_s) is None
    assert not rig.told("trip")


def settings_after_cut(rig: Rig, after_s: float) -> tuple[int, str]:
    """Return (version, first setting applied) of a unit whose power went during the writing of settings."""
    emulator = rig.emulator
    rig.apply({"sequence_ms": 100})
    for values in ({"begin": 1}, {"sequence_ms": 777}, {"restore_delay_s": 77}):
        rig.order("S", version=9, **values)
    rig.send("S", version=9, end=1)
    rig.run(after_s)
    emulator.power_off()
    rig.run(0.2)
    emulator.power_on()
    rig.frames.clear()
    rig.run(3)
    return int(rig.telemetry.fields["settings"]), emulator.eeprom[:1].hex()


def test_settings_are_the_old_or_the_new_ones_whenever_power_goes(rig):
    cuts = [step * 0.1001 for step in range(12)]
    versions = [version for version, _ in forked(lambda after_s: settings_after_cut(rig, after_s), cuts)]
    assert set(versions) <= {1, 9}
    assert versions[-1] == 9


def wishes_after_cut(rig: Rig, after_s: float, *, browns_out: bool) -> tuple[list[bool], int]:
    """Return which outlets come back, and by how many starts more, when the supply goes while a wish is written."""
    emulator, starts = rig.emulator, int(rig.hello.fields["resets"])
    rig.send("C", do="switch", out=2, on=0)
    rig.run(after_s)
    if browns_out:
        now_s = emulator.now_s
        emulator.supply([(now_s, 5), (now_s + 0.002, 3.0), (now_s + 0.1, 3.0), (now_s + 0.102, 5)])
    else:
        emulator.power_off()
        rig.run(0.2)
        emulator.power_on()
    rig.frames.clear()
    rig.run(5)
    rig.send("Q")  # its first line may have come behind half of one from before
    assert rig.until(lambda: rig.hello, 1)
    closed = [emulator.closed(outlet) for outlet in rig.outlets]
    return closed, int(rig.hello.fields["resets"]) - starts


def test_a_wish_is_the_old_or_the_new_one_whenever_the_supply_goes(rig):
    rig.run(6)  # the least time on
    cuts = [(step * 0.0171, browns_out) for step in range(12) for browns_out in (False, True)]
    found = forked(lambda cut: wishes_after_cut(rig, cut[0], browns_out=cut[1]), cuts)
    assert all(closed in ([True] * 4, [True, False, True, True]) for closed, _ in found)
    assert {starts for _, starts in found} == {1}
    assert found[0][0][1]
    assert not found[-1][0][1]


def trips_after(rig: Rig, happens: str) -> float:
    """Return how long after a reset of some kind, or after none, an outlet trips that was hot."""
    emulator = rig.emulator
    match happens:
        case "watchdog":
            emulator.hang(interrupts_off=True)
        case "power":
            emulator.power_off()
            rig.run(0.2)
            emulator.power_on()
        case _:
            pass
    rig.frames.clear()
    at_s = emulator.now_s
    assert rig.until(lambda: rig.told("trip"), 60, step_s=0.25)
    assert rig.told("trip")[-1]["trip"] == "thermal"
    return emulator.now_s - at_s


def test_an_outlet_stays_warm_over_a_reset(rig):
    """At 9.5 A the heat goes to 4.66 times the trip with 300 s: it trips after 72 s from cold."""
    rig.apply({"limit_ma.1": 10_000, "limit_action.1": "warn", "curve_ma.1": 10_000})
    rig.emulator.plug(1, Impedance(230 / 7.5))  # beside the 2 A
    rig.run(50)  # 0.72 of the heat that trips: 22 s are left, and 38 s from the half that EEPROM knows
    lasted = dict(zip(HEATED, forked(lambda happens: trips_after(rig, happens), HEATED), strict=True))
    assert 20 <= lasted["nothing"] <= 25
    assert abs(lasted["watchdog"] - lasted["nothing"]) <= 2
    assert 36 <= lasted["power"] <= 42


def reset_when_latched(rig: Rig, seed: int) -> tuple[float, list[Reset]]:
    """Return for how long a latched outlet had voltage after a reset of some kind at some moment."""
    rng = random.Random(seed)
    emulator = rig.emulator
    rig.overload(1, 5)
    rig.run(0.15 + rng.random() * 1.5)
    at_s = emulator.now_s
    for _ in range(rng.randint(1, 3)):
        match rng.randrange(4):
            case 0:
                emulator.reset()
            case 1:
                emulator.hang(interrupts_off=rng.random() < 0.5)
            case 2:
                emulator.power_off()
                rig.run(rng.random() * 0.5)
                emulator.power_on()
            case _:
                now_s = emulator.now_s
                low_v = rng.uniform(0.2, 4.2)
                emulator.supply([(now_s, 5), (now_s + 0.02, low_v), (now_s + 0.05, low_v), (now_s + 0.1, 5)])
        rig.run(rng.random() * 1.0)
    if rng.random() < 0.5:
        emulator.feed(Source.MAIN, DEAD)
    rig.run(5)
    return live_s(rig, 1, at_s + 0.01), reset_causes(rig, at_s)


@pytest.mark.parametrize(
    "defines", [(), ("LOADCENTER_NORMALLY_CLOSED_OUTLETS=0x0f",)], ids=["open", "closed"]
)
def test_a_latched_outlet_has_no_voltage_after_any_reset(power, defines):
    rig = power("uno", *defines, suffix="nc" if defines else "")
    rig.load_all(2.0)
    rig.start_all()
    for live, causes in forked(lambda seed: reset_when_latched(rig, seed), range(8)):
        assert live == 0
        assert causes


def test_the_program_asks_the_eeprom_nothing_while_it_writes(rig):
    rig.apply({"sequence_ms": 400})
    rig.switch(1, on=False)
    rig.run(5)
    assert rig.emulator.stats().eeprom_writes > 0
    assert not rig.events(Kind.EEPROM_BUSY)
