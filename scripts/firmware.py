"""Builds the UNO firmware into build/firmware, and tells how much flash and RAM each build takes.

    scripts/firmware.py all                  every build below with a report: `make firmware`
    scripts/firmware.py build uno mega       some of them
    scripts/firmware.py build host --asan    the core as a shared library for ctypes, with AddressSanitizer and UBSan
    scripts/firmware.py list

What is up to date is left alone: a build's folder keeps the digest of its sources and of its command.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNO = ROOT / "firmware" / "uno"
OUTPUT = ROOT / "build" / "firmware"
ARDUINO = Path("/usr/share/arduino/hardware/arduino/avr")

WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wconversion")
# Each of these was measured by the flash that it saves on a UNO (firmware/uno/README.md); together 8 %. With -flto, or
# -fwhole-program, what is called once would be inlined, and that costs more than it saves.
SMALLER = (
    *(
        "-mrelax",
        "-mcall-prologues",
        "-mstrict-X",
        "-ffunction-sections",
        "-fdata-sections",
        "-Wl,--gc-sections",
    ),
    *("-fira-algorithm=priority", "-fira-loop-pressure", "-fipa-pta", "-fno-tree-forwprop"),
    *("-fno-move-loop-invariants", "-fno-partial-inlining", "-fno-shrink-wrap", "-fno-toplevel-reorder"),
    *("-fno-ipa-sra", "-fno-inline-small-functions"),
    *("-fno-jump-tables", "-morder2", "-fno-tree-vrp"),
)
AVR = ("-DF_CPU=16000000UL", "-Os", "-std=gnu++11", "-fno-exceptions", "-fno-threadsafe-statics", *SMALLER)
SLOWER = ("-mcall-prologues",)
"""Of those, what a chip that has room does without: saving registers in a subroutine takes 80 cycles a call."""

HOST = ("-O2", "-g", "-std=c++11", "-fPIC", "-shared")
SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer")
# What the IDE compiles a sketch with, and links it with (platform.txt of the Arduino core, whose names these are).
IDE = (
    *("-g", "-Os", "-w", "-std=gnu++11", "-fpermissive", "-fno-exceptions", "-ffunction-sections"),
    *("-fdata-sections", "-fno-threadsafe-statics", "-Wno-error=narrowing", "-flto"),
    *("-DF_CPU=16000000L", "-DARDUINO=10819", "-DARDUINO_AVR_UNO", "-DARDUINO_ARCH_AVR"),
)
IDE_LINK = ("-w", "-Os", "-g", "-flto", "-fuse-linker-plugin", "-Wl,--gc-sections")
# The Arduino core is not ours to warn about. GCC 5.4 does not define DECIMAL_DIG in C++, which WString.cpp needs.
ARDUINO_CORE = (
    *("-DF_CPU=16000000L", "-DARDUINO=10819", "-DARDUINO_AVR_UNO", "-DARDUINO_ARCH_AVR", "-Os", "-w"),
    *("-DDECIMAL_DIG=__DECIMAL_DIG__", "-flto", "-ffunction-sections", "-fdata-sections"),
)


ROOMY_FLASH = 64 * 1024
SHOWN_LINES = 30
"""Of what a compiler says when it refuses: the rest follows from it."""


STACK_AND_MARGIN = 256 + 32
"""Bytes of RAM that a program leaves free: the stack that was measured in the emulator, and a margin."""


class BuildError(RuntimeError):
    """A build is not possible here, or failed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Build:
    """One way to build the firmware.

    Attributes:
        name: of its folder in build/firmware.
        mcu: the AVR it is for; None for a shared library of this machine.
        defines: macros of board.h.
        flash: bytes that a program may take: the boot loader has the rest.
        ram: bytes of RAM.
        sketch: compiled as an Arduino sketch.
    """

    name: str
    mcu: str | None = None
    defines: tuple[str, ...] = ()
    flash: int = 0
    ram: int = 0
    sketch: bool = False

    @property
    def product(self) -> Path:
        """Path of the program or library."""
        folder = OUTPUT / self.name
        return folder / "loadcenter.elf" if self.mcu else folder / "libloadcenter.so"


def _uno(name: str, *defines: str, sketch: bool = False) -> Build:
    return Build(name, "atmega328p", defines, 32_256, 2048, sketch)


BUILDS = {
    build.name: build
    for build in (
        _uno("uno"),
        _uno("uno-60hz", "LOADCENTER_60HZ"),
        _uno("uno-pair", "LOADCENTER_SOURCE_PAIR"),
        Build("mega", "atmega2560", ("LOADCENTER_MEGA",), 253_952, 8192),
        Build("mega-60hz", "atmega2560", ("LOADCENTER_MEGA", "LOADCENTER_60HZ"), 253_952, 8192),
        _uno("arduino", sketch=True),
        Build("host"),
        Build("host-60hz", defines=("LOADCENTER_60HZ",)),
        Build("host-pair", defines=("LOADCENTER_SOURCE_PAIR",)),
        Build("host-mega", defines=("LOADCENTER_MEGA",)),
    )
}
FIRMWARE = tuple(name for name, build in BUILDS.items() if build.mcu)


@dataclass(frozen=True, slots=True)
class Size:
    """What a build takes: bytes of flash, and of RAM that is allotted before it starts."""

    flash: int
    ram: int


def variant(name: str, *defines: str, suffix: str) -> Build:
    """Return build `name` with more macros, in a folder of its own; for tests that need an ablation."""
    build = BUILDS[name]
    return replace(build, name=f"{name}-{suffix}", defines=(*build.defines, *defines))


def build(target: Build, *, asan: bool = False) -> Path:
    """Return the path of a program (`.elf`, with `.hex` beside it) or library, built if its sources have changed.

    Beside it stands `board.json`: the facts of board.h for these macros.

    Raises:
        BuildError: a tool is missing, or the compiler refused; its words are in the message.
    """
    if asan:
        target = replace(target, name=f"{target.name}-asan")
    command = _command(target, asan=asan)
    digest = _digest(command)
    folder = target.product.parent
    stamp = folder / "digest"
    if target.product.exists() and stamp.exists() and stamp.read_text() == digest:
        return target.product
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUTPUT, prefix=f".{target.name}-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        _make(target, command, made)
        (made / "digest").write_text(digest)
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        made.rename(folder)
    return target.product


def size_of(target: Build) -> Size:
    """Return what a program that is built takes.

    Raises:
        BuildError: binutils-avr is missing, or it is not built.
    """
    return size_in(target.product)


def size_in(program: Path) -> Size:
    """Return what a program in a file takes.

    Raises:
        BuildError: binutils-avr is missing, or there is no such file.
    """
    text, data, bss = map(int, _run(["avr-size", str(program)]).splitlines()[1].split()[:3])
    return Size(text + data, data + bss)


def facts_of(target: Build) -> dict[str, object]:
    """Return board.h as `board.json` of a build tells it."""
    facts: dict[str, object] = json.loads((target.product.parent / "board.json").read_text(encoding="utf-8"))
    return facts


def _command(target: Build, *, asan: bool) -> list[str]:
    defines = [f"-D{name}" for name in target.defines]
    if target.mcu is None:
        return ["g++", *HOST, *(SANITIZED if asan else ()), *WARNINGS, *defines, *_sources("core", "host")]
    if target.sketch:
        # As the IDE does: Arduino.h ahead of everything, and its warnings are not ours.
        sketch = [*IDE, *_local_flags("compiler.cpp"), *_includes(), "-include", "Arduino.h", "-x", "c++"]
        return ["avr-g++", f"-mmcu={target.mcu}", "-c", *sketch, *defines, str(UNO / "uno.ino")]
    roomy = target.flash >= ROOMY_FLASH
    command = [
        "avr-g++",
        f"-mmcu={target.mcu}",
        *(one for one in AVR if not (roomy and one in SLOWER)),
        *defines,
    ]
    # All sources at once, as the sketch takes them in: the compiler sees who uses what, and finds more to share.
    return [*command, *WARNINGS, "-x", "c++", str(UNO / "uno.ino"), "-x", "none"]


def _local_flags(what: str) -> list[str]:
    """Return the options that platform.local.txt adds to a recipe of the IDE."""
    lines = (UNO / "platform.local.txt").read_text(encoding="utf-8").splitlines()
    rows = dict(line.split("=", 1) for line in lines if "=" in line)
    return rows[f"{what}.extra_flags"].split()


def _sources(*folders: str) -> list[str]:
    found = [path for folder in folders for path in sorted((UNO / folder).rglob("*.cpp"))]
    # host/decision is a library of its own: the decision layer alone, with the coverage of its tables.
    found = [path for path in found if path.parent != UNO / "host" / "decision"]
    return [str(path) for path in found if path.name != "board_facts.cpp"]


def _includes() -> list[str]:
    return ["-I", str(ARDUINO / "cores" / "arduino"), "-I", str(ARDUINO / "variants" / "standard")]


def _digest(command: Sequence[str]) -> str:
    digest = hashlib.sha256("\0".join(command).encode())
    for path in sorted(UNO.rglob("*")):
        if path.suffix in {".hpp", ".h", ".cpp", ".ino", ".txt"}:
            digest.update(path.read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _make(target: Build, command: list[str], folder: Path) -> None:
    product = folder / target.product.name
    if target.sketch:
        sketch = folder / "sketch.o"
        _run([*command, "-o", str(sketch)])
        link = ["avr-gcc", *IDE_LINK, f"-mmcu={target.mcu}", *_local_flags("compiler.c.elf")]
        _run([*link, str(sketch), str(_arduino_core(folder)), "-lm", "-o", str(product)])
    else:
        _run([*command, "-o", str(product)])
    if target.mcu:
        _run(["avr-objcopy", "-O", "ihex", "-R", ".eeprom", str(product), str(product.with_suffix(".hex"))])
    facts = folder / "board_facts"
    defines = [f"-D{name}" for name in target.defines]
    _run(["g++", "-std=c++11", *defines, str(UNO / "host" / "board_facts.cpp"), "-o", str(facts)])
    (folder / "board.json").write_text(_run([str(facts)]), encoding="utf-8")
    facts.unlink()


def _arduino_core(folder: Path) -> Path:
    if not ARDUINO.exists():
        raise BuildError("the Arduino core is missing: apt install arduino-core-avr")
    objects = []
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for source in sorted((ARDUINO / "cores" / "arduino").iterdir()):
            if source.suffix not in {".c", ".cpp", ".S"}:
                continue
            compiler = ["avr-g++", "-std=gnu++11", "-fno-exceptions", "-fno-threadsafe-statics"]
            if source.suffix != ".cpp":
                compiler = ["avr-gcc", *(["-x", "assembler-with-cpp"] if source.suffix == ".S" else [])]
            made = Path(scratch) / f"{source.name}.o"
            _run(
                [
                    *compiler,
                    "-mmcu=atmega328p",
                    *ARDUINO_CORE,
                    *_includes(),
                    "-c",
                    str(source),
                    "-o",
                    str(made),
                ]
            )
            objects.append(str(made))
        archive = folder / "core.a"
        _run(["avr-gcc-ar", "rcs", str(archive), *objects])
    return archive


def _run(command: Sequence[str]) -> str:
    if shutil.which(command[0]) is None:
        raise BuildError(f"{command[0]} is missing: apt install gcc-avr avr-libc binutils-avr g++")
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        words = ran.stderr.strip().splitlines()
        raise BuildError("\n".join([f"{command[0]} failed:", *words[:SHOWN_LINES]]))
    return ran.stdout


def _report(names: Sequence[str]) -> str:
    lines = [f"{'build':<12}{'flash':>8}{'of':>8}{'':>6}{'RAM':>8}{'of':>7}"]
    for name in names:
        target = BUILDS[name]
        taken = size_of(target)
        share = 100 * taken.flash / target.flash
        lines.append(
            f"{name:<12}{taken.flash:>8}{target.flash:>8}{share:>5.0f}%{taken.ram:>8}{target.ram:>7}"
            + ("" if _has_room(target) else "  too large")
        )
    return "\n".join(lines) + "\n"


def _has_room(target: Build) -> bool:
    """Return whether the program leaves the boot loader its flash, and the stack its RAM."""
    taken = size_of(target)
    return taken.flash <= target.flash and taken.ram + STACK_AND_MARGIN <= target.ram


def _builds(target: Build, *, asan: bool) -> bool:
    try:
        product = build(target, asan=asan and target.mcu is None)
    except BuildError as error:
        print(f"{target.name}: {error}", file=sys.stderr)
        return False
    print(f"{target.name:<12}{product.relative_to(ROOT)}")
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of the command line: 0, or 1 where a build failed or is too large for its chip."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("all", help="every build for an AVR, with a report")
    commands.add_parser("list", help="the names of the builds")
    some = commands.add_parser("build", help="some builds")
    some.add_argument("names", nargs="+", choices=sorted(BUILDS), metavar="NAME")
    some.add_argument("--asan", action="store_true", help="host builds with AddressSanitizer and UBSan")
    chosen = parser.parse_args(arguments)
    if chosen.command == "list":
        print("\n".join(BUILDS))
        return 0
    names = FIRMWARE if chosen.command == "all" else tuple(chosen.names)
    asan = chosen.command == "build" and chosen.asan
    failed = [name for name in names if not _builds(BUILDS[name], asan=asan)]
    programs = [name for name in names if BUILDS[name].mcu and name not in failed]
    if programs:
        report = _report(programs)
        (OUTPUT / "sizes.txt").write_text(report, encoding="utf-8")
        print(report, end="")
    return 1 if failed or not all(_has_room(BUILDS[name]) for name in programs) else 0


if __name__ == "__main__":
    sys.exit(main())
