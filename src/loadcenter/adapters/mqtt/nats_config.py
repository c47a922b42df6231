"""The configuration of the embedded broker: who may do what, and how it stores."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loadcenter.domain.topology import check_pdu_id
from loadcenter.protocol.topics import DEFAULT_ROOT

CENTER_USER = "control_center"
"""User of the control center; the underscore keeps it apart from every pdu_id."""

_PASSWORD_MIN = 12
_MAX_PAYLOAD_BYTES = 8192
"""Topic and payload. The contract allows 4096 (MQTT-2); what is somewhat larger still reaches the quarantine."""
_ACK_WAIT = "5s"
_MAX_ACK_PENDING = 10_000
"""At the defaults (30 s, 1024) delivery stops at 1024 unacknowledged messages and repeats late."""
_MAX_STORE_BYTES = 2**30
"""About 2 million records. Beyond it the broker refuses records, which the devices then keep."""
_ROOT = re.compile(r"[A-Za-z0-9_-]{1,32}")
_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedOptions:
    """Settings of the embedded broker.

    Attributes:
        folder: where configuration, store, lock and pid file stand; made if missing, readable only by its owner.
        host: address to listen on. Beyond this machine it takes a certificate or `plain`.
        port: TCP port; 0 takes a free one, and keeps it until the end.
        root: first level of the topics.
        certificate: PEM file of the certificate chain and of the key, for TLS.
        plain: allow unencrypted connections from other machines.
        password: of `CENTER_USER`, for a program that shall see everything (12 characters or more); empty makes a new
            one in each run, which nobody else knows.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 1883
    root: str = DEFAULT_ROOT
    certificate: tuple[Path, Path] | None = None
    plain: bool = False
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.password and len(self.password) < _PASSWORD_MIN:
            raise ValueError(
                f"the password of {CENTER_USER} is short: give {_PASSWORD_MIN} characters or more"
            )


def render(options: EmbeddedOptions, port: int, center_hash: str, devices: Mapping[str, str]) -> str:
    """Return the configuration of `nats-server`, as JSON, which is a subset of its language.

    The MQTT topic `a/b` is the subject `a.b` there. A device gets the two patterns of MQTT-1; MQTT's own deliveries
    come on `$MQTT.sub.>`, which no client can subscribe to by itself.

    Args:
        options: settings of the broker.
        port: the port to listen on.
        center_hash: bcrypt hash of the password of `CENTER_USER`.
        devices: bcrypt hashes by pdu_id.

    Raises:
        ValueError: root, a pdu_id or a hash is not well-formed.
    """
    if not _ROOT.fullmatch(options.root):
        raise ValueError(f"the topic root '{options.root}' is not of letters, digits, - and _ (1 to 32)")
    # The filter `a/#` of MQTT covers `a` too, and so becomes the two subjects `a` and `a.>`.
    everything = [f"{options.root}.v1", f"{options.root}.v1.>"]
    users = [_user(CENTER_USER, center_hash, everything, everything)]
    for pdu_id, password_hash in sorted(devices.items()):
        own = f"{options.root}.v1.{check_pdu_id(pdu_id)}"
        users.append(_user(pdu_id, password_hash, [f"{own}.up.>"], [f"{own}.down", f"{own}.down.>"]))
    return json.dumps(
        {
            "server_name": "loadcenter",
            # Nobody may use this listener (allowed_connection_types), but the server always has one.
            "host": "127.0.0.1",
            "port": -1,
            "max_payload": _MAX_PAYLOAD_BYTES,
            "jetstream": {
                "store_dir": str(options.folder / "store"),
                "max_file_store": _MAX_STORE_BYTES,
                "sync_interval": "always",
            },
            "mqtt": _listener(options, port),
            "authorization": {"users": users},
        },
        indent=1,
    )


def _listener(options: EmbeddedOptions, port: int) -> dict[str, object]:
    listener: dict[str, object] = {
        "host": options.host,
        "port": port,
        "ack_wait": _ACK_WAIT,
        "max_ack_pending": _MAX_ACK_PENDING,
    }
    if options.certificate:
        chain, key = options.certificate
        listener["tls"] = {"cert_file": str(chain), "key_file": str(key)}
    return listener


def _user(name: str, password_hash: str, publish: list[str], subscribe: list[str]) -> dict[str, object]:
    if not _BCRYPT.fullmatch(password_hash):
        raise ValueError(f"the password hash of '{name}' is not bcrypt")
    return {
        "user": name,
        "password": password_hash,
        "allowed_connection_types": ["MQTT"],
        "permissions": {
            "publish": {"allow": publish},
            "subscribe": {"allow": [*subscribe, "$MQTT.sub.>"]},
        },
    }
