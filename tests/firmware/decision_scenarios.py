"""Scenes from the life of a PDU, from which the golden decision traces are made.

A scene says what happens to the sources, the loads and the relays, and what people ask; `Bench` turns that into what is
measured. Times are in ms from the start; both sources stand at their nominal voltage unless told otherwise.
"""

from tests.firmware.decision_bench import BACKUP, MAIN, At, Scene

from loadcenter.domain.commands import Do, Order
from loadcenter.domain.standing import FastTrip
from loadcenter.domain.topology import Source

SETTLED = 2500
"""The bus is connected, every outlet has closed, and both sources are good."""


def switch(outlet: int, *, on: bool) -> Order:
    return Order(Do.SWITCH, outlet, on=on)


def transfer(source: Source) -> Order:
    return Order(Do.TRANSFER, source=source)


def lock(outlet: int, *, on: bool = True) -> Order:
    return Order(Do.LOCK, outlet, on=on)


def reset(outlet: int) -> Order:
    return Order(Do.RESET_TRIP, outlet)


CLEAR = Order(Do.CLEAR_LOCKOUT)
STAYS = {"auto_retransfer": False}

STARTS = (
    Scene("outlets close in turn, the highest priority first", 2000, settings={"priority.3": 1}),
    Scene(
        "a latch, a lock and a person's off outlive the supply, and each policy is kept",
        2000,
        settings={
            "power_on.1": "always_on",
            "power_on.2": "always_on",
            "power_on.3": "always_on",
            "power_on.4": "always_off",
        },
        kept={
            1: {"wanted": False, "cause": "protection", "trip": "overcurrent"},
            2: {"wanted": False, "cause": "person_off", "locked": True},
            3: {"wanted": False, "cause": "person_off"},
        },
    ),
    Scene(
        "nothing is connected at the frequency of another grid",
        2500,
        (At(10, mhz={MAIN: 60_000, BACKUP: 60_000}),),
    ),
    Scene("one source alone feeds the bus", 2000, (At(10, main=0),)),
    Scene(
        "an outage of both, and what closes after it",
        5000,
        (At(SETTLED, main=0, backup=0), At(3200, main=1000)),
    ),
)

LEAVING = (
    Scene(
        "a lost source is left at once and returned to when it has been good",
        6500,
        (At(SETTLED, main=0), At(3000, main=1000)),
        settings={"retransfer_delay_s": 1},
    ),
    Scene("a sagging source is left with the isolator open", 3500, (At(SETTLED, main=600),), settings=STAYS),
    *(
        Scene(
            f"a source is left at {permille} permille",
            3000 if after_ms < 1000 else SETTLED + after_ms + 500 + 1500,
            (At(SETTLED, main=permille),),
            step_ms=10 if after_ms < 10_000 else 100,
            settings=STAYS,
        )
        for permille, after_ms in (
            (700, 20),
            (780, 200),
            (860, 3000),
            (890, 60_000),
            (1110, 60_000),
            (1140, 500),
            (1250, 0),
        )
    ),
    *(
        Scene(
            f"half cycles {name} make a source bad ahead of its RMS",
            3500,
            (At(SETTLED, halves={MAIN: halves}), At(SETTLED + 30, halves={})),
            settings=STAYS,
        )
        for name, halves in (("too low", (700, 1000)), ("too high", (1000, 1230)))
    ),
    Scene("a source is left at 46.9 Hz", 4500, (At(SETTLED, mhz={MAIN: 46_900}),), settings=STAYS),
    Scene(
        "a lost source is kept while there is no other",
        4000,
        (At(SETTLED, backup=0), At(3000, main=600), At(3300, backup=1000)),
        settings=STAYS,
    ),
    Scene(
        "an overvoltage with nowhere to go opens the isolator until the source is good again",
        7000,
        (At(SETTLED, backup=0), At(3000, main=1250), At(3500, main=1000)),
    ),
    Scene("redundancy is lost and comes back", 4500, (At(SETTLED, backup=0), At(3500, backup=1000))),
    Scene(
        "the other source is taken although the bus does not show it",
        4500,
        (At(SETTLED, orders=(transfer(BACKUP),), dead=True), At(SETTLED + 70, dead=False)),
    ),
)

ON_THE_WAY = (
    *(
        Scene(
            f"the other source fails {after} ms after a transfer was asked for",
            4500,
            (At(SETTLED, orders=(transfer(BACKUP),)), At(SETTLED + after, backup=0), At(3200, backup=1000)),
            settings=STAYS,
        )
        for after in (10, 20, 30, 40, 50, 60)
    ),
    *(
        Scene(
            f"both sources fail {after} ms after a transfer was asked for, one by overvoltage",
            6500,
            (
                At(SETTLED, orders=(transfer(BACKUP),)),
                At(SETTLED + after, main=0, backup=1250),
                At(3000, backup=1000),
            ),
            settings=STAYS,
        )
        for after in (20, 40, 60)
    ),
    *(
        Scene(
            f"the source to which a lost one was left stands too high {after} ms later",
            4000,
            (At(SETTLED, main=0), At(SETTLED + after, backup=1250)),
        )
        for after in (10, 20, 50)
    ),
)

ASKED = (
    Scene(
        "a person transfers, and the transfer in one movement",
        5000,
        (At(SETTLED, orders=(transfer(BACKUP),)), At(3500, orders=(transfer(BACKUP), transfer(MAIN)))),
        settings={"transfer_mode": "fast"},
    ),
    Scene(
        "a transfer is refused to a source that is not good, and in an overcurrent",
        5500,
        (
            At(SETTLED, backup=920),
            At(SETTLED + 50, orders=(transfer(BACKUP),)),
            At(3000, backup=1000),
            At(5200, loads={1: 4500}),
            At(5220, orders=(transfer(BACKUP),)),
        ),
        settings={"limit_ms.1": 10_000, "curve_ma.1": 10_000},
    ),
    Scene(
        "too many transfers are locked out until a person clears that",
        9000,
        (
            At(SETTLED, orders=(transfer(BACKUP),)),
            At(3500, orders=(transfer(MAIN),)),
            At(4000, orders=(transfer(BACKUP), CLEAR)),
            At(4500, orders=(transfer(BACKUP), CLEAR)),
            At(5000, main=0, backup=1000),
            At(5500, main=1000),
        ),
        settings={"max_transfers_per_hour": 2, "auto_retransfer": False},
    ),
    Scene(
        "a lockout ends after an hour, and a bad source is left in it",
        3_640_000,
        (
            At(3000, orders=(transfer(BACKUP),)),
            At(6000, backup=0),
            At(7000, backup=1000),
            At(8000, main=0),
            At(9000, main=1000),
        ),
        step_ms=250,
        settings={"max_transfers_per_hour": 1, "auto_retransfer": False},
    ),
    Scene(
        "orders to outlets: off, on, a power cycle, and what supersedes them",
        7000,
        (
            At(SETTLED, orders=(switch(1, on=False), switch(2, on=True), switch(9, on=True))),
            At(3000, orders=(switch(1, on=False), switch(1, on=True))),
            At(3500, orders=(Order(Do.CYCLE, 2, off_ms=1000),)),
            At(4000, orders=(Order(Do.CYCLE, 1, off_ms=1000),)),
            At(4300, orders=(switch(1, on=True),)),
            At(4700, orders=(Order(Do.CYCLE, 3, off_ms=1000), Order(Do.CYCLE, 4, off_ms=1000))),
            At(5000, orders=(switch(3, on=False), lock(4), reset(4))),
        ),
    ),
    Scene(
        "a locked outlet is switched by nobody",
        4500,
        (
            At(SETTLED, orders=(lock(1), lock(1))),
            At(3000, orders=(switch(1, on=False), Order(Do.CYCLE, 1, off_ms=1000), switch(1, on=True))),
            At(3500, orders=(lock(1, on=False), switch(1, on=False))),
        ),
    ),
    Scene(
        "an outlet without room is not switched on",
        5000,
        (
            At(SETTLED, orders=(switch(1, on=False),)),
            At(3500, loads={2: 3900}),
            At(4000, orders=(switch(1, on=True),)),
        ),
        settings={"budget_main_ma": 5000},
        loads=(1500, 800, 0, 0),
    ),
)

TRIPS = (
    Scene(
        "an outlet over its limit trips, and is reset and switched on by a person",
        7500,
        (
            At(SETTLED, loads={1: 4500}),
            At(5000, orders=(switch(1, on=True),)),
            At(5500, loads={1: 500}, orders=(reset(1), reset(2))),
            At(6000, orders=(switch(1, on=True),)),
        ),
        settings={"curve_ma.1": 10_000},
    ),
    Scene(
        "an outlet over its power trips",
        5000,
        (At(SETTLED, loads={1: 2000}),),
        settings={"limit_mw.1": 300_000},
    ),
    Scene(
        "an outlet over its limit is told of, and told of again when it is well below",
        6000,
        (At(SETTLED, loads={1: 1500}), At(4000, loads={1: 990}), At(5000, loads={1: 900})),
        settings={"limit_ma.1": 1000, "limit_ms.1": 500, "limit_action.1": "warn"},
    ),
    Scene(
        "an outlet over its limit is shed until a person wants it on",
        6000,
        (At(SETTLED, loads={1: 1500}), At(4500, loads={1: 500}), At(5000, orders=(switch(1, on=True),))),
        settings={"limit_ma.1": 1000, "limit_ms.1": 500, "limit_action.1": "shed"},
    ),
    Scene(
        "three curves integrate a varying current",
        13_000,
        (At(SETTLED, loads={1: 3000, 2: 3000, 3: 3000}), At(2800, loads={1: 1500, 2: 1500, 3: 1500})),
        settings={
            **{f"curve.{outlet}": curve for outlet, curve in ((1, "ni"), (2, "vi"), (3, "ei"))},
            **{f"curve_ma.{outlet}": 1000 for outlet in (1, 2, 3)},
            **{f"curve_tms_permille.{outlet}": tms for outlet, tms in ((1, 500), (2, 300), (3, 200))},
        },
    ),
    Scene(
        "a curve forgets while the current is low",
        6000,
        (At(SETTLED, loads={1: 3000}), At(3300, loads={1: 500}), At(4500, loads={1: 3000})),
        settings={"curve_ma.1": 1000, "curve_tms_permille.1": 300, "idmt_reset_s": 2},
    ),
    Scene(
        "heat trips an outlet that no curve does, sooner when it has been hot",
        25_000,
        (At(SETTLED, loads={1: 9900}),),
        step_ms=100,
        settings={"limit_ma.1": 10_000, "curve_ma.1": 10_000},
        kept={1: {"heat_pct": 75}},
    ),
    Scene(
        "the total of the bus trips every outlet, and no transfer carries it over",
        14_000,
        (
            At(SETTLED, loads=dict.fromkeys((1, 2, 3, 4), 9000)),
            At(3500, main=860),
            At(12_500, main=1000, orders=(reset(1), reset(2), reset(3), reset(4))),
        ),
        step_ms=20,
        settings={
            **{f"limit_ma.{outlet}": 10_000 for outlet in (1, 2, 3, 4)},
            **{f"curve_ma.{outlet}": 10_000 for outlet in (1, 2, 3, 4)},
            **{f"protected.{outlet}": True for outlet in (1, 2, 3, 4)},
        },
    ),
    Scene(
        "a short circuit was opened at once",
        4000,
        (At(SETTLED, shorted=(FastTrip(1, 41_000),)), At(3000, orders=(reset(1), switch(1, on=True)))),
    ),
    Scene(
        "a tripped relay that does not open isolates the bus until it is reset",
        6500,
        (
            At(SETTLED, shorted=(FastTrip(1, 41_000),), welded=frozenset({1})),
            At(4000, welded=frozenset(), orders=(reset(1),)),
        ),
    ),
    Scene(
        "a short circuit holds the transfer until its current is gone",
        4000,
        (
            At(SETTLED, shorted=(FastTrip(1, 41_000),), welded=frozenset({1}), main=700),
            At(SETTLED + 40, welded=frozenset()),
        ),
        settings=STAYS,
    ),
    Scene(
        "a relay that carries current although it was switched off",
        4500,
        (At(SETTLED, welded=frozenset({1}), orders=(switch(1, on=False),)), At(3500, welded=frozenset())),
    ),
    Scene(
        "a circuit from which nothing is drawn any more",
        13_000,
        (
            At(SETTLED, loads={1: 0}),
            *(At(3500 + 1500 * turn, orders=(switch(1, on=turn % 2 == 1),)) for turn in range(7)),
        ),
    ),
    Scene(
        "a current sensor that does not tell, and tells again",
        5000,
        (At(SETTLED, faulty=frozenset({1})), At(3500, faulty=frozenset())),
    ),
    Scene(
        "a load that starts by itself is masked once in two seconds",
        6000,
        (At(SETTLED, loads={3: 3000}, starts=(3,)), At(3500, loads={3: 300})),
    ),
)

BUDGETS = (
    Scene(
        "the lowest priority is shed first, and comes back when there is room",
        9500,
        (At(SETTLED, loads={1: 3500}), At(5500, loads={1: 1000})),
        settings={
            "budget_main_ma": 6000,
            "restore_delay_s": 1,
            "min_on_s": 1,
            "min_off_s": 1,
            **{f"priority.{outlet}": outlet for outlet in (1, 2, 3, 4)},
        },
        loads=(1500, 1500, 1000, 1000),
    ),
    Scene(
        "half more than the budget is shed at once, an outlet each 0.3 s",
        4500,
        (At(SETTLED, loads=dict.fromkeys((1, 2, 3, 4), 3500)),),
        settings={"budget_main_ma": 5000},
        loads=(1000, 1000, 1000, 1000),
    ),
    Scene(
        "shedding without effect stops",
        6500,
        (At(SETTLED, loads={1: 3500}), At(3510, loads={1: 5400}), At(5000, loads={1: 900})),
        settings={"budget_main_ma": 5000, "limit_ma.1": 10_000, "curve_ma.1": 10_000},
        loads=(900, 1900, 0, 0),
    ),
    Scene(
        "nothing is left to shed, until the load falls",
        6000,
        (At(SETTLED, loads={1: 3500}), At(4500, loads={1: 1000})),
        settings={"budget_main_mw": 700_000, "protected.1": True, "protected.2": True},
    ),
    Scene(
        "what the other source cannot carry is shed in the pass of the transfer",
        8500,
        (At(SETTLED + 1000, main=0), At(5000, main=1000)),
        settings={
            "budget_backup_ma": 2000,
            "retransfer_delay_s": 0,
            "restore_delay_s": 1,
            "min_off_s": 0,
            **{f"priority.{outlet}": outlet for outlet in (1, 2, 3, 4)},
        },
        loads=(900, 900, 900, 900),
    ),
    Scene(
        "what a person switched off meanwhile stays off",
        7000,
        (At(SETTLED, loads={1: 3500}), At(4500, orders=(switch(2, on=False),)), At(5000, loads={1: 500})),
        settings={"budget_main_ma": 4000, "restore_delay_s": 1, "min_off_s": 0, "priority.2": 8},
    ),
)

SCENES = (*STARTS, *LEAVING, *ON_THE_WAY, *ASKED, *TRIPS, *BUDGETS)
