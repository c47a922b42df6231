"""A rack of virtual PDUs, and what can be broken in it: the other side of the demo's panel."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from loadcenter.domain.settings import OutletConfig, PduConfig
from loadcenter.domain.topology import Source
from loadcenter.protocol.topics import DEFAULT_ROOT
from loadcenter.services.ports import Disturbance
from loadcenter.simulator import mains
from loadcenter.simulator.loads import CATALOG, Load
from loadcenter.simulator.pdu import FINE_MS, PduSpec, VirtualPdu
from loadcenter.simulator.plant import MOTOR_START_MS
from loadcenter.simulator.traces import Playback

LARGE_LIMIT_MA = 10_000
SMALL_W = 700
"""A recording that stays below draws less than 4 A down to 184 V."""

OVERLOAD_MA = 6000
"""Extra current of an overload: one and a half times the 4 A of the reference relay."""


@dataclass(frozen=True, slots=True)
class OutletLayout:
    """One outlet.

    Attributes:
        name: what people call it.
        load: what is plugged in.
        critical: whether it asks before it is switched off.
        limit_ma: its overcurrent limit from the factory.
    """

    name: str
    load: Load
    critical: bool = False
    limit_ma: int = OutletConfig().limit_ma


@dataclass(frozen=True, slots=True)
class PduLayout:
    """One PDU of the rack."""

    pdu_id: str
    name: str
    outlets: tuple[OutletLayout, ...]


_PATTERNS: tuple[tuple[str, tuple[tuple[str, str, bool], ...]], ...] = (
    (
        "Network rack",
        (
            ("Router", "router", True),
            ("Core switch", "switch", True),
            ("NAS", "nas", False),
            ("Server", "server", False),
        ),
    ),
    (
        "Office",
        (
            ("Desk PC", "pc", False),
            ("Monitor", "monitor", False),
            ("Laptop", "laptop", False),
            ("Desk lamp", "lamp", False),
        ),
    ),
    (
        "Lab",
        (
            ("Sample fridge", "fridge", True),
            ("Projector", "projector", False),
            ("Build server", "server", False),
            ("Charger", "charger", False),
        ),
    ),
)


def default_layouts(count: int, seed: int) -> tuple[PduLayout, ...]:
    """Return `count` PDUs with modelled loads, named and filled in turn as network rack, office and lab."""
    rng = random.Random(seed)
    layouts = []
    for index in range(count):
        name, outlets = _PATTERNS[index % len(_PATTERNS)]
        turn = index // len(_PATTERNS)
        layouts.append(
            PduLayout(
                f"rack-{index + 1}",
                name if turn == 0 else f"{name} {turn + 1}",
                tuple(
                    OutletLayout(label, CATALOG[kind](rng.getrandbits(32)), critical)
                    for label, kind, critical in outlets
                ),
            )
        )
    return tuple(layouts)


def recorded_layouts(recordings: Sequence[tuple[str, Playback]], per_pdu: int = 4) -> tuple[PduLayout, ...]:
    """Return as many PDUs as it takes to plug in named recordings, `per_pdu` to each.

    An appliance that takes more than the reference relay carries (4 A) gets an outlet with a limit of 10 A.
    """
    outlets = [
        OutletLayout(
            name, load, limit_ma=LARGE_LIMIT_MA if load.trace.peak_w > SMALL_W else OutletConfig().limit_ma
        )
        for name, load in recordings
    ]
    return tuple(
        PduLayout(f"rack-{number}", f"Recordings {number}", tuple(outlets[start : start + per_pdu]))
        for number, start in enumerate(range(0, len(outlets), per_pdu), 1)
    )


DISTURBANCES: tuple[Disturbance, ...] = (
    Disturbance("main_outage", "Main source fails", "The PDU moves to the backup within two cycles."),
    Disturbance(
        "backup_outage", "Backup source fails", "Redundancy is lost; with main failed too, all is dark."
    ),
    Disturbance("sag", "Main sags to 60 %", "The PDU leaves it with the isolator open first."),
    Disturbance("brownout", "Main falls to 85 %", "Ridden through for 3 s, then left."),
    Disturbance("swell", "Main rises to 118 %", "Left after half a second: loads do not like it."),
    Disturbance(
        "overload",
        "Overload an outlet",
        "6 A more: it trips after its time and stays latched.",
        needs_outlet=True,
    ),
    Disturbance(
        "motor_start",
        "Start a motor",
        "9 A for 0.4 s: too short for the limit, so nothing trips.",
        needs_outlet=True,
        lasts=False,
    ),
    Disturbance(
        "weld", "Weld a relay", "Switch the outlet off and see that current still flows.", needs_outlet=True
    ),
    Disturbance(
        "network", "Cut the network", "The PDU goes on; its records arrive afterwards, none is lost."
    ),
    Disturbance("gateway_restart", "Restart the gateway", "No relay moves; a new boot begins.", lasts=False),
    Disturbance(
        "power_cycle",
        "Cut the PDU's supply",
        "Relays fall open, outlets return in turn, trips stay.",
        lasts=False,
    ),
)
"""What the panel offers."""

_BY_ID: Mapping[str, Disturbance] = {one.id: one for one in DISTURBANCES}

_LEVELS: tuple[tuple[str, Source, int], ...] = (
    ("main_outage", Source.MAIN, 0),
    ("backup_outage", Source.BACKUP, 0),
    ("sag", Source.MAIN, 600),
    ("brownout", Source.MAIN, 850),
    ("swell", Source.MAIN, 1180),
)
"""Disturbances of a source and the permille of its voltage that is left; the first that is active counts."""


class Rack:
    """N virtual PDUs; implements the port `Plant`.

    Args:
        layouts: what they are.
        seed: fixes all that is random.
        now_ms: time of their start.
        root: first part of every topic.
        step_ms: step while nothing happens; 20 live, 1000 for replay in virtual time.
        saved: what `saved` returned earlier, by name of the PDU.
    """

    def __init__(
        self,
        layouts: Iterable[PduLayout],
        seed: int,
        now_ms: int,
        *,
        root: str = DEFAULT_ROOT,
        step_ms: int = FINE_MS,
        saved: Mapping[str, bytes] | None = None,
    ) -> None:
        rng = random.Random(seed)
        self.layouts = {layout.pdu_id: layout for layout in layouts}
        self.pdus: dict[str, VirtualPdu] = {}
        for pdu_id, layout in self.layouts.items():
            loads = [outlet.load for outlet in layout.outlets]
            config = _built_for([outlet.limit_ma for outlet in layout.outlets])
            spec = PduSpec(pdu_id, loads, config, root, step_ms)
            self.pdus[pdu_id] = VirtualPdu(spec, rng.getrandbits(32), now_ms, (saved or {}).get(pdu_id))
        self._active: dict[str, dict[str, int | None]] = {pdu_id: {} for pdu_id in self.pdus}

    def saved(self, *, stopped: bool = True) -> dict[str, bytes]:
        """Return what each PDU's flash holds, by name; `stopped` as for `VirtualPdu.saved`."""
        return {pdu_id: pdu.saved(stopped=stopped) for pdu_id, pdu in self.pdus.items()}

    def network_up(self, pdu_id: str) -> bool:
        """Return whether a PDU has a network; the caller carries no message of one that has none.

        Raises:
            KeyError: no such PDU.
        """
        return "network" not in self._active[pdu_id]

    # -- the port

    def disturbances(self) -> Sequence[Disturbance]:
        """Return what can be broken."""
        return DISTURBANCES

    def active(self, pdu_id: str) -> Mapping[str, int | None]:
        """Return the disturbances now active on a PDU, with the outlet where one applies.

        Raises:
            KeyError: no such PDU.
        """
        return dict(self._active[pdu_id])

    def start(self, pdu_id: str, disturbance: str, outlet: int | None) -> None:
        """Break something; one that is active already moves to the new outlet.

        Raises:
            KeyError: no such PDU, disturbance or outlet.
        """
        pdu, kind = self.pdus[pdu_id], _BY_ID[disturbance]
        if kind.needs_outlet and (outlet is None or not 1 <= outlet <= len(pdu.plant.plugs)):
            raise KeyError(f"'{disturbance}' needs an outlet, 1 to {len(pdu.plant.plugs)}")
        if not kind.lasts:
            _AT_ONCE[disturbance](pdu, outlet or 1)
            return
        self._active[pdu_id][disturbance] = outlet if kind.needs_outlet else None
        self._apply(pdu_id)

    def stop(self, pdu_id: str, disturbance: str) -> None:
        """Mend it again; nothing happens if it was not broken.

        Raises:
            KeyError: no such PDU or disturbance.
        """
        active, kind = self._active[pdu_id], _BY_ID[disturbance]
        if kind.id in active:
            del active[kind.id]
            self._apply(pdu_id)

    def _apply(self, pdu_id: str) -> None:
        """Make the plant of a PDU as the active disturbances say."""
        pdu, active = self.pdus[pdu_id], self._active[pdu_id]
        for source, supply in pdu.plant.supplies.items():
            levels = (level for name, on, level in _LEVELS if name in active and on is source)
            supply.disturb(mains.Disturbance(next(levels, 1000)), pdu.now_ms)
        for number, plug in enumerate(pdu.plant.plugs, 1):
            plug.extra_ma = OVERLOAD_MA if active.get("overload") == number else 0
            plug.contact.welded = active.get("weld") == number
        pdu.plant.touch()


def _built_for(limits_ma: Sequence[int]) -> PduConfig:
    """Return the factory settings of a PDU whose relays carry the largest of these limits for ever."""
    outlets = tuple(OutletConfig(limit_ma=one, curve_ma=one) for one in limits_ma)
    return PduConfig(outlets, outlet_rating_ma=max(limits_ma, default=PduConfig().outlet_rating_ma))


def _start_motor(pdu: VirtualPdu, outlet: int) -> None:
    pdu.plant.plugs[outlet - 1].motor_until_ms = pdu.now_ms + MOTOR_START_MS
    pdu.plant.touch()


_AT_ONCE: Mapping[str, Callable[[VirtualPdu, int], None]] = {
    "motor_start": _start_motor,
    "gateway_restart": lambda pdu, _outlet: pdu.reboot_gateway(pdu.now_ms),
    "power_cycle": lambda pdu, _outlet: pdu.power_cycle(pdu.now_ms),
}
"""Disturbances that are over as soon as they have happened."""
