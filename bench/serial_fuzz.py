"""Lines that no gateway would send, into the UNO's firmware on this machine under AddressSanitizer and UBSan (figure F13)."""

from bench import figures
from bench.figures import Figure, Figures, number
from tests.firmware import serial_fuzz

LINES = 10_000_000
HARMLESS = ("noise", "garbled", "other_session", "idle")


def main() -> Figures:
    """Measure. LINES and SEED of the environment say how many, and which."""
    lines, seed = int(number("LINES", LINES)), int(number("SEED", 1))
    found = serial_fuzz.run(lines, seed)
    moved = sum(found[kind][what] for kind in HARMLESS for what in ("commands", "emergencies", "applied"))
    acting = found["acting"]
    return {
        "F13_uno_lines": Figure(
            lines, "lines", ">= 10,000,000", note=f"seed {seed}; no sanitizer found a fault"
        ),
        "F13_uno_actuations": Figure(
            moved,
            "actuations",
            "0",
            ablation={key: acting[key] for key in ("commands", "emergencies", "applied")},
            note="the ablation: what as many acting lines of the right session move",
        ),
    }


if __name__ == "__main__":
    figures.run("serial_fuzz", main)
