"""Outages and transfers of a PDU out of its events: how often, how long, from which source, and why.

A PDU without any power is silent: that time is told by nobody. So availability has two bounds, one that counts time
without readings as dead and one that counts it as live.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loadcenter.domain.analysis.disturbances import Noted
from loadcenter.domain.analysis.periods import share
from loadcenter.domain.events import EventCode
from loadcenter.domain.topology import Source


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which the outlets were dead; `ended` tells whether its end was told."""

    since_ms: int
    until_ms: int
    ended: bool

    @property
    def duration_ms(self) -> int:
        """How long it lasted, as far as is known."""
        return self.until_ms - self.since_ms


@dataclass(frozen=True, slots=True)
class Supply:
    """How a PDU was supplied over a period.

    Attributes:
        outages: within the period, cut at its bounds.
        on_backup_ms: time that the transfer switch stood at BACKUP.
        position_known_ms: time that its position is known for.
        transfers: how many, by cause.
        elapsed_ms: length of the period as far as it is over.
        covered_ms: time of it that readings stand for.
    """

    outages: Sequence[Outage]
    on_backup_ms: int
    position_known_ms: int
    transfers: Mapping[str, int]
    elapsed_ms: int
    covered_ms: int

    @property
    def outage_ms(self) -> int:
        """Time of all outages."""
        return sum(one.duration_ms for one in self.outages)

    @property
    def longest_ms(self) -> int:
        """Time of the longest outage, 0 without one."""
        return max((one.duration_ms for one in self.outages), default=0)

    def availability(self) -> tuple[float, float] | None:
        """Return the part of the time that the outlets had power, at least and at most; None for no time."""
        least = share(max(self.covered_ms - self.outage_ms, 0), self.elapsed_ms)
        most = share(max(self.elapsed_ms - self.outage_ms, 0), self.elapsed_ms)
        return None if least is None or most is None else (min(least, most), most)


def supply(events: Sequence[Noted], since_ms: int, until_ms: int, covered_ms: int) -> Supply:
    """Return how a PDU was supplied from `since_ms` until `until_ms`.

    Args:
        events: of one PDU in order of time: outage, outage_end, transfer and boot; also the last of them before the
            period, which tells how things stood at its beginning.
        since_ms: begin, UTC.
        until_ms: end of what is over, UTC.
        covered_ms: time within it that readings stand for.
    """
    transfers: dict[str, int] = {}
    for event in events:
        if event.code == EventCode.TRANSFER and since_ms <= event.ts_ms < until_ms:
            cause = str(event.cause or "unknown")
            transfers[cause] = transfers.get(cause, 0) + 1
    on_backup_ms, known_ms = _positions(events, since_ms, until_ms)
    return Supply(
        _outages(events, since_ms, until_ms),
        on_backup_ms,
        known_ms,
        dict(sorted(transfers.items())),
        until_ms - since_ms,
        covered_ms,
    )


def _outages(events: Iterable[Noted], since_ms: int, until_ms: int) -> list[Outage]:
    found: list[Outage] = []
    begun_ms: int | None = None
    for event in events:
        if event.code == EventCode.OUTAGE:
            begun_ms = event.ts_ms if begun_ms is None else begun_ms
        elif event.code == EventCode.OUTAGE_END:
            # the outage began a little before it was told, and its end says how long it was
            lasted_ms = event.data.get("outage_ms")
            if isinstance(lasted_ms, int):
                begun_ms = event.ts_ms - lasted_ms
            if begun_ms is not None:
                found.append(Outage(begun_ms, event.ts_ms, ended=True))
            begun_ms = None
        elif event.code == EventCode.BOOT and begun_ms is not None:
            found.append(Outage(begun_ms, event.ts_ms, ended=False))
            begun_ms = None
    if begun_ms is not None:
        found.append(Outage(begun_ms, until_ms, ended=False))
    return [
        Outage(max(one.since_ms, since_ms), min(one.until_ms, until_ms), one.ended)
        for one in found
        if one.until_ms > since_ms and one.since_ms < until_ms
    ]


def _positions(events: Iterable[Noted], since_ms: int, until_ms: int) -> tuple[int, int]:
    """Return (time at BACKUP, time that the position is known)."""
    position: Source | None = None
    at_ms, on_backup_ms, known_ms = since_ms, 0, 0
    for event in (*events, Noted(until_ms, "")):
        ts_ms = min(max(event.ts_ms, since_ms), until_ms)
        if event.code == EventCode.TRANSFER and position is None:
            position = _source(event.data.get("from"))
        if position is not None:
            known_ms += ts_ms - at_ms
            on_backup_ms += ts_ms - at_ms if position is Source.BACKUP else 0
        at_ms = ts_ms
        if event.code == EventCode.BOOT:
            position = Source.MAIN  # where the changeover rests without a coil current
        elif event.code == EventCode.TRANSFER:
            position = event.source
    return on_backup_ms, known_ms


def _source(word: object) -> Source | None:
    return next((source for source in Source if source == word), None)
