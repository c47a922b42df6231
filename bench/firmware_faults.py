"""What the real firmware makes of garbage on its line and of bits that flip (F13, F6)."""

import random
from collections import Counter

from bench.figures import Figure, Figures
from tests.firmware.flips import Fate, Flip, ready, suffer
from tests.firmware.garbage import garbage, quiet_after
from tests.firmware.rig import Program, Rig, forked

BYTES = 1_000_000
PARTS = 20
FLIPS = 2000


def noise(scale: float) -> Figures:
    """Return the figures of random bytes into the UART, at the speed of the line and with its two places."""
    rig = Rig(Program.built("uno"))
    rig.load_all(2.0)
    rig.start_all()
    each = max(2000, round(BYTES * scale / PARTS))

    def suffered(seed: int) -> tuple[bool, int]:
        rig.emulator.stats(clear=True)
        quiet = quiet_after(rig, garbage(random.Random(seed), each, rig.session))
        return quiet, rig.emulator.stats().overruns

    found = forked(suffered, range(PARTS))
    rig.close()
    moved = sum(not quiet for quiet, _ in found)
    lost = sum(overruns for _, overruns in found)
    return {
        "F13_uart_actuations": Figure(
            moved, "parts", "0", note=f"{each * PARTS} bytes in {PARTS} parts; crashes count too"
        ),
        "F13_uart_overruns": Figure(
            lost, "bytes", "0", note="bytes that found both places of the receiver taken"
        ),
    }


def flips(scale: float) -> Figures:
    """Return the figures of flipped bits in registers and RAM."""
    rig = ready(Program.built("uno"))
    found: list[Flip] = forked(lambda seed: suffer(rig, seed), range(max(10, round(FLIPS * scale))))
    rig.close()
    fates = Counter(one.fate for one in found)
    bad = [one for one in found if one.fate is Fate.UNSAFE]
    seen = len(found) - fates[Fate.UNSEEN]
    shares = ", ".join(f"{fate.value} {fates[fate]}" for fate in Fate)
    return {
        "F6_flips_unsafe": Figure(
            len(bad),
            "flips",
            "0, or each explained",
            note=f"{len(found)} flips: {shares}"
            + "".join(f"; {one.address:#x} bit {one.bit}: {one.why}" for one in bad[:20]),
        ),
        "F6_flips_detected": Figure(
            100 * fates[Fate.DETECTED] / max(1, seen), "%", note="of the flips that had an effect"
        ),
    }
