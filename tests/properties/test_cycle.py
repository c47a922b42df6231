"""What holds of every PDU, whatever happens to it and whatever it is told."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.domain.bench import NOMINAL_MV, Bench

from loadcenter.domain import cycle
from loadcenter.domain.commands import CommandStatus, Do, Order
from loadcenter.domain.events import Cause, EventCode
from loadcenter.domain.pdu import GivenOrder
from loadcenter.domain.settings import PduConfig
from loadcenter.domain.topology import Source

OUTLETS = st.integers(1, 4)
ORDERS = st.one_of(
    st.builds(Order, st.just(Do.SWITCH), OUTLETS, on=st.booleans(), by=st.just("anna")),
    st.builds(Order, st.just(Do.CYCLE), OUTLETS, off_ms=st.integers(1000, 3000)),
    st.builds(Order, st.just(Do.LOCK), OUTLETS, on=st.booleans()),
    st.builds(Order, st.just(Do.TRANSFER), source=st.sampled_from(Source)),
    st.just(Order(Do.CLEAR_LOCKOUT)),
)
RESETS = st.builds(Order, st.just(Do.RESET_TRIP), OUTLETS, by=st.just("anna"))
VOLTS = st.sampled_from(
    [0, 60_000, 140_000, 160_000, 195_000, 205_000, NOMINAL_MV, 250_000, 262_000, 280_000]
)
ACTIONS = st.one_of(
    st.tuples(st.just("main"), VOLTS),
    st.tuples(st.just("backup"), VOLTS),
    st.tuples(st.just("load"), st.tuples(OUTLETS, st.sampled_from([0, 500, 3900, 6000, 9000]))),
    st.tuples(st.just("weld"), OUTLETS),
    st.tuples(st.just("wait"), st.sampled_from([20, 60, 300, 2500])),
    st.tuples(st.just("order"), ORDERS),
)
COURSES = st.lists(ACTIONS, max_size=25)


def act(bench, action):
    """Let one thing happen, and 40 ms pass."""
    name, value = action
    match name:
        case "main" | "backup":
            getattr(bench, name).voltage_mv = value
        case "load":
            bench.loads_ma[value[0] - 1] = value[1]
        case "weld":
            bench.welded ^= {value}
        case "wait":
            bench.run(value)
        case "power":
            bench.power_cycle()
        case "order":
            given_order(bench, value)
    bench.run(40)


def given_order(bench, order):
    bench._waiting.append(GivenOrder(f"{bench.now_ms}", order))


def latched(bench):
    return {number for number, outlet in enumerate(bench.state.outlets, 1) if outlet.memory.latch is not None}


@settings(deadline=None, max_examples=60)
@given(
    COURSES,
    st.lists(st.one_of(ORDERS.map(lambda order: ("order", order)), st.just(("power", None))), max_size=15),
)
def test_a_latch_survives_any_loss_of_supply_and_any_order_but_a_reset(before, after):
    bench = Bench()
    for action in before:
        act(bench, action)
    held = latched(bench)
    bench.loads_ma = [0] * 4
    for action in after:
        act(bench, action)
        assert held <= latched(bench)
        assert not any(bench.on()[number - 1] for number in held)


@settings(deadline=None, max_examples=60)
@given(
    COURSES,
    OUTLETS,
    st.sampled_from(["nothing", "cycle", "outage", "start"]),
    st.lists(ACTIONS.filter(lambda action: action[0] != "order"), max_size=15),
)
def test_a_persons_off_ends_every_automatic_intention(before, outlet, under_way, after):
    bench = Bench()
    for action in before:
        act(bench, action)
    match under_way:
        case "cycle":
            act(bench, ("order", Order(Do.CYCLE, outlet, off_ms=1000)))
        case "outage":
            bench.main.voltage_mv = bench.backup.voltage_mv = 0
            bench.run(300)
        case "start":
            bench.power_cycle()
    if cycle.snapshot(bench.state).outlets[outlet - 1].locked:
        given_order(bench, Order(Do.LOCK, outlet, on=False))
    given_order(bench, Order(Do.SWITCH, outlet, on=False))
    bench.run(20)
    assert not bench.on()[outlet - 1]
    for action in (*after, ("main", NOMINAL_MV), ("wait", 2500), ("wait", 2500)):
        act(bench, action)
        assert not bench.on()[outlet - 1], "nobody has switched it on again"


@settings(deadline=None, max_examples=60)
@given(COURSES)
def test_no_outlet_relay_moves_without_an_event_that_says_why(course):
    bench = Bench()
    for action in course:
        before, told = bench.on(), len(bench.told)
        dropped = {number for number, outlet in enumerate(bench.state.outlets, 1) if outlet.dropped}
        act(bench, action)
        moved = {
            number
            for number, (was, now) in enumerate(zip(before, bench.on(), strict=True), 1)
            if was is not now
        }
        events = [event for _, event in bench.told[told:]]
        explained = {event.outlet for event in events if event.code in (EventCode.SWITCHED, EventCode.TRIP)}
        outage = any(event.code in (EventCode.OUTAGE, EventCode.OUTAGE_END) for event in events)
        assert moved <= explained | dropped or outage, "a dropped outlet is told by the outage and its end"


@settings(deadline=None, max_examples=40)
@given(COURSES)
def test_the_same_inputs_give_the_same_outputs(course):
    first, second = Bench(), Bench()
    for action in course:
        act(first, action)
        act(second, action)
    assert first.told == second.told
    assert first.results == second.results
    assert first.state == second.state


@settings(deadline=None, max_examples=60)
@given(COURSES)
def test_an_order_is_answered_once_and_its_end_is_the_last_word(course):
    bench = Bench()
    for action in course:
        act(bench, action)
    answers = {}
    for _, result in bench.results:
        answers.setdefault(result.key, []).append(result.status)
    for statuses in answers.values():
        assert statuses in (
            [CommandStatus.REJECTED],
            [CommandStatus.ACCEPTED],
            [CommandStatus.ACCEPTED, CommandStatus.CONFIRMED],
            [CommandStatus.ACCEPTED, CommandStatus.REJECTED],
        )


@settings(deadline=None, max_examples=60)
@given(COURSES, ORDERS)
def test_the_control_center_never_refuses_what_the_pdu_would_take(course, order):
    bench = Bench()
    for action in course:
        act(bench, action)
    reported = cycle.snapshot(bench.state)
    before = len(bench.results)
    bench._waiting.append(GivenOrder("asked", order))
    bench.step()
    accepted = any(
        result.key == "asked" and result.status is CommandStatus.ACCEPTED
        for _, result in bench.results[before:]
    )
    if accepted:
        assert isinstance(cycle.admit(reported, order), cycle.Admission)


@settings(deadline=None, max_examples=60)
@given(COURSES)
def test_events_name_only_what_came_before_them(course):
    bench = Bench(settled=False)
    for action in course:
        act(bench, action)
    for position, (_, event) in enumerate(bench.told):
        assert event.because is None or 0 <= event.because < position


def within_budget(loads_ma):
    return sum(loads_ma) <= PduConfig().budget_main_ma


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9000), min_size=4, max_size=4).filter(within_budget), st.integers(0, 100))
def test_on_a_steady_plant_relays_come_to_rest(loads_ma, seconds):
    bench = Bench()
    bench.loads_ma = list(loads_ma)
    bench.run(70_000)
    before = bench.state.drives
    bench.forget()
    bench.run(seconds * 1000)
    assert bench.state.drives == before
    assert bench.told == []
    expected = {number for number, load in enumerate(loads_ma, 1) if load > 4000}
    assert latched(bench) == expected
    assert all(outlet.cause is not Cause.PROTECTION for outlet in bench.state.outlets if outlet.closed)


@settings(deadline=None, max_examples=40)
@given(COURSES)
def test_the_short_cut_at_rest_decides_what_the_long_way_would(course):
    short, long = Bench(), LongWay()
    for action in course:
        act(short, action)
        act(long, action)
    assert short.told == long.told
    assert short.results == long.results
    assert short.state.drives == long.state.drives


class LongWay(Bench):
    """A bench that never takes the short cut."""

    def step(self):
        self.state = replace(self.state, at_rest=False)
        return super().step()
