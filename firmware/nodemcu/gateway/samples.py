"""Telemetry of a PDU in few bytes, thinned when there is no room, and as JSON (MQTT-11, MQTT-20, MQTT-22).

Pure. Runs under MicroPython and CPython. Four outlets take 140 bytes; as JSON they would take three times as much.
"""

import struct

from outbox import Outbox, gap_fields

HEAD = "<IIQHB4iIb"  # first, seq, up_ms, samples, flags, two sources, heap, rssi
OUTLET = "<BiiQii"  # flags, i_ma, p_mw, e_mwh, least and most p_mw
HEAD_SIZE = struct.calcsize(HEAD)
OUTLET_SIZE = struct.calcsize(OUTLET)
NONE = -(1 << 31)
NO_ENERGY = (1 << 64) - 1

ON = BACKUP = 1  # flag of an outlet, flag of the head
LIVE = 2
Q_OUTLET, Q_MAIN, Q_BACKUP = 1, 2, 4  # where the two bits of a quality begin
QUALITY = ("", ',"q":"stale"', ',"q":"invalid"', "")

FEW = 40  # records below which four become one, for ten would be most of them
SAMPLES_MAX = 3600  # an hour: what is thinner than that tells nothing any more
SMALL_OUTLETS, SMALL_MAX, LARGE_MAX = 4, 511, 4096  # MQTT-2

SOURCES = '"active":"%s","live":%s,"src":{"main":%s,"backup":%s},"out":[%s]'
SOURCE = '{"v_mv":%s,"f_mhz":%s%s}'
READING = '{"n":%d,"on":%s,"i_ma":%s,"p_mw":%s,"e_mwh":%s%s%s}'
EXTREMES = ',"p_min_mw":%s,"p_max_mw":%s'


class Telemetry(Outbox):
    """The telemetry of this boot, as `pack` makes it."""

    def span(self, at: int) -> tuple:
        """Return the first and last number of a record."""
        item = self.held[at]
        return item[:2] if isinstance(item, tuple) else struct.unpack_from("<II", item)

    def count(self, at: int) -> int | None:
        """Return how many samples a record was made of, None when unknown."""
        item = self.held[at]
        return item[4] if isinstance(item, tuple) else struct.unpack_from("<H", item, 16)[0]

    def when(self, at: int) -> int:
        """Return the uptime of the last sample of a record."""
        item = self.held[at]
        return item[2] if isinstance(item, tuple) else struct.unpack_from("<Q", item, 8)[0]

    def thin(self) -> None:
        """Make the oldest records coarser, the finest first; what cannot be coarser is lost as a gap (MQTT-17)."""
        many = 4 if self.capacity < FEW else 10
        start = self._neighbours(many)
        if start is None:
            many = 2
            start = self._pair()
        if start is None:
            super().thin()
        else:
            self.held[start : start + many] = [merge(self.held[start : start + many])]

    def _pair(self) -> int | None:
        """Return where the oldest two neighbours of the fewest samples together begin."""
        best = None
        least = SAMPLES_MAX + 1
        for at in range(self.sent, len(self.held) - 2):
            pair = self.held[at : at + 2]
            together = SAMPLES_MAX + 1
            if not isinstance(pair[0], tuple) and not isinstance(pair[1], tuple):
                together = self.count(at) + self.count(at + 1)
            if together < least:
                best, least = at, together
        return best

    def _neighbours(self, many: int) -> int | None:
        """Return where the oldest `many` neighbours of equally many samples begin, those of fewest samples first."""
        best = least = None
        run = before = 0
        for at in range(self.sent, len(self.held) - 1):  # the newest stays as it is
            samples = 0 if isinstance(self.held[at], tuple) else self.count(at)
            run = run + 1 if samples == before else 1
            before = samples
            if run == many and 0 < samples * many <= SAMPLES_MAX and (least is None or samples < least):
                best, least = at - many + 1, samples
        return best


def pack(seq: int, up_ms: int, sample: tuple, heap: int, rssi: int) -> bytes:
    """Return the record of one sample; `boxes.Boxes.add_telemetry` says what a sample is."""
    backup, live, main, other, outlets = sample
    flags = BACKUP * bool(backup) | LIVE * bool(live) | main[2] << Q_MAIN | other[2] << Q_BACKUP
    sources = [NONE if one is None else one for one in (main[0], main[1], other[0], other[1])]
    data = struct.pack(HEAD, seq, seq, up_ms, 1, flags, *sources, heap, rssi)
    for on, i_ma, p_mw, e_mwh, q in outlets:
        current, power = [NONE if one is None else one for one in (i_ma, p_mw)]
        energy = NO_ENERGY if e_mwh is None else e_mwh
        data += struct.pack(OUTLET, ON * bool(on) | q << Q_OUTLET, current, power, energy, power, power)
    return data


def merge(records: list) -> bytes:
    """Return one thinned record for neighbours: averages, least and most power, the rest of the last (MQTT-11)."""
    heads = [struct.unpack_from(HEAD, record) for record in records]
    weights = [head[3] for head in heads]
    last = heads[-1]
    sources = [_average([head[at] for head in heads], weights) for at in range(5, 9)]
    data = struct.pack(HEAD, heads[0][0], last[1], last[2], sum(weights), last[4], *sources, 0, 0)
    for at in range(HEAD_SIZE, len(records[-1]), OUTLET_SIZE):
        outlets = [struct.unpack_from(OUTLET, record, at) for record in records if len(record) > at]
        means = [_average([one[place] for one in outlets], weights[-len(outlets) :]) for place in (1, 2)]
        low = min([one[4] for one in outlets if one[4] != NONE] or [NONE])
        data += struct.pack(
            OUTLET, outlets[-1][0], *means, outlets[-1][3], low, max([one[5] for one in outlets])
        )
    return data


def _average(values: list, weights: list) -> int:
    """Return the weighted mean of what is known, rounded."""
    known = [(value, weight) for value, weight in zip(values, weights) if value != NONE]
    total = sum([weight for _, weight in known])
    return (2 * sum([value * weight for value, weight in known]) + total) // (2 * total) if total else NONE


def fields(record: bytes | tuple, head: int) -> str:
    """Return the JSON fields of a record, without braces.

    They are short enough for MQTT-2 behind `head` more bytes: where they are not, the outlets whose power has changed
    least go without their extremes (MQTT-11), and then heap and rssi are left out.
    """
    if isinstance(record, tuple):
        return gap_fields(record)
    count = (len(record) - HEAD_SIZE) // OUTLET_SIZE
    room = (SMALL_MAX if count <= SMALL_OUTLETS else LARGE_MAX) - head
    spreads = [(_spread(record, at), at) for at in range(count)]
    bare = set()
    text = _text(record, count, bare)
    while len(text) > room and spreads:
        least = min(spreads)
        spreads.remove(least)
        bare.add(least[1])
        text = _text(record, count, bare)
    return text if len(text) <= room else _text(record, count, bare, extra=False)


def _text(record: bytes, count: int, bare: set, extra: bool = True) -> str:
    first, seq, _, samples, flags, v_main, f_main, v_other, f_other, heap, rssi = struct.unpack_from(
        HEAD, record
    )
    text = '"from":%d,' % first if first != seq else ""
    if samples > 1 and samples != seq - first + 1:
        text += '"samples":%d,' % samples
    if extra and heap:
        text += '"heap_b":%d,' % heap
    if extra and rssi:
        text += '"rssi_dbm":%d,' % rssi
    outlets = ",".join([_outlet(record, at, samples > 1 and at not in bare) for at in range(count)])
    active = ("main", "backup")[flags & BACKUP]
    main, other = _source(v_main, f_main, flags >> Q_MAIN), _source(v_other, f_other, flags >> Q_BACKUP)
    return text + SOURCES % (active, _word(flags & LIVE), main, other, outlets)


def _source(v_mv: int, f_mhz: int, quality: int) -> str:
    return SOURCE % (_known(v_mv), _known(f_mhz), QUALITY[quality & 3])


def _outlet(record: bytes, at: int, extremes: bool) -> str:
    flags, i_ma, p_mw, energy, low, high = _unpacked(record, at)
    more = EXTREMES % (_known(low), _known(high)) if extremes else ""
    e_mwh = "null" if energy == NO_ENERGY else energy
    quality = QUALITY[flags >> Q_OUTLET & 3]
    return READING % (at + 1, _word(flags & ON), _known(i_ma), _known(p_mw), e_mwh, more, quality)


def _spread(record: bytes, at: int) -> int:
    _, _, _, _, low, high = _unpacked(record, at)
    return high - low


def _unpacked(record: bytes, at: int) -> tuple:
    return struct.unpack_from(OUTLET, record, HEAD_SIZE + at * OUTLET_SIZE)


def _known(value: int) -> object:
    return "null" if value == NONE else value


def _word(true: int) -> str:
    return "true" if true else "false"
