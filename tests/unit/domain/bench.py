"""A PDU on a bench for tests of decisions: ideal contacts, loads as given, and every event kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loadcenter.domain import cycle, transfer
from loadcenter.domain.commands import Do, Order
from loadcenter.domain.events import Event
from loadcenter.domain.memory import OutletMemory, PduMemory
from loadcenter.domain.pdu import GivenOrder, OrderResult, PduInputs
from loadcenter.domain.qualification import MEASURABLE_PERMILLE, SourceInput
from loadcenter.domain.settings import PduConfig
from loadcenter.domain.topology import Source

NOMINAL_MV = 230_000
LOST_MV = 149_500
LIVE_MV = 92_000


def reading(voltage_mv: int, frequency_mhz: int = 50_000) -> SourceInput:
    """Return what a PDU measures of a source, with the detector's verdict."""
    measurable = voltage_mv * 1000 >= NOMINAL_MV * MEASURABLE_PERMILLE
    lost = voltage_mv < LOST_MV
    return SourceInput(voltage_mv, frequency_mhz if measurable else None, lost, 4000 if lost else 0)


@dataclass
class Supply:
    """A source of the bench."""

    voltage_mv: int = NOMINAL_MV
    frequency_mhz: int = 50_000

    @property
    def reading(self) -> SourceInput:
        return reading(self.voltage_mv, self.frequency_mhz)


class Bench:
    """Runs `cycle.step` over sources and load currents that a test changes."""

    def __init__(
        self,
        config: PduConfig | None = None,
        memory: PduMemory | None = None,
        *,
        step_ms: int = 20,
        settled: bool = True,
    ) -> None:
        self.config = config or PduConfig()
        count = len(self.config.outlets)
        self.memory = memory or PduMemory((OutletMemory(),) * count)
        self.step_ms = step_ms
        self.now_ms = 0
        self.main, self.backup = Supply(), Supply()
        self.loads_ma = [500] * count
        self.welded: set[int] = set()
        self.power_factor_permille = 0
        self.told: list[tuple[int, Event]] = []
        self.results: list[tuple[int, OrderResult]] = []
        self.rows: set[tuple[transfer.Mode, transfer.Trigger]] = set()
        self._waiting: list[GivenOrder] = []
        self.state = cycle.start(self.memory, self.config, 0)
        if settled:
            self.run(5000)
            self.forget()

    def forget(self) -> None:
        """Forget what was told so far."""
        self.told.clear()
        self.results.clear()

    def order(self, do: Do, outlet: int | None = None, **fields: object) -> str:
        """Give an order with the next step, and return its key."""
        key = f"order-{len(self.results)}-{len(self._waiting)}-{self.now_ms}"
        self._waiting.append(GivenOrder(key, Order(do, outlet, by="anna", **fields)))
        return key

    def run(self, duration_ms: int) -> "Bench":
        """Let time pass."""
        end_ms = self.now_ms + duration_ms
        while self.now_ms < end_ms:
            self.now_ms += self.step_ms
            self.step()
        return self

    def step(self) -> cycle.Outputs:
        """Make one step at the current time."""
        first = self.state.emitted
        inputs = replace(self.measured(), orders=tuple(self._waiting))
        self._waiting.clear()
        self.state, outputs = cycle.step(self.state, inputs, self.config, self.now_ms)
        assert outputs.first == first
        self.told += [(self.now_ms, event) for event in outputs.events]
        self.results += [(self.now_ms, result) for result in outputs.results]
        return outputs

    def measured(self) -> PduInputs:
        """Return what is measured with the relays as they are driven."""
        drives = self.state.drives
        source = self.main if drives.changeover is Source.MAIN else self.backup
        live = drives.isolator_closed and source.voltage_mv >= LIVE_MV
        closed = (on or number in self.welded for number, on in enumerate(drives.outlets, 1))
        currents = tuple(load if on and live else 0 for load, on in zip(self.loads_ma, closed, strict=True))
        powers = tuple(one * 230 * self.power_factor_permille // 1000 for one in currents)
        return PduInputs(self.main.reading, self.backup.reading, currents, live, 0, powers_mw=powers)

    def power_cycle(self) -> "Bench":
        """Lose everything but the memory, and start anew."""
        self.memory = self.state.memory
        self.state = cycle.start(self.memory, self.config, self.now_ms)
        return self

    def codes(self) -> list[str]:
        """Return the codes of what was told."""
        return [event.code.value for _, event in self.told]

    def events(self, code: str) -> list[Event]:
        """Return the events of one code."""
        return [event for _, event in self.told if event.code == code]

    def answers(self, key: str) -> Sequence[str]:
        """Return `status code` of each answer to an order."""
        return [f"{result.status} {result.code}" for _, result in self.results if result.key == key]

    def on(self) -> tuple[bool, ...]:
        """Return how the outlets are driven."""
        return self.state.drives.outlets

    @property
    def active(self) -> Source:
        """Return the position of the transfer switch."""
        return self.state.drives.changeover
