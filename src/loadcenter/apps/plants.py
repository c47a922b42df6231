"""Several plants behind the one port that the page knows."""

from collections.abc import Mapping, Sequence

from loadcenter.services.ports import Disturbance, Plant


class JoinedPlant:
    """Each PDU belongs to one of the plants; the first tells what can be broken.

    Args:
        plants: at least one.
    """

    def __init__(self, *plants: Plant) -> None:
        self._plants = plants

    def disturbances(self) -> Sequence[Disturbance]:
        """Return what can be broken."""
        return self._plants[0].disturbances()

    def active(self, pdu_id: str) -> Mapping[str, int | None]:
        """Return the disturbances now active on a PDU, with the outlet where one applies.

        Raises:
            KeyError: no such PDU.
        """
        return self._of(pdu_id).active(pdu_id)

    def start(self, pdu_id: str, disturbance: str, outlet: int | None) -> None:
        """Break something.

        Raises:
            KeyError: no such PDU, disturbance or outlet.
        """
        self._of(pdu_id).start(pdu_id, disturbance, outlet)

    def stop(self, pdu_id: str, disturbance: str) -> None:
        """Mend it again.

        Raises:
            KeyError: no such PDU or disturbance.
        """
        self._of(pdu_id).stop(pdu_id, disturbance)

    def _of(self, pdu_id: str) -> Plant:
        for plant in self._plants:
            try:
                plant.active(pdu_id)
            except KeyError:
                continue
            return plant
        raise KeyError(pdu_id)
