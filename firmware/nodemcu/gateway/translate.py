"""From the numbers of the serial line to the words of MQTT (SER-12, SER-13, MQTT-20 to MQTT-35). Pure."""

import words
from words import word

# Places in a T, as spec/serial.toml orders them.
UP_MS, SETTINGS, THROWN, UNKNOWN, LOST, DROPPED, ACTIVE, LIVE, ISOLATOR, LOCKOUT = range(10)
SOURCES_AT = 13
GRADE, SOURCE_NUMBERS = 2, 3
OUTLETS_AT = SOURCES_AT + 2 * SOURCE_NUMBERS
ON, CAUSE, TRIP, LOCK, CURRENT, POWER, ENERGY = range(7)
OUTLET_NUMBERS = 7

# Places in an E.
EVENT_UP_MS, CODE, OUT, SRC, BY_CAUSE, BECAUSE, DATA = range(7)

# Ranges of spec/points.toml, from 0.
VOLTAGE_MAX_MV, FREQUENCY_MAX_MHZ, CURRENT_MAX_MA, POWER_MAX_MW = 400000, 80000, 100000, 40000000
ENERGY_MAX_MWH = (1 << 48) - 1

SOURCES = ("main", "backup")
PERSON = ("person_on", "person_off")
TRUTHS = ("on",)
FIRMWARE_MAJOR, FIRMWARE_MINOR = 10000, 100


def is_whole(numbers: list, outlets: int) -> bool:
    """Return whether a T tells all of that many outlets, and what may not be unknown."""
    if len(numbers) < OUTLETS_AT + outlets * OUTLET_NUMBERS:
        return False
    known = numbers[: LOCKOUT + 1] + [numbers[outlet_at(n) + ON] for n in range(1, outlets + 1)]
    return None not in known


def outlet_at(n: int) -> int:
    """Return where an outlet begins in a T."""
    return OUTLETS_AT + (n - 1) * OUTLET_NUMBERS


def firmware(number: int) -> str:
    """Return the version of the UNO's firmware in words."""
    rest = number % FIRMWARE_MAJOR
    return "%d.%d.%d" % (number // FIRMWARE_MAJOR, rest // FIRMWARE_MINOR, rest % FIRMWARE_MINOR)


def state(numbers: list, outlets: int, by: dict) -> dict:
    """Return the fields of `up/state` that a T tells (MQTT-30); `by` names who asked for an outlet."""
    grades = [word(words.WORDS_GRADE, numbers[SOURCES_AT + at * SOURCE_NUMBERS + GRADE]) for at in (0, 1)]
    return {
        "active": word(words.WORDS_SOURCE, numbers[ACTIVE]) or "main",
        "live": numbers[LIVE] == 1,
        "isolator": "closed" if numbers[ISOLATOR] else "open",
        "src": {name: grades[at] or "bad" for at, name in enumerate(SOURCES)},
        "out": [outlet(numbers, n, by) for n in range(1, outlets + 1)],
        "settings": numbers[SETTINGS],
        "lockout": numbers[LOCKOUT] == 1,
    }


def outlet(numbers: list, n: int, by: dict) -> dict:
    """Return one outlet of a state."""
    at = outlet_at(n)
    on = numbers[at + ON] == 1
    fields = {"n": n, "on": on}
    fields["cause"] = word(words.CAUSES, numbers[at + CAUSE]) or "restore"
    if by.get(n) and fields["cause"] in PERSON:
        fields["by"] = by[n]
    trip = word(words.TRIPS, numbers[at + TRIP])
    if trip:
        fields["trip"] = trip
    if numbers[at + LOCK]:
        fields["lock"] = True
    return fields


def event(numbers: list, nominal_mv: int) -> dict | None:
    """Return the fields of `up/event` that an E tells (MQTT-35), None if its code has no word here."""
    code = word(words.EVENTS, numbers[CODE])
    if not code:
        return None
    fields = {"code": code}
    if numbers[OUT]:
        fields["out"] = numbers[OUT]
    if numbers[SRC] in (1, 2):
        fields["src"] = SOURCES[numbers[SRC] - 1]
    cause = word(words.CAUSES, numbers[BY_CAUSE])
    if cause:
        fields["cause"] = cause
    data = measured(code, numbers[DATA:], nominal_mv)
    if code == "transfer" and "src" in fields:
        data["to"] = fields["src"]
        data["from"] = SOURCES[2 - numbers[SRC]]
    if data:
        fields["data"] = data
    return fields


def measured(code: str, numbers: list, nominal_mv: int) -> dict:
    """Return the data of an event: each number by its name and unit, each word as a word."""
    data = {}
    keys = words.EVENT_DATA[code].split(" ") if code in words.EVENT_DATA else ()
    for key, value in zip(keys, numbers):  # the last ones may be left out, and a newer firmware may say more
        name, _, table = key.partition(":")
        if table:
            data[name] = word(
                words.TRIPS if table == "trip" else getattr(words, "WORDS_" + table.upper()), value
            )
        elif name == "rung":
            data.update(rung(value, nominal_mv))
        elif name == "measured":
            data[unit(data)] = value
        else:
            data[name] = value == 1 if name in TRUTHS else value
    return data


def rung(number: int, nominal_mv: int) -> dict:
    """Return what row `number` of the ladder compares with."""
    if not 0 <= number < len(words.RUNGS):
        return {"rung": str(number)}
    name, way, limit, dwell_ms = words.RUNGS[number].split(" ")
    data = {"rung": name, "dwell_ms": int(dwell_ms)}
    if way == "frequency":
        data["limit_mhz"] = int(limit)
    else:
        data["limit_mv"] = nominal_mv * int(limit) // 1000
    return data


def unit(data: dict) -> str:
    """Return the name of what was measured, by what it was compared with."""
    if "trip" in data:
        return "p_mw" if data["trip"] == "overpower" else "i_ma"
    return "measured_mhz" if "limit_mhz" in data else "measured_mv"


def sample(numbers: list, outlets: int, energies: list, *, stale: bool) -> tuple:
    """Return a sample as the boxes take it (MQTT-20); where it is stale nothing that was measured is told (MQTT-22).

    Args:
        numbers: of a T.
        outlets: how many.
        energies: the counter of each outlet, which goes nowhere but up.
        stale: the T is an old one.
    """
    sources = [source(numbers, SOURCES_AT + at * SOURCE_NUMBERS, stale=stale) for at in (0, 1)]
    found = []
    for n in range(1, outlets + 1):
        at = outlet_at(n)
        current = None if stale else within(numbers[at + CURRENT], CURRENT_MAX_MA)
        power = None if stale else within(numbers[at + POWER], POWER_MAX_MW)
        found.append(
            (numbers[at + ON] == 1, current, power, energies[n - 1], quality(current, power, stale=stale))
        )
    return (numbers[ACTIVE] == 1, numbers[LIVE] == 1, sources[0], sources[1], found)


def source(numbers: list, at: int, *, stale: bool) -> tuple:
    """Return voltage, frequency and quality of a source; a dead one has no frequency, and that is no fault."""
    voltage = None if stale else within(numbers[at], VOLTAGE_MAX_MV)
    frequency = None if stale else within(numbers[at + 1], FREQUENCY_MAX_MHZ)
    return voltage, frequency, quality(voltage, stale=stale)


def within(value: int | None, high: int) -> int | None:
    """Return a reading as the contract takes it: what flows back counts as none, what cannot be is not known."""
    return None if value is None or value > high else max(0, value)


def quality(*values: int | None, stale: bool) -> int:
    """Return 1 for values that are stale, 2 where one is not known, else 0."""
    if stale:
        return 1
    return 2 if None in values else 0
