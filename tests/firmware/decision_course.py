"""A random course of a PDU's life: sources that come and go, loads, orders, faults, and what is done at once.

Everything is drawn from one seed, so that a difference between two deciders can be played again.
"""

import random
from dataclasses import dataclass, field, replace

from loadcenter.domain.commands import Do, Order
from loadcenter.domain.pdu import Drives, PduInputs
from loadcenter.domain.qualification import MEASURABLE_PERMILLE, SourceInput
from loadcenter.domain.settings import Curve, LimitAction, OutletConfig, PduConfig, PowerOn, TransferMode
from loadcenter.domain.standing import NOTHING_DONE, Acted, FastTrip, Standing
from loadcenter.domain.topology import Source

OTHER_GRID_MHZ = 110_000  # less a grid's frequency: that of the other kind
PERMILLES = (0, 100, 300, 340, 360, 500, 640, 700, 730, 790, 850, 880, 895, 940, 1000, 1000, 1000)
HIGHS = (1060, 1080, 1105, 1120, 1140, 1210)
CURRENTS_MA = (0, 0, 150, 210, 800, 990, 1500, 2500, 3900, 4100, 5000, 8000, 12_000)


@dataclass
class Supply:
    """One source as it is now; `lost_for` is how often the two-point detector still says so."""

    permille: int = 1000
    mhz: int = 50_000


@dataclass
class Course:
    """What happens to one PDU, step by step."""

    seed: int
    config: PduConfig = field(init=False)
    now_ms: int = 1000
    happens: float = 0.02
    outlets: int = 4
    nominal_mv: int = 230_000
    nominal_mhz: int = 50_000

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.config = self.settings()
        self.supplies = {source: Supply(mhz=self.nominal_mhz) for source in Source}
        self.loads_ma = [self.rng.choice(CURRENTS_MA) for _ in range(self.outlets)]
        self.welded: set[int] = set()
        self.faulty: set[int] = set()
        self.dead_bus = False
        self.step_ms = self.rng.choice((10, 10, 16, 17, 20, 200))  # the last one brings hours to their end

    def settings(self) -> PduConfig:
        """Return settings that make something happen."""
        rng = self.rng
        outlets = tuple(
            OutletConfig(
                limit_ma=rng.choice((1000, 4000, 10_000)),
                limit_ms=rng.choice((20, 300, 2000, 60_000)),
                power_on=rng.choice(list(PowerOn)),
                limit_action=rng.choice(list(LimitAction)),
                limit_mw=rng.choice((200_000, 4_000_000)),
                curve=rng.choice(list(Curve)),
                curve_ma=rng.choice((500, 1500, 4000, 10_000)),
                curve_tms_permille=rng.choice((50, 100, 1000)),
                priority=rng.randint(1, 8),
                protected=rng.random() < 0.2,
            )
            for _ in range(self.outlets)
        )
        config = PduConfig(
            outlets,
            rng.choice(list(Source)),
            rng.random() < 0.8,
            rng.choice((0, 1, 30)),
            rng.choice((1, 2, 6, 10)),
            rng.choice((0, 10, 250)),
            rng.choice(list(TransferMode)),
            rng.choice((1, 10)),
            rng.choice((1000, 6000, 16_000)),
            rng.choice((500, 3000, 16_000)),
            rng.choice((300_000, 4_000_000)),
            rng.choice((100_000, 4_000_000)),
            rng.choice((1, 5)),
            rng.choice((0, 3)),
            rng.choice((0, 2)),
        )
        return replace(config, nominal_mv=self.nominal_mv, nominal_mhz=self.nominal_mhz)

    def step(self, drives: Drives, standing: Standing) -> PduInputs:
        """Let time pass, let something happen, and return what is measured then."""
        self.now_ms += self.step_ms
        if self.rng.random() < self.happens:
            self._happen()
        acted = self._at_once(drives, standing)
        active = self.supplies[drives.changeover]
        live = drives.isolator_closed and active.permille >= 400 and not self.dead_bus and not acted.opened
        currents = tuple(self._current(number, drives, live) for number in range(1, self.outlets + 1))
        main, backup = (self._reading(source, drives, standing, acted) for source in Source)
        powers = tuple(current * 200 for current in currents)
        phase = self.rng.choice((None, 0, 90_000)) if self.rng.random() < 0.01 else 0
        return PduInputs(
            main, backup, currents, live, phase, powers_mw=powers, faulty=frozenset(self.faulty), acted=acted
        )

    def orders(self) -> list[Order]:
        """Return what people ask in this step: mostly nothing."""
        if self.rng.random() > 0.01:
            return []
        return [self._order() for _ in range(self.rng.choice((1, 1, 2)))]

    def _order(self) -> Order:
        rng = self.rng
        do = rng.choice([Do.SWITCH] * 4 + [Do.RESET_TRIP] * 4 + list(Do))
        outlet = rng.randint(1, self.outlets)
        match do:
            case Do.SWITCH | Do.LOCK:
                return Order(do, outlet, on=rng.random() < (0.7 if do is Do.SWITCH else 0.3))
            case Do.CYCLE:
                return Order(do, outlet, off_ms=rng.choice((1000, 5000)))
            case Do.RESET_TRIP:
                return Order(do, outlet)
            case Do.TRANSFER:
                return Order(do, source=rng.choice(list(Source)))
            case Do.CLEAR_LOCKOUT:
                return Order(do)

    def _happen(self) -> None:
        rng = self.rng
        match rng.randrange(12):
            case 0 | 1 | 2:
                self.supplies[rng.choice(list(Source))].permille = rng.choice(PERMILLES + HIGHS)
            case 3 | 4:
                for supply in self.supplies.values():
                    supply.permille, supply.mhz = 1000, self.nominal_mhz
            case 5:
                nominal = self.nominal_mhz
                self.supplies[rng.choice(list(Source))].mhz = rng.choice(
                    (nominal - 4000, nominal - 2000, nominal, OTHER_GRID_MHZ - nominal)
                )
            case 6 | 7:
                self.loads_ma[rng.randrange(self.outlets)] = rng.choice(CURRENTS_MA)
            case 8:
                self.welded = {rng.randint(1, self.outlets)} if rng.random() < 0.3 else set()
            case 9:
                self.faulty = {rng.randint(1, self.outlets)} if rng.random() < 0.3 else set()
            case 10:
                self.dead_bus = rng.random() < 0.2
            case _:
                if rng.random() < 0.3:
                    self.config = replace(self.settings(), version=self.config.version + 1)

    def _at_once(self, drives: Drives, standing: Standing) -> Acted:
        rng = self.rng
        tripped = masked = ()
        if rng.random() < 0.002:
            closed = [number for number, on in enumerate(drives.outlets, 1) if on]
            free = [number for number in closed if number not in standing.masked]
            tripped = tuple(FastTrip(number, rng.randint(17_601, 25_000)) for number in free[:1])
            masked = tuple(number for number in standing.quiet if rng.random() < 0.5)
        active = self.supplies[drives.changeover]
        gone = active.permille < standing.at_once_permille and standing.leave and not tripped
        if gone and rng.random() < 0.5:
            return Acted(swung=active.permille <= 350, opened=active.permille > 350, masked=masked)
        return Acted(tripped=tripped, masked=masked) if tripped or masked else NOTHING_DONE

    def _current(self, number: int, drives: Drives, live: bool) -> int:
        on = drives.outlets[number - 1] or number in self.welded
        return self.loads_ma[number - 1] if on and live else 0

    def _reading(self, source: Source, drives: Drives, standing: Standing, acted: Acted) -> SourceInput:
        supply = self.supplies[source]
        is_active = source is drives.changeover
        limit = standing.at_once_permille if is_active else 650
        left = is_active and (acted.swung or acted.opened)
        lost = supply.permille < limit or left
        voltage_mv = self.nominal_mv * supply.permille // 1000 + self.rng.choice((0, 0, 150, -150))
        voltage_mv = max(0, voltage_mv)
        half = self.rng.choice((None, None, None, 0, 3000))
        return SourceInput(
            voltage_mv,
            supply.mhz if supply.permille >= MEASURABLE_PERMILLE else None,
            lost,
            3000 if lost else 0,
            None if half is None else max(0, voltage_mv - half),
            None if half is None else voltage_mv + half,
        )


class Nervous(Course):
    """Sources fail while the transfer switch is on its way."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config = replace(PduConfig(retransfer_delay_s=0), preferred=self.rng.choice(list(Source)))
        self.loads_ma = [500, 500, 0, 0]
        self.step_ms = 10
        self.happens = 0.06 if self.seed % 2 else 0.002

    def _happen(self) -> None:
        if self.rng.random() < 0.5:
            for supply in self.supplies.values():
                supply.permille = 1000
            return
        self.supplies[Source.MAIN].permille = self.rng.choice((0, 600, 880, 1000, 1250))
        self.supplies[Source.BACKUP].permille = self.rng.choice((0, 600, 880, 1000, 1250))

    def orders(self) -> list[Order]:
        if self.rng.random() > 0.02:
            return []
        return [Order(Do.CLEAR_LOCKOUT), Order(Do.TRANSFER, source=self.rng.choice(list(Source)))]


class Turned(Course):
    """A source is asked for, and fails one to seven steps later, on the way there."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config = PduConfig(auto_retransfer=False)
        self.step_ms = 10
        self.steps = 0
        self.fails_at, self.over = 2, False
        self.target = Source.BACKUP

    def step(self, drives: Drives, standing: Standing) -> PduInputs:
        self.steps += 1
        if self.steps % 300 == 0:
            self.target = drives.changeover.other
        at = self.steps % 300
        if at == 0:
            self.fails_at, self.over = self.rng.randint(2, 8), self.rng.random() < 0.5
        if at == self.fails_at:
            self.supplies[self.target].permille = 1250 if self.over else 0
            if self.over:  # and there is no way back
                self.supplies[self.target.other].permille = 0
        if at == 50:
            for supply in self.supplies.values():
                supply.permille = 1000
        return super().step(drives, standing)

    def _happen(self) -> None:
        pass

    def orders(self) -> list[Order]:
        if self.steps % 300:
            return []
        return [Order(Do.CLEAR_LOCKOUT), Order(Do.TRANSFER, source=self.target)]


class WrongGrid(Course):
    """Both sources have the frequency of another grid, from the start."""

    def _happen(self) -> None:
        for supply in self.supplies.values():
            supply.permille, supply.mhz = 1000, 60_000

    def __post_init__(self) -> None:
        super().__post_init__()
        self._happen()


class Dim(Course):
    """The active source stays just below the last limit."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config = PduConfig()
        self.step_ms = 200

    def _happen(self) -> None:
        if self.now_ms > 5000:
            self.supplies[Source.MAIN].permille = 895


class Unplugged(Course):
    """A load is unplugged while a person switches its outlet off and on."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config = PduConfig()
        self.loads_ma = [900, 0, 0, 0]
        self.step_ms = 20
        self.asked_ms = 0

    def _happen(self) -> None:
        if self.now_ms > 5000:
            self.loads_ma[0] = 0

    def _at_once(self, _drives: Drives, _standing: Standing) -> Acted:
        return NOTHING_DONE

    def orders(self) -> list[Order]:
        if self.now_ms - self.asked_ms < 1500:
            return []
        self.asked_ms = self.now_ms
        return [Order(Do.SWITCH, 1, on=self.now_ms // 1500 % 2 == 1)]


class LockedOut(Course):
    """Transfers are asked for until they are locked out, and a person clears that."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.config = PduConfig(max_transfers_per_hour=1, auto_retransfer=False)
        self.loads_ma = [500, 500, 500, 500]
        self.step_ms = 20

    def _happen(self) -> None:
        pass

    def orders(self) -> list[Order]:
        if self.rng.random() > 0.01:
            return []
        source = self.rng.choice(list(Source))
        return [self.rng.choice((Order(Do.CLEAR_LOCKOUT), Order(Do.TRANSFER, source=source)))]


class Stubborn(Course):
    """Whatever is shed, another load takes its place."""

    def __post_init__(self) -> None:
        super().__post_init__()
        settings = OutletConfig(limit_ma=10_000, curve_ma=10_000)
        self.config = PduConfig((settings,) * 4, budget_main_ma=5000, restore_delay_s=1, min_off_s=0)
        self.step_ms = 20

    def step(self, drives: Drives, standing: Standing) -> PduInputs:
        self.loads_ma = [500, 500, 0, 0] if self.now_ms % 12_000 < 8000 else [3000, 2500, 0, 0]
        return super().step(drives, standing)

    def _happen(self) -> None:
        pass

    def _current(self, number: int, drives: Drives, live: bool) -> int:
        current_ma = super()._current(number, drives, live)
        replaces = number == 1 and current_ma and not drives.outlets[1]
        return current_ma + self.loads_ma[1] if replaces else current_ma

    def _at_once(self, _drives: Drives, _standing: Standing) -> Acted:
        return NOTHING_DONE

    def orders(self) -> list[Order]:
        return []


class Warm(Course):
    """Relays carry more than they can for ever, and nothing else goes on."""

    def __post_init__(self) -> None:
        super().__post_init__()
        settings = OutletConfig(limit_ma=10_000, curve_ma=10_000)
        self.config = PduConfig((settings,) * 4)
        self.loads_ma = [self.rng.randint(4800, 7500), self.rng.randint(4800, 7500), 0, 0]
        self.step_ms = self.rng.choice((100, 130, 200))

    def _happen(self) -> None:
        pass

    def _at_once(self, _drives: Drives, _standing: Standing) -> Acted:
        return NOTHING_DONE

    def orders(self) -> list[Order]:
        if self.rng.random() > 0.005:
            return []
        outlet = self.rng.randint(1, 2)
        return [Order(Do.RESET_TRIP, outlet), Order(Do.SWITCH, outlet, on=True)]
