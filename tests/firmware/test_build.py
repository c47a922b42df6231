"""Every build of the firmware: that it is made, and what it takes."""

import configparser
import re
import subprocess

import pytest
from scripts import firmware
from scripts.firmware import BUILDS, BuildError, Size

from loadcenter import __version__

UNO = firmware.UNO


def built(name: str) -> Size:
    try:
        firmware.build(BUILDS[name])
    except BuildError as error:
        if "missing" in str(error):
            pytest.skip(str(error))
        raise
    return firmware.size_of(BUILDS[name])


def test_the_mega_has_room() -> None:
    size = built("mega")
    assert size.flash < 64 * 1024
    assert size.ram < 3072


@pytest.mark.parametrize("name", ["uno", "arduino", "uno-pair", "uno-60hz"])
def test_a_uno_has_room(name: str) -> None:
    size = built(name)
    assert size.flash <= BUILDS[name].flash
    assert size.ram + firmware.STACK_AND_MARGIN <= BUILDS[name].ram


def test_a_uno_has_room_for_what_was_found_out_of_its_sensors():
    target = firmware.variant("uno", "LOADCENTER_OUTLET_GAINS=10,-20,30", suffix="gains")
    built("uno")
    firmware.build(target)
    assert firmware.size_of(target).flash <= target.flash


def test_the_firmware_says_the_version_of_the_package():
    identity = (UNO / "core" / "identity.hpp").read_text(encoding="utf-8")
    said = re.search(r"kFirmware = (\d+);", identity)
    version = re.match(r"(\d+)\.(\d+)\.(\d+)", __version__)
    assert said is not None
    assert version is not None
    major, minor, patch = map(int, version.groups())
    assert int(said[1]) == major * 10_000 + minor * 100 + patch


def test_the_facts_of_a_board_stand_beside_its_build() -> None:
    built("mega")
    facts = firmware.facts_of(BUILDS["mega"])
    assert facts["outlets"] == 8
    assert facts["isolator"] == {"port": "C", "bit": 6, "arduino": 31}


def test_what_is_up_to_date_is_left_alone() -> None:
    built("mega")
    before = BUILDS["mega"].product.stat().st_mtime_ns
    built("mega")
    assert BUILDS["mega"].product.stat().st_mtime_ns == before


def test_contacts_of_a_source_pair_may_overlap_in_a_test_build_only() -> None:
    build = firmware.variant("mega", "LOADCENTER_SOURCE_PAIR", "LOADCENTER_DEAD_TIME_MS=0", suffix="dead-0")
    try:
        with pytest.raises(BuildError, match=r"LOADCENTER_TEST_BUILD|missing"):
            firmware.build(build)
    finally:
        assert not build.product.exists()


def test_the_sketch_takes_in_every_source() -> None:
    sources = [
        str(path.relative_to(UNO)) for folder in ("core", "avr") for path in (UNO / folder).rglob("*.cpp")
    ]
    sketch = (UNO / "uno.ino").read_text(encoding="utf-8")
    assert sorted(sources) == sorted(
        line.split('"')[1] for line in sketch.splitlines() if line.startswith("#include")
    )


def test_the_ide_is_told_the_same_options():
    wanted = {flag for flag in firmware.SMALLER if flag.startswith(("-m", "-f"))}
    told = (UNO / "platform.local.txt").read_text(encoding="utf-8").replace("=-", " -").split()
    assert wanted <= {*firmware.IDE, *told}


@pytest.mark.parametrize("defines", [[], ["-DLOADCENTER_60HZ"]], ids=["50 Hz", "60 Hz"])
def test_what_platformio_makes_has_room_too(tmp_path, defines):
    built("uno")
    options = configparser.ConfigParser(interpolation=None)
    options.read(UNO / "platformio.ini")
    source = UNO / options["platformio"]["src_dir"] / "all.cpp"
    made = tmp_path / "firmware.elf"
    flags = ["-mmcu=atmega328p", "-DF_CPU=16000000L", *options["env"]["build_flags"].split(), *defines]
    subprocess.run(["avr-g++", *flags, str(source), "-o", str(made)], check=True)
    size = firmware.size_in(made)
    assert size.flash <= BUILDS["uno"].flash
    assert size.ram + firmware.STACK_AND_MARGIN <= BUILDS["uno"].ram


def test_a_program_that_cannot_be_built_says_why() -> None:
    with pytest.raises(BuildError, match=r"needs LOADCENTER_TEST_BUILD|missing"):
        firmware.build(firmware.variant("host", "LOADCENTER_DEAD_TIME_MS=1", suffix="dead-1"))
