"""The bench of the golden decision traces: what happens in a scene becomes what is measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadcenter.domain.commands import Order
from loadcenter.domain.pdu import Drives, PduInputs
from loadcenter.domain.qualification import MEASURABLE_PERMILLE, SourceInput
from loadcenter.domain.standing import NOTHING_DONE, Acted, FastTrip, Standing
from loadcenter.domain.topology import Source
from loadcenter.domain.transfer import RESIDUAL_PERMILLE

NOMINAL_MV = 230_000
NOMINAL_V = 230
NOMINAL_MHZ = 50_000
LIVE_PERMILLE = 400
DETECTION_US = 2400
"""What the two-point detector takes for a source that is gone; the sampler's own tests measure it."""

MAIN, BACKUP = Source.MAIN, Source.BACKUP


@dataclass(frozen=True)
class At:
    """What happens at one instant; what is not named stays as it is.

    Attributes:
        ms: when, from the start.
        main: permille of the nominal voltage.
        backup: likewise.
        mhz: frequency.
        halves: permille of the lowest and of the highest half cycle, beside what the RMS says; an empty one ends it.
        loads: current that an outlet draws while it is fed, in mA.
        welded: outlets whose relay does not open.
        faulty: outlets whose current sensor does not tell.
        dead: the bus carries nothing, whatever the relays do.
        shorted: an outlet that the instantaneous trip opens ahead of this step, with the peak in mA.
        starts: outlets whose load starts by itself ahead of this step.
        orders: what people ask.
    """

    ms: int
    main: int | None = None
    backup: int | None = None
    mhz: Mapping[Source, int] | None = None
    halves: Mapping[Source, tuple[int, int]] | None = None
    loads: Mapping[int, int] | None = None
    welded: frozenset[int] | None = None
    faulty: frozenset[int] | None = None
    dead: bool | None = None
    shorted: tuple[FastTrip, ...] = ()
    starts: tuple[int, ...] = ()
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True)
class Scene:
    """One trace to be.

    Attributes:
        name: what it shows.
        ends_ms: when it ends.
        happens: in order of time.
        step_ms: length of a step.
        settings: that differ from the defaults; those of an outlet as `name.outlet`.
        kept: of an outlet, what differs from a new one.
        loads: as in `At`, from the start.
    """

    name: str
    ends_ms: int
    happens: tuple[At, ...] = ()
    step_ms: int = 10
    settings: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    loads: tuple[int, int, int, int] = (800, 800, 0, 0)


class Bench:
    """Turns what happens into what is measured, and does at once what the last step has allowed."""

    def __init__(self, scene: Scene) -> None:
        self._permille = {MAIN: 1000, BACKUP: 1000}
        self._mhz = {MAIN: NOMINAL_MHZ, BACKUP: NOMINAL_MHZ}
        self._halves: Mapping[Source, tuple[int, int]] = {}
        self._loads = dict(enumerate(scene.loads, 1))
        self._welded: frozenset[int] = frozenset()
        self._faulty: frozenset[int] = frozenset()
        self._dead = False

    def step(self, now: At | None, drives: Drives, standing: Standing) -> PduInputs:
        """Return what is measured after `now` has happened."""
        if now is not None:
            self._follow(now)
        acted = self._at_once(now, drives, standing)
        active = self._permille[drives.changeover]
        live = drives.isolator_closed and active >= LIVE_PERMILLE and not self._dead and not acted.opened
        if acted.swung:
            live = False
        currents = tuple(self._current(number, drives, live, acted) for number in range(1, 5))
        main, backup = (self._reading(source, drives, standing, acted) for source in Source)
        return PduInputs(
            main,
            backup,
            currents,
            live,
            0 if main.frequency_mhz and backup.frequency_mhz else None,
            powers_mw=tuple(current * NOMINAL_V for current in currents),
            faulty=self._faulty,
            acted=acted,
        )

    def _follow(self, now: At) -> None:
        if now.main is not None:
            self._permille[MAIN] = now.main
        if now.backup is not None:
            self._permille[BACKUP] = now.backup
        self._mhz |= now.mhz or {}
        self._halves = self._halves if now.halves is None else now.halves
        self._loads |= now.loads or {}
        self._welded = self._welded if now.welded is None else now.welded
        self._faulty = self._faulty if now.faulty is None else now.faulty
        self._dead = self._dead if now.dead is None else now.dead

    def _at_once(self, now: At | None, drives: Drives, standing: Standing) -> Acted:
        shorted, starts = (now.shorted, now.starts) if now else ((), ())
        active = self._permille[drives.changeover]
        if active < standing.at_once_permille and standing.leave and not shorted:
            swung = active <= RESIDUAL_PERMILLE
            return Acted(swung=swung, opened=not swung)
        return Acted(tripped=shorted, masked=starts) if shorted or starts else NOTHING_DONE

    def _current(self, number: int, drives: Drives, live: bool, acted: Acted) -> int:
        opened = any(fast.outlet == number for fast in acted.tripped)
        on = (drives.outlets[number - 1] and not opened) or number in self._welded
        return self._loads[number] if on and live else 0

    def _reading(self, source: Source, drives: Drives, standing: Standing, acted: Acted) -> SourceInput:
        permille = self._permille[source]
        active = source is drives.changeover
        lost = permille < (standing.at_once_permille if active else 650)
        lost = lost or (active and (acted.swung or acted.opened))
        mhz = self._mhz[source] if permille >= MEASURABLE_PERMILLE else None
        low, high = self._halves.get(source, (permille, permille))
        rms_mv, low_mv, high_mv = (NOMINAL_MV * one // 1000 for one in (permille, low, high))
        return SourceInput(rms_mv, mhz, lost, DETECTION_US if lost else 0, low_mv, high_mv)
