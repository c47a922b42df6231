"""A PDU as values: what one cycle takes in, what it keeps and what comes out. `cycle.py` decides over them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from loadcenter.domain.budget import Headroom, Load, whole_watts
from loadcenter.domain.commands import CommandStatus, Order, ResultCode
from loadcenter.domain.events import Detail, Event
from loadcenter.domain.journal import Journal
from loadcenter.domain.memory import PduMemory
from loadcenter.domain.outlet import OutletState
from loadcenter.domain.qualification import SourceInput
from loadcenter.domain.sequencing import Sequence
from loadcenter.domain.settings import PduConfig
from loadcenter.domain.shedding import TOTAL_MOST_MA, SheddingState, budget_of, total
from loadcenter.domain.standing import NOTHING_ALLOWED, NOTHING_DONE, Acted, Standing
from loadcenter.domain.topology import Source
from loadcenter.domain.transfer import TransferState


@dataclass(frozen=True, slots=True)
class GivenOrder:
    """An order with the key under which its results are returned."""

    key: str
    order: Order


@dataclass(frozen=True, slots=True)
class PduInputs:
    """Everything that one cycle looks at, frozen.

    Attributes:
        main: what is measured of that source.
        backup: likewise.
        currents_ma: true RMS current of outlet 1, 2, ...
        live: the bus-live input, behind changeover and isolator.
        phase_mdeg: angle from main to backup, None while one of them is dead.
        orders: what people have asked since the cycle before.
        powers_mw: real power of outlet 1, 2, ...; empty where it is not measured. Decided by in whole watts.
        faulty: outlets whose current sensor does not tell.
        acted: what was done at once since the cycle before.
    """

    main: SourceInput
    backup: SourceInput
    currents_ma: tuple[int, ...]
    live: bool
    phase_mdeg: int | None = None
    orders: tuple[GivenOrder, ...] = ()
    powers_mw: tuple[int, ...] = ()
    faulty: frozenset[int] = frozenset()
    acted: Acted = NOTHING_DONE

    def power_mw(self, index: int) -> int:
        """Return the real power of an outlet as it is decided by: whole watts, 0 where it is not known."""
        return whole_watts(self.powers_mw[index]) if self.powers_mw else 0


@dataclass(frozen=True, slots=True)
class Drives:
    """How the relays are driven: changeover, bus isolator, and outlet 1, 2, ..."""

    changeover: Source
    isolator_closed: bool
    outlets: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class OrderResult:
    """Where an order has got to: accepted, or one of its ends."""

    key: str
    status: CommandStatus
    code: ResultCode
    numbers: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outputs:
    """What one cycle decides.

    Attributes:
        drives: relay drives.
        events: what has happened; `because` counts in the list of all events of this run.
        first: position of `events[0]` in that list.
        results: of orders.
        standing: what may be done at once until the next cycle.
    """

    drives: Drives
    events: tuple[Event, ...]
    first: int
    results: tuple[OrderResult, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Awaiting:
    """An order that was taken and whose effect is not seen yet."""

    key: str
    order: Order
    since_ms: int


@dataclass(frozen=True, slots=True)
class Bus:
    """What is remembered of the bus behind the isolator.

    Attributes:
        dead_since_ms: since when it carries no voltage, None while it does.
        outage: position of the event that told the outage, None while there is none.
    """

    dead_since_ms: int | None
    outage: int | None = None


@dataclass(frozen=True, slots=True)
class PduState:
    """All that a PDU keeps from cycle to cycle. `memory` is the part that survives a loss of supply.

    Attributes:
        outlets: from outlet 1.
        transfer: the transfer switch.
        bus: behind the isolator.
        drives: how the relays are driven.
        sequence: of closing outlets.
        awaiting: orders under way.
        emitted: events of this run so far.
        at_rest: nothing goes on with time alone but the heat of the relays.
        shedding: what it remembers.
        standing: what may be done at once until the next cycle.
        stepped_ms: when the last cycle was, unless it was at rest.
        second_ms: up to when heat and draws are brought up to date.
        bus_curve: progress of the inverse-time curve of the bus total.
        bus_since_ms: since when the bus total is over its rating.
    """

    outlets: tuple[OutletState, ...]
    transfer: TransferState
    bus: Bus
    drives: Drives
    sequence: Sequence = field(default_factory=Sequence)
    awaiting: tuple[Awaiting, ...] = ()
    emitted: int = 0
    at_rest: bool = False
    shedding: SheddingState = field(default_factory=SheddingState)
    standing: Standing = NOTHING_ALLOWED
    stepped_ms: int = 0
    second_ms: int = 0
    bus_curve: int = 0
    bus_since_ms: int | None = None

    @property
    def memory(self) -> PduMemory:
        """What must be written to non-volatile memory."""
        return PduMemory(tuple(outlet.memory for outlet in self.outlets))


class Draft:
    """The state of a PDU while one cycle works on it."""

    def __init__(self, state: PduState, inputs: PduInputs, config: PduConfig, now_ms: int) -> None:
        self.inputs = inputs
        self.config = config
        self.now_ms = now_ms
        self.journal = Journal(state.emitted)
        self.results: list[OrderResult] = []
        self.outlets = list(state.outlets)
        self.transfer = state.transfer
        self.bus = state.bus
        self.sequence = state.sequence
        self.awaiting = list(state.awaiting)
        self.shedding = state.shedding
        self.second_ms = state.second_ms
        self.bus_curve = state.bus_curve
        self.bus_since_ms = state.bus_since_ms
        self.step_ms = now_ms - state.stepped_ms
        self.standing_before = state.standing
        self.total = total(self.outlets, inputs.currents_ma, inputs.powers_mw)

    @property
    def drawn(self) -> Load:
        """What the closed outlets drew when they were last seen to; known also while the source is gone."""
        closed = [outlet for outlet in self.outlets if outlet.closed]
        current_ma = min(TOTAL_MOST_MA, sum(outlet.draw_ma for outlet in closed))
        return Load(current_ma, sum(outlet.draw_mw for outlet in closed))

    @property
    def headroom(self) -> Headroom:
        """What the active source carries, and may carry."""
        return Headroom(self.total, budget_of(self.config, self.transfer.position))

    def answer(
        self, key: str, status: CommandStatus, code: ResultCode, numbers: Mapping[str, Detail] | None = None
    ) -> None:
        """Note the result of an order."""
        self.results.append(OrderResult(key, status, code, numbers or {}))
