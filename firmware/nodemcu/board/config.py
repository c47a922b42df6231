"""What makes this gateway one of its own: networks, broker, credential, update key. Kept as `config.json`.

Runs under MicroPython and CPython. The file is made by `loadcenter device add` but for the Wi-Fi, which the portal
adds (board/portal.py).
"""

import json
import os
from binascii import unhexlify

FILE, NEW = "config.json", "config.new"
PORT_MAX = 65535
KEY_BYTES = 32
NETWORKS_MAX = 4
SSID_MAX, WIFI_PASSWORD = 32, (8, 63)  # bytes, by IEEE 802.11
PDU_ID = "abcdefghijklmnopqrstuvwxyz0123456789-"
PDU_ID_MAX = 32
TEXT_MAX = 128


class ConfigError(ValueError):
    """The configuration cannot be used; the message says what is wrong, for the person at the portal."""


def load(folder: str) -> dict | None:
    """Return the configuration, None if there is none that can be used."""
    try:
        with open(folder + "/" + FILE) as file:
            return checked(json.load(file))
    except (OSError, ValueError):
        return None


def save(folder: str, config: dict) -> None:
    """Keep a configuration; a cut leaves the one before or this one.

    Raises:
        OSError: the flash cannot be written.
    """
    with open(folder + "/" + NEW, "w") as file:
        json.dump(config, file)
    os.rename(folder + "/" + NEW, folder + "/" + FILE)


def checked(config: object) -> dict:
    """Return the configuration with every value checked.

    Raises:
        ConfigError: a value is missing or does not fit.
    """
    if not isinstance(config, dict):
        raise ConfigError("the gateway's data are not what `loadcenter device add` has made")
    _check_pdu(config)
    for key in ("password", "host", "root"):
        _require(_is_text(config.get(key), 1, TEXT_MAX), key)
    _require(type(config.get("port")) is int and 0 < config["port"] <= PORT_MAX, "port")
    _require(config.get("tls") in (True, False), "tls")
    try:
        key = unhexlify(config.get("update_key"))
    except (TypeError, ValueError):
        key = b""
    _require(len(key) == KEY_BYTES, "update_key")
    _check_networks(config.get("wifi"))
    return config


def _check_pdu(config: dict) -> None:
    name = config.get("pdu")
    _require(_is_text(name, 1, PDU_ID_MAX) and all(c in PDU_ID for c in name), "pdu")


def _check_networks(networks: object) -> None:
    if not isinstance(networks, list) or not 0 < len(networks) <= NETWORKS_MAX:
        raise ConfigError("name one to %d Wi-Fi networks" % NETWORKS_MAX)
    for network in networks:
        if not isinstance(network, list) or len(network) != len(("ssid", "password")):
            raise ConfigError("a Wi-Fi network is a name and a password")
        if not _is_text(network[0], 1, SSID_MAX):
            raise ConfigError("the name of a Wi-Fi network has 1 to %d bytes" % SSID_MAX)
        if network[1] != "" and not _is_text(network[1], *WIFI_PASSWORD):
            raise ConfigError(
                "a Wi-Fi password has %d to %d bytes, or none in an open network" % WIFI_PASSWORD
            )


def _is_text(value: object, least: int, most: int) -> bool:
    return isinstance(value, str) and least <= len(value.encode()) <= most


def _require(fits: bool, key: str) -> None:
    if not fits:
        raise ConfigError("'%s' is missing in the gateway's data, or does not fit" % key)
