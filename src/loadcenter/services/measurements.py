"""What analytics asks of the database and of the calendar."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from loadcenter.domain.analysis.load_profile import Demand
from loadcenter.domain.analysis.metering import Metered
from loadcenter.domain.analysis.voltage_quality import VoltageBin, VoltageMean
from loadcenter.domain.analysis.wall import WallClock
from loadcenter.domain.rollups import SourceRollup, Stat, Tier
from loadcenter.domain.tariffs import LocalTime
from loadcenter.domain.topology import Source
from loadcenter.services.ports import EventFilter, StoredEvent


class Measurements(Protocol):
    """What analytics asks of the database, which reckons it itself: a year comes back as few rows.

    Every method may raise `StoreUnavailableError`.
    """

    async def outlets_between(self, pdu_id: str, since_ms: int, until_ms: int) -> list[int]:
        """Return the outlets that have days with readings with since <= start < until, in order."""
        ...

    async def metered(
        self, pdu_id: str, outlet: int, since_ms: int, until_ms: int, wall: WallClock
    ) -> list[Metered]:
        """Return the energy of an outlet's quarters with since <= start < until, in order, grouped by `wall.span`.

        The first one holds what its counter went on since the last reading before `since_ms`, whenever that was.
        """
        ...

    async def hours_of_week(
        self, pdu_id: str, outlet: int, since_ms: int, until_ms: int, wall: WallClock
    ) -> dict[tuple[int, int], Stat]:
        """Return the power of an outlet by (weekday, hour) of the wall; hours without readings are absent."""
        ...

    async def highest_mean(
        self, pdu_id: str, outlets: Sequence[int], since_ms: int, until_ms: int
    ) -> Demand | None:
        """Return the highest sum of the outlets' mean powers over a quarter, the earliest of equals.

        Only of quarters in which each of them is covered well enough (`DEMAND_COVERAGE_MS`); None if there is none.
        """
        ...

    async def highest_reading(
        self, tier: Tier, pdu_id: str, outlet: int, since_ms: int, until_ms: int
    ) -> Demand | None:
        """Return the highest reading and the first bucket that holds it, None where nothing was read."""
        ...

    async def power_levels(
        self, pdu_id: str, outlet: int, spans: Sequence[tuple[int, int]]
    ) -> dict[int, int]:
        """Return the covered time in ms by level of one-minute mean power, in steps of `LEVEL_MW`.

        Only of minutes with since <= start < until of one of the spans, in which the outlet had voltage throughout.
        """
        ...

    async def source_rollups(
        self, tier: Tier, pdu_id: str, source: Source, since_ms: int, until_ms: int
    ) -> list[tuple[int, SourceRollup]]:
        """Return (start_ms, rollup) of a source with since <= start < until, in order."""
        ...

    async def voltage_means(
        self, pdu_id: str, source: Source, since_ms: int, until_ms: int
    ) -> list[VoltageMean]:
        """Return ten-minute values of voltage with readings, with since <= start < until, in order."""
        ...

    async def voltage_bins(
        self, pdu_id: str, source: Source, since_ms: int, until_ms: int, nominal_mv: int, wall: WallClock
    ) -> list[VoltageBin]:
        """Return the same values counted by local day and percent of `nominal_mv`, those with too few readings left out.

        `start_ms` of a bin is that of its earliest value. The order is of no meaning.
        """
        ...

    async def events(self, wanted: EventFilter) -> list[StoredEvent]:
        """Return events, newest first, at most `limit`."""
        ...


class SiteTime(Protocol):
    """The clock on the site's wall."""

    @property
    def zone(self) -> str:
        """IANA name of the time zone."""
        ...

    def local(self, ts_ms: int) -> LocalTime:
        """Return the site's date and minute at `ts_ms`."""
        ...

    def midnight_ms(self, day: date) -> int:
        """Return UTC ms at which `day` begins at the site."""
        ...
