"""Facts of a board, as a firmware build states them."""

import pytest

from loadcenter.adapters.emulator import Board, Pin

UNO = {
    "outlets": 4,
    "source_pair": False,
    **{f"outlet_{number}": {"port": "D", "bit": 3 + number, "arduino": 3 + number} for number in range(1, 5)},
    "changeover": {"port": "B", "bit": 0, "arduino": 8},
    "isolator": {"port": "B", "bit": 1, "arduino": 9},
    "live": {"port": "D", "bit": 2, "arduino": 2},
    "active_high": True,
    "live_active_low": True,
    "normally_closed_outlets": 0,
    "first_current_channel": 0,
    "main_channel": 4,
    "backup_channel": 5,
    "microamps_per_count": 48828,
    "nominal_peak_counts": 320,
    "nominal_mv": 230000,
    "nominal_mhz": 50000,
}


def test_the_reference_board_is_that_of_the_reference_build():
    read = Board.of(UNO)
    assert read.volt_per_ampere == pytest.approx(0.1, rel=1e-4)
    assert read.volt_per_volt == pytest.approx(Board().volt_per_volt)
    assert (read.outlets, read.changeover, read.isolator, read.live) == (
        Board().outlets,
        Board().changeover,
        Board().isolator,
        Board().live,
    )


def test_a_source_pair_has_a_relay_for_each_source():
    facts = {key: value for key, value in UNO.items() if key != "changeover"}
    facts |= {
        "source_pair": True,
        "main_relay": {"port": "B", "bit": 0},
        "backup_relay": {"port": "B", "bit": 2},
    }
    board = Board.of(facts)
    assert board.changeover == Pin("B", 0)
    assert board.backup_relay == Pin("B", 2)


def test_normally_closed_outlets_and_low_drivers_are_taken_over():
    board = Board.of(UNO | {"normally_closed_outlets": 0b0101, "active_high": False})
    assert board.normally_closed == (1, 3)
    assert board.outlets[0] == Pin("D", 4, active_high=False)


def test_eight_outlets_need_the_larger_chip():
    more = {f"outlet_{number}": {"port": "A", "bit": number - 1} for number in range(1, 9)}
    assert Board.of(UNO | more | {"outlets": 8}).chip == "atmega2560"


def test_full_scale_is_a_part_of_the_nominal_peak():
    board = Board(nominal_v=120, nominal_hz=60)
    assert board.volt_per_volt * 120 * 2**0.5 * 1.6 == pytest.approx(2.5)
    assert board.cycle_s == pytest.approx(1 / 60)


def test_a_missing_fact_is_named():
    with pytest.raises(KeyError, match="isolator"):
        Board.of({key: value for key, value in UNO.items() if key != "isolator"})
