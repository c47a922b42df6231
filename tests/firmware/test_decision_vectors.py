"""The golden decision traces, played to the firmware's decision layer: on this machine, and on an ATmega328P."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.firmware.decision_player import (
    SANITIZED,
    Ask,
    avr_command,
    cycles_of,
    host_command,
    lines_of,
    play,
)
from tests.firmware.decision_vectors import read

from loadcenter.adapters.emulator import Board, Emulator
from loadcenter.domain.outlet import Rank
from loadcenter.domain.qualification import LADDER
from loadcenter.domain.transfer_table import TABLE

TRACES = read()
IDS = [trace["name"] for trace in TRACES]
CYCLES_MOST = 32_000
"""A fifth of the 10 ms from one step to the next; interrupts take half of the time."""

START_S = 0.05
ANSWER_S = 30.0


@pytest.fixture(scope="module")
def host(tmp_path_factory) -> Path:
    """Return the player of this machine with AddressSanitizer, UBSan and coverage."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing: apt install g++")
    product = tmp_path_factory.mktemp("player") / "player"
    subprocess.run(host_command(product, "-DLOADCENTER_COVERAGE", *SANITIZED), check=True)
    return product


def asked(product: Path, lines: list[str]) -> list[str]:
    text = "".join(f"{line}\n" for line in lines)
    done = subprocess.run([str(product)], input=text, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("trace", TRACES, ids=IDS)
def test_this_machine_decides_as_the_trace_says(host: Path, trace) -> None:
    assert play(trace, lambda lines: asked(host, lines)) == trace["then"]


def test_the_traces_reach_every_row_rung_and_rank_of_the_firmware(host: Path) -> None:
    reached = [0, 0, 0]
    for trace in TRACES:
        words = next(line for line in asked(host, [*lines_of(trace), "C"]) if line.startswith("C")).split()
        reached = [before | int(word) for before, word in zip(reached, words[1:], strict=True)]
    spoken = sum(1 << rank for rank in Rank if rank is not Rank.SCHEDULE)
    assert reached == [(1 << len(TABLE)) - 1, (1 << len(LADDER)) - 1, spoken]


def without_events(then: list) -> list:
    found = [[number, {k: v for k, v in changes.items() if k != "events"}] for number, changes in then]
    return [[number, changes] for number, changes in found if changes]


def test_a_build_without_diagnostics_does_the_same_and_tells_less(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing: apt install g++")
    product = tmp_path / "player"
    subprocess.run(host_command(product, "-DLOADCENTER_DIAGNOSTICS=0"), check=True)
    for trace in TRACES:
        then = play(trace, lambda lines: asked(product, lines))
        assert without_events(then) == without_events(trace["then"]), trace["name"]
        told, expected = (
            [len(changes.get("events", ())) for _, changes in one] for one in (then, trace["then"])
        )
        assert sum(told) <= sum(expected)


@pytest.mark.parametrize(
    "line", ["", "Z", "N 1", "S 1 0", "S 101 9 5", "I 1", "K 5 1 1 1 1 1", "N" + " 1" * 40]
)
def test_a_line_that_cannot_be_played_is_refused(host: Path, line: str) -> None:
    assert asked(host, [line])[-1].startswith("?")


@pytest.fixture(scope="module")
def chip(tools, tmp_path_factory) -> Path:
    """Return the player of the ATmega328P."""
    product = tmp_path_factory.mktemp("player") / "player.elf"
    subprocess.run(avr_command(product), check=True)
    return product


def on_chip(product: Path) -> Ask:
    """Return a way to ask a chip that has just started."""

    def ask(lines: list[str]) -> list[str]:
        answers: list[str] = []
        with Emulator(product, Board()) as emulator:
            emulator.run(START_S)
            for line in lines:
                emulator.send(f"{line}\n".encode())
                said = bytearray()

                def ended(said: bytearray = said) -> bool:
                    said += emulator.output()
                    return said.endswith(b"\n") and said.splitlines()[-1][:1] in b".?"

                assert emulator.run_until(ended, within_s=ANSWER_S), f"no answer to {line}: {bytes(said)!r}"
                answers += said.decode().splitlines()
        return answers

    return ask


@pytest.mark.parametrize("trace", TRACES, ids=IDS)
def test_the_chip_decides_as_the_trace_says_and_in_time(chip: Path, trace) -> None:
    answers: list[str] = []

    def ask(lines: list[str]) -> list[str]:
        answers.extend(on_chip(chip)(lines))
        return answers

    assert play(trace, ask) == trace["then"]
    assert cycles_of(answers) <= CYCLES_MOST
