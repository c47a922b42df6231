"""Whether an outlet may be switched on where it is, and what could make room for it.

Asked before an order is sent: of the budget of the PDU's source, and of every circuit of its site. What is not known
does not refuse: the PDU itself decides again by what it measures.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loadcenter.domain.budget import Load
from loadcenter.domain.events import Detail
from loadcenter.domain.site import Circuit, Level, Limit, SeenOutlet, SeenPdu, SiteConfig, choose, circuits_of
from loadcenter.domain.topology import OutletId
from loadcenter.services.fleet import Fleet
from loadcenter.services.views import Views, runs_desired

_FRESH_MS = 5_000


@dataclass(frozen=True, slots=True)
class Shortage:
    """An outlet does not fit.

    Attributes:
        outlet: which.
        draw: what it drew last.
        circuit: the first one, from leaf to root, that would be over its limit, without the outlet.
        candidates: outlets of lower priority that would make room, in the order in which they would be shed.
        enough: they would make room in every circuit.
    """

    outlet: OutletId
    draw: Load
    circuit: Circuit
    candidates: tuple[SeenOutlet, ...]
    enough: bool

    @property
    def numbers(self) -> Mapping[str, Detail]:
        """The numbers compared."""
        return {
            **self.circuit.numbers,
            "draw_ma": self.draw.current_ma,
            "draw_mw": self.draw.power_mw,
        }

    @property
    def message(self) -> str:
        """One sentence that says what to do: "outlet 4 will exceed BACKUP of rack-1 by 0.8 A: shed rack-1/2?"."""
        names = ", ".join(str(one.outlet) for one in self.candidates)
        if not names:
            way = "nothing of lower priority can make room; switch something off first"
        elif self.enough:
            way = f"shed {names}?"
        else:
            way = f"even without {names} it does not fit; switch something off first"
        return f"outlet {self.outlet.outlet} will exceed {self.circuit.title} by {self.over}: {way}"

    @property
    def over(self) -> str:
        """By how much it does not fit: "0.8 A", "120 W"."""
        load, limit = self.circuit.plus(self.draw).load, self.circuit.limit
        over_ma = 0 if limit.current_ma is None else load.current_ma - limit.current_ma
        over_w = 0 if limit.power_mw is None else (load.power_mw - limit.power_mw) / 1000
        return f"{over_ma / 1000:.1f} A" if over_ma > 0 else f"{over_w:.0f} W"


class Headroom:
    """Knows every circuit that feeds an outlet.

    Args:
        site_of: returns the site that a PDU belongs to, None where it belongs to none.
        is_shed: returns whether a site has shed an outlet.
    """

    def __init__(
        self,
        fleet: Fleet,
        views: Views,
        site_of: Callable[[str], SiteConfig | None],
        is_shed: Callable[[OutletId], bool],
    ) -> None:
        self._fleet = fleet
        self.is_shed = is_shed
        self._views = views
        self._site_of = site_of

    def shortage(self, pdu_id: str, number: int, displaced: Sequence[OutletId] = ()) -> Shortage | None:
        """Return why an outlet does not fit with the `displaced` ones off; None if it does, or is not known not to."""
        outlet = OutletId(pdu_id, number)
        pdus, circuits = self._around(pdu_id)
        seen = {one.outlet: one for pdu in pdus for one in pdu.outlets}
        asked, draw = seen.get(outlet), self._views.draw(outlet)
        if asked is None or asked.on or draw is None:
            return None
        gone = [seen[key] for key in displaced if key in seen]
        left = [circuit.plus(draw).without(gone) for circuit in circuits]
        over = [circuit for circuit in left if circuit.over]
        if not over:
            return None
        lower = [one for one in seen.values() if one.sheddable and one.priority > asked.priority]
        chosen: list[SeenOutlet] = []
        for circuit in (one.plus(draw) for one in circuits):
            others = [one for one in lower if one not in chosen]
            chosen += choose(circuit.without(chosen), others)
        enough = not any(one.plus(draw).without(chosen).over for one in circuits)
        first = circuits[left.index(over[0])].without(gone)
        return Shortage(outlet, draw, first, tuple(chosen), enough)

    def circuits(self, pdu_id: str) -> list[Circuit]:
        """Return the circuits that feed a PDU, from leaf to root."""
        return self._around(pdu_id)[1]

    def unheard(self, pdu_id: str) -> frozenset[str]:
        """Return the PDUs behind the same supply that count with the most that they may carry."""
        return frozenset(pdu.pdu_id for pdu in self._around(pdu_id)[0] if pdu.stale)

    def displaceable(self, pdu_id: str, number: int, outlet: OutletId) -> bool:
        """Return whether an outlet may be named to make room for another: on, of lower priority, neither kept nor locked."""
        pdus, _ = self._around(pdu_id)
        seen = {one.outlet: one for pdu in pdus for one in pdu.outlets}
        asked, named = seen.get(OutletId(pdu_id, number)), seen.get(outlet)
        if asked is None or named is None:
            return False
        kept = named.protected or named.locked or not named.reachable
        return named.on and not kept and named.priority > asked.priority

    def _around(self, pdu_id: str) -> tuple[list[SeenPdu], list[Circuit]]:
        """Return the PDUs and circuits around an outlet, from leaf to root."""
        site = self._site_of(pdu_id)
        if site is None:
            pdus = [self._views.pdu(pdu_id, _FRESH_MS)]
            return pdus, self._own(pdus[0])
        pdus = [self._views.pdu(one, site.stale_after_s * 1000) for one in site.pdus]
        own = next(one for one in pdus if one.pdu_id == pdu_id)
        above = [circuit for circuit in circuits_of(site, pdus) if pdu_id in circuit.pdus]
        return pdus, [*self._own(own), *above]

    def _own(self, pdu: SeenPdu) -> list[Circuit]:
        """Return the circuit that the PDU keeps by itself, where it is known."""
        if pdu.stale or not runs_desired(self._fleet.twin(pdu.pdu_id)):
            return []
        limit = Limit(pdu.most.current_ma, pdu.most.power_mw)
        name = f"{pdu.pdu_id} {pdu.source}"
        return [Circuit(Level.SOURCE, name, limit, pdu.load, frozenset({pdu.pdu_id}))]
