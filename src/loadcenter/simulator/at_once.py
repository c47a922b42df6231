"""What the sampling part of a device does between two steps, as far as the simulated plant shows it."""

from loadcenter.domain.pdu import PduInputs, PduState
from loadcenter.domain.protection import INSTANTANEOUS_MA
from loadcenter.domain.standing import NOTHING_DONE, Acted, FastTrip

PEAK_PERMILLE = 1414
"""Peak of a sine over its RMS value."""


def done_at_once(inputs: PduInputs, state: PduState) -> Acted:
    """Return what was done within the standing permission of the last step.

    The instantaneous trip opens an outlet whose peak is over its threshold, unless its inrush is masked; a quiet load
    that starts up begins a mask instead. A lost source needs nothing here: the plant reports it in the step itself.
    """
    tripped: list[FastTrip] = []
    masked: list[int] = []
    for number, current_ma in enumerate(inputs.currents_ma, 1):
        peak_ma = current_ma * PEAK_PERMILLE // 1000
        closed = state.drives.outlets[number - 1]
        if peak_ma <= INSTANTANEOUS_MA or not closed or number in state.standing.masked:
            continue
        if number in state.standing.quiet:
            masked.append(number)
        else:
            tripped.append(FastTrip(number, peak_ma))
    if not tripped and not masked:
        return NOTHING_DONE
    return Acted(tripped=tuple(tripped), masked=tuple(masked))
