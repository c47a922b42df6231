"""What can be broken around a unit in which the real programs run, as orders for its emulator (`bridge/orders.py`)."""

import signal
from collections.abc import Callable, Mapping, Sequence

from loadcenter.services.ports import Disturbance
from loadcenter.simulator.rack import DISTURBANCES

PDU_ID = "uno-1"
OUTLETS = 4
OVERLOAD_W = 2000
"""Beside what is plugged in: more than twice what an outlet may carry."""

_MAIN_LEVELS = {"main_outage": "main off", "sag": "main 60", "brownout": "main 85", "swell": "main 118"}
"""Of the main source; the first that is broken counts."""

_LASTING = {*_MAIN_LEVELS, "backup_outage", "overload", "weld", "network"}
_OF_AN_OUTLET = {"overload", "weld"}


class UnitPlant:
    """Implements the port `Plant` for one PDU, `PDU_ID`.

    Args:
        order: gives an order to the emulator.
        signal_gateway: sends a signal to the gateway's program: one that is stopped is one without a network.
    """

    def __init__(
        self, order: Callable[[str], None], signal_gateway: Callable[[signal.Signals], None]
    ) -> None:
        self._order = order
        self._signal_gateway = signal_gateway
        self._active: dict[str, int | None] = {}

    def disturbances(self) -> Sequence[Disturbance]:
        """Return what can be broken."""
        return DISTURBANCES

    def active(self, pdu_id: str) -> Mapping[str, int | None]:
        """Return the disturbances now active, with the outlet where one applies.

        Raises:
            KeyError: no such PDU.
        """
        if pdu_id != PDU_ID:
            raise KeyError(pdu_id)
        return dict(self._active)

    def start(self, pdu_id: str, disturbance: str, outlet: int | None) -> None:
        """Break something; one that is active already moves to the new outlet.

        Raises:
            KeyError: no such PDU, disturbance or outlet.
        """
        self.stop(pdu_id, disturbance)
        if disturbance == "power_cycle":
            self._order("reset")
        elif disturbance == "gateway_restart":
            self._signal_gateway(signal.SIGKILL)
        elif disturbance in _LASTING:
            self._active[disturbance] = self._checked(disturbance, outlet)
            for order in self._orders(disturbance, outlet):
                self._order(order)
            if disturbance == "network":
                self._signal_gateway(signal.SIGSTOP)
        else:
            raise KeyError(disturbance)

    def stop(self, pdu_id: str, disturbance: str) -> None:
        """Mend it again; nothing happens if it was not broken.

        Raises:
            KeyError: no such PDU.
        """
        if disturbance not in self.active(pdu_id):
            return
        outlet = self._active.pop(disturbance)
        match disturbance:
            case "network":
                self._signal_gateway(signal.SIGCONT)
            case "overload":
                self._order(f"beside {outlet} none")
            case "weld":
                self._order(f"free {outlet}")
            case "backup_outage":
                self._order("backup on")
            case _:
                self._order(self._main_order())

    def orders_that_stand(self) -> list[str]:
        """Return what a unit that is started anew has to be told, so that what is broken stays broken."""
        return [order for name, outlet in self._active.items() for order in self._orders(name, outlet)]

    def _orders(self, name: str, outlet: int | None) -> list[str]:
        match name:
            case "network":
                return []
            case "overload":
                return [f"beside {outlet} {OVERLOAD_W}"]
            case "weld":
                return [f"weld {outlet}"]
            case "backup_outage":
                return ["backup off"]
            case _:
                return [self._main_order()]

    def _main_order(self) -> str:
        return next((order for name, order in _MAIN_LEVELS.items() if name in self._active), "main on")

    def _checked(self, name: str, outlet: int | None) -> int | None:
        if name not in _OF_AN_OUTLET:
            return None
        if outlet is None or not 1 <= outlet <= OUTLETS:
            raise KeyError(f"'{name}' needs an outlet, 1 to {OUTLETS}")
        return outlet
