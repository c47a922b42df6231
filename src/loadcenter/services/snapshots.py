"""What the control center knows of a PDU, in the form that the rules of the domain ask for."""

from collections.abc import Mapping

from loadcenter.domain.admission import OutletSnapshot, PduSnapshot
from loadcenter.domain.events import Detail
from loadcenter.domain.reason import OutletView
from loadcenter.domain.twin import ReportedOutlet, Twin

NO_EXCESS: Mapping[int, Mapping[str, Detail]] = {}


def pdu_snapshot(twin: Twin, excess: Mapping[int, Mapping[str, Detail]] = NO_EXCESS) -> PduSnapshot | None:
    """Return what a PDU has reported, None before it has; `excess` tells which outlets would not fit, with the numbers."""
    state = twin.state
    if state is None:
        return None
    return PduSnapshot(
        tuple(_outlet(one, excess.get(one.outlet)) for one in state.outlets),
        state.active,
        state.grades,
        state.lockout,
    )


def _outlet(reported: ReportedOutlet, excess: Mapping[str, Detail] | None) -> OutletSnapshot:
    return OutletSnapshot(
        reported.outlet,
        reported.on,
        reported.cause,
        reported.trip,
        reported.locked,
        reported.by,
        excess=excess,
    )


def outlet_view(
    twin: Twin, outlet: int, trip: Mapping[str, Detail], shed: Mapping[str, Detail]
) -> OutletView:
    """Return what is known of one outlet.

    Args:
        twin: its PDU.
        outlet: its number.
        trip: the numbers of its last trip event, empty without one.
        shed: what a site compared when it shed the outlet, empty where none did.
    """
    reported = twin.outlet_state(outlet)
    if reported is None:
        return OutletView(None, None)
    return OutletView(
        reported.on,
        reported.cause,
        reported.by,
        reported.trip,
        reported.locked,
        twin.state.live if twin.state else None,
        _number(trip, "i_ma"),
        _number(trip, "limit_ma"),
        _number(trip, "limit_ms"),
        shed,
    )


def _number(data: Mapping[str, Detail], key: str) -> int | None:
    value = data.get(key)
    return value if isinstance(value, int) else None
