"""Keeps the board in one of its Wi-Fi networks: the strongest that is there, and another when it has gone."""

import asyncio

JOIN_S, STEP_S = 20, 0.25
PAUSE_S = 5  # between two rounds over all networks
LOOK_S = 1
RSSI_AT = 3  # in what a scan tells of a network
SILENT_DBM = -200


class Wifi:
    """The station of the board.

    Args:
        station: `network.WLAN(network.STA_IF)`.
        networks: list of [name, password]; an open network has the password "".
        name: host name that the access point is told.

    Attributes:
        lost: how often a network was lost.
    """

    def __init__(self, station: object, networks: list, name: str) -> None:
        self.lost = 0
        self._station = station
        self._networks = networks
        station.active(True)
        station.config(dhcp_hostname=name)

    @property
    def joined(self) -> bool:
        """Whether the board has an address now."""
        return self._station.isconnected()

    def rssi(self) -> int:
        """Return the strength of the signal in dBm, 0 while there is none."""
        return self._station.status("rssi") if self.joined else 0

    async def run(self) -> None:
        """Join, and join again whenever the network is lost, until cancelled."""
        while True:
            if await self._join():
                await self._stay()
                self.lost += 1
            else:
                await asyncio.sleep(PAUSE_S)

    async def _stay(self) -> None:
        while self.joined:  # noqa: ASYNC110 - the station tells nobody that it has lost its network
            await asyncio.sleep(LOOK_S)

    async def _join(self) -> bool:
        for name, password in self._by_strength():
            self._station.connect(name, password)
            for _ in range(int(JOIN_S / STEP_S)):
                if self.joined:
                    return True
                await asyncio.sleep(STEP_S)
            self._station.disconnect()
        return False

    def _by_strength(self) -> list:
        """Return the known networks, the strongest first; hidden ones, which a scan does not tell of, come last."""
        heard = {}
        for found in self._station.scan():
            heard[found[0]] = max(found[RSSI_AT], heard.get(found[0], SILENT_DBM))
        return sorted(self._networks, key=lambda network: -heard.get(network[0].encode(), SILENT_DBM))
