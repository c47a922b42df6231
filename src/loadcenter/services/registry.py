"""Which PDUs belong to this control center: registered with a credential of their own, named by people."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from loadcenter.domain.topology import check_pdu_id
from loadcenter.services.fleet import Fleet, NoSuchPduError
from loadcenter.services.labels import OutletLabel, write_labels
from loadcenter.services.ports import Clock, DeviceRow, Store


@dataclass(frozen=True, slots=True)
class Secret:
    """A new device credential: `password` is shown once, the hashes are kept."""

    password: str
    bcrypt_hash: str
    mosquitto_hash: str


class MakeSecret(Protocol):
    """Makes the credential of a device."""

    def __call__(self) -> Secret:
        """Return a new one."""
        ...


class AlreadyRegisteredError(ValueError):
    """A PDU of that name is registered; its credential would be replaced."""


class Registry:
    """Registers and names PDUs.

    Args:
        fleet: told of each.
        admitted: called after a change of credentials, so that a broker can learn of them.
    """

    def __init__(
        self,
        fleet: Fleet,
        store: Store,
        clock: Clock,
        make_secret: MakeSecret,
        admitted: Callable[[], Awaitable[None]],
    ) -> None:
        self._fleet = fleet
        self._store = store
        self._clock = clock
        self._make_secret = make_secret
        self._admitted = admitted

    async def add(self, pdu_id: str, name: str, *, replace_secret: bool = False) -> Secret:
        """Register a PDU and return its credential, of which only the hashes are kept.

        An empty `name` keeps the one it has, or takes the PDU's own. A new password changes nothing else.

        Raises:
            TopologyError: the name does not fit the contract.
            AlreadyRegisteredError: it is registered, and `replace_secret` was not asked for.
            StoreUnavailableError: the database is away.
        """
        check_pdu_id(pdu_id)
        known = next((one for one in await self._store.devices() if one.pdu_id == pdu_id), None)
        if known is not None and not replace_secret:
            raise AlreadyRegisteredError(
                f"'{pdu_id}' is registered; --replace gives it a new password and ends the old one"
            )
        secret = self._make_secret()
        before = known or DeviceRow(pdu_id, pdu_id, self._clock.now_ms(), "", "")
        row = replace(
            before,
            name=name or before.name,
            bcrypt_hash=secret.bcrypt_hash,
            mosquitto_hash=secret.mosquitto_hash,
        )
        await self._store.put_device(row)
        self._fleet.register(row)
        await self._admitted()
        return secret

    async def rename(self, pdu_id: str, name: str, outlets: dict[int, OutletLabel]) -> None:
        """Change what people call a PDU and its outlets.

        Raises:
            NoSuchPduError: it is not registered.
            StoreUnavailableError: the database is away.
        """
        known = next((one for one in await self._store.devices() if one.pdu_id == pdu_id), None)
        if known is None:
            raise NoSuchPduError(pdu_id)
        row = replace(known, name=name, labels=write_labels(outlets))
        await self._store.put_device(row)
        self._fleet.register(row)
