"""The access point on which the portal is, and what it needs around it."""

import asyncio
import json
import socket
from binascii import hexlify

import config
import network
from portal import ADDRESS, DNS_PORT, HTTP_PORT, Portal, readable, run_dns

SETUP = "setup.json"  # the password of this network, made by `loadcenter flash nodemcu`
WPA2 = 3  # network.AUTH_WPA2_PSK of an ESP8266
FAREWELL_S = 2  # for the last answer to get through


async def run_portal(home: str, led: object, limit_s: int | None) -> None:
    """Return when a configuration has been saved, or after `limit_s` seconds (None: never).

    Raises:
        OSError: the password of the network is missing.
    """
    names = _networks()
    _open_point(home)
    portal = Portal(lambda: names, lambda made: config.save(home, made))
    server = await asyncio.start_server(portal.serve, ADDRESS, HTTP_PORT)
    names_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names_socket.setblocking(False)
    names_socket.bind(socket.getaddrinfo(ADDRESS, DNS_PORT)[0][-1])
    led.say("portal")
    works = [asyncio.create_task(work) for work in (led.run(), run_dns(names_socket))]
    try:
        await asyncio.wait_for(portal.done.wait(), limit_s)
        await asyncio.sleep(FAREWELL_S)
    except asyncio.TimeoutError:
        pass  # nobody came: back to work
    for work in works:
        work.cancel()
    server.close()
    names_socket.close()


def _networks() -> list:
    """Return the names of the networks that are there, the strongest first."""
    station = network.WLAN(network.STA_IF)
    station.active(True)
    found = sorted(station.scan(), key=lambda one: -one[3])
    return readable([one[0] for one in found])


def _open_point(home: str) -> None:
    with open(home + "/" + SETUP) as file:
        password = json.load(file)["password"]
    point = network.WLAN(network.AP_IF)
    point.active(True)
    name = "Loadcenter-" + hexlify(point.config("mac")).decode()[-6:].upper()
    point.config(essid=name, password=password, authmode=WPA2)
