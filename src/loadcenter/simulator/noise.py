"""Numbers that look random and are a function of a seed and the time, so that a run repeats however it is stepped."""


def noise(seed: int, slot: int) -> float:
    """Return a number between -1 and 1 that looks random, but is the same for the same arguments."""
    mixed = (seed * 0x9E3779B97F4A7C15 + slot * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 31)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (mixed >> 11) / 2**52 - 1


def drift(seed: int, now_ms: int, period_ms: int) -> float:
    """Return a number between -1 and 1 that wanders smoothly, with a new direction every `period_ms`."""
    slot, rest = divmod(now_ms, period_ms)
    before, after = noise(seed, slot), noise(seed, slot + 1)
    part = rest / period_ms
    return before + (after - before) * part * part * (3 - 2 * part)
