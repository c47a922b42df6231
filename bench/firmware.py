"""The UNO firmware in an emulated AVR: figures F1 to F6 and part of F13 (`make bench-firmware`; `PARTS=F1,F3` and `SCALE=` narrow it)."""

from bench.figures import Figures, settings, write
from bench.firmware_cost import f6
from bench.firmware_faults import flips, noise
from bench.firmware_metering import f5
from bench.firmware_protection import f3, f4
from bench.firmware_transfer import f1, f2

PARTS = {"F1": f1, "F2": f2, "F3": f3, "F4": f4, "F5": f5, "F6": f6, "F13": noise, "FLIPS": flips}


def main() -> None:
    """Measure, print and write."""
    asked = settings(scale=1.0)
    for name, measure in PARTS.items():
        if asked.wants(name):
            figures: Figures = measure(asked.scale)
            write("firmware", figures)


if __name__ == "__main__":
    main()
