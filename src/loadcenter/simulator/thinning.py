"""How a full outbox makes room: old telemetry becomes coarser, and only then is it lost, as a gap (MQTT-17)."""

from collections.abc import Sequence
from typing import cast

from loadcenter.simulator.encode import Body, Record, gap_record

STEPS: tuple[tuple[int, int], ...] = ((1, 10), (10, 6))
"""(samples of a record, how many of them become one): seconds to tens of seconds, those to minutes."""


def thin(records: list[Record]) -> list[Record]:
    """Return `records` with fewer entries, the oldest made coarser or, where that is not possible, lost.

    The newest record is never touched.
    """
    for samples, count in STEPS:
        start = _run(records, samples, count)
        if start is not None:
            merged = merge(records[start : start + count])
            return [*records[:start], merged, *records[start + count :]]
    return [_lose(records[0], records[1]), *records[2:]]


def _run(records: Sequence[Record], samples: int, count: int) -> int | None:
    """Return where the oldest `count` neighbours of `samples` samples each begin, None if there are none."""
    found = 0
    for index, record in enumerate(records[:-1]):
        found = found + 1 if record.samples == samples else 0
        if found == count:
            return index - count + 1
    return None


def _lose(first: Record, second: Record) -> Record:
    counts = (first.count, second.count)
    total = None if counts[0] is None or counts[1] is None else counts[0] + counts[1]
    return gap_record("overflow", first.first, second.seq, second.up_ms, total)


def merge(records: Sequence[Record]) -> Record:
    """Return one thinned record for neighbours: averages, and lowest and highest power (MQTT-11)."""
    last = records[-1]
    weights = [record.samples for record in records]
    body = dict(last.body)
    body["src"] = {
        source: _average([_part(record, "src")[source] for record in records], ("v_mv", "f_mhz"), weights)
        for source in _part(last, "src")
    }
    body["out"] = [
        _outlet([cast("list[Body]", record.body["out"])[index] for record in records], weights)
        for index in range(len(cast("list[Body]", last.body["out"])))
    ]
    return Record(records[0].first, last.seq, last.up_ms, body, sum(weights))


def _part(record: Record, name: str) -> dict[str, Body]:
    return cast("dict[str, Body]", record.body[name])


def _outlet(entries: Sequence[Body], weights: Sequence[int]) -> Body:
    merged = _average(entries, ("i_ma", "p_mw"), weights)
    lows = [entry.get("p_min_mw", entry["p_mw"]) for entry in entries]
    highs = [entry.get("p_max_mw", entry["p_mw"]) for entry in entries]
    known_lows = [low for low in lows if isinstance(low, int)]
    known_highs = [high for high in highs if isinstance(high, int)]
    merged["p_min_mw"] = min(known_lows) if known_lows else None
    merged["p_max_mw"] = max(known_highs) if known_highs else None
    return merged


def _average(entries: Sequence[Body], names: Sequence[str], weights: Sequence[int]) -> Body:
    """Return the last entry with the named values averaged over those that are known."""
    merged = dict(entries[-1])
    for name in names:
        known = [
            (value, weight)
            for value, weight in (
                (entry[name], weight) for entry, weight in zip(entries, weights, strict=True)
            )
            if isinstance(value, int)
        ]
        total = sum(weight for _, weight in known)
        merged[name] = round(sum(value * weight for value, weight in known) / total) if total else None
    return merged
