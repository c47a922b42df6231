"""The gateway on its board: the portal where nothing is configured or the button was held, else the gateway."""

import asyncio
import os
import random
import time
from binascii import unhexlify

import config
import machine
from button import held
from led import Led
from slots import Slots

BUTTON, LAMP = 0, 2  # of a NodeMCU: the one marked FLASH, and the blue lamp of its module
HOME = ""  # the folder of everything that is kept
PORTAL_WISH = "portal.now"  # a file that asks the next start for the portal
PORTAL_S = 600  # after that a gateway that is configured goes back to its work
LOOK_S = 1
TICKS = (time.ticks_ms, 1 << 30)  # and where they roll over
CAUSES = {0: "power", 1: "watchdog", 4: "software", 6: "reset_pin"}  # of machine.reset_cause


def main(slots: Slots) -> None:
    """Run until the board has to start again; the loader does that."""
    found = config.load(HOME)
    if found is None or _wished():
        from setup_network import run_portal  # noqa: PLC0415 - a gateway at work has no memory for it

        asyncio.run(run_portal(HOME, Led(_lamp()), PORTAL_S if found else None))
    else:
        asyncio.run(_work(slots, found))


async def _work(slots: Slots, found: dict) -> None:
    # Imported one after the other and only here: what a portal needs and what a gateway needs is never loaded together.
    import network  # noqa: PLC0415
    from app import App  # noqa: PLC0415
    from broker import opener  # noqa: PLC0415
    from clock import Uptime  # noqa: PLC0415
    from unit_line import open_line  # noqa: PLC0415
    from update import Update  # noqa: PLC0415
    from watchdog import Watchdog  # noqa: PLC0415
    from wifi import Wifi  # noqa: PLC0415

    watchdog = Watchdog(machine.Timer(-1), machine.Timer.PERIODIC, machine.reset)
    wifi = Wifi(network.WLAN(network.STA_IF), found["wifi"], found["pdu"])
    led = Led(_lamp())

    def restart() -> None:
        app.boxes.close()  # so that the next boot tells exactly what was given out
        machine.reset()

    update = Update(slots, found["pdu"], unhexlify(found["update_key"]), Uptime(*TICKS), restart)
    app = App(
        {
            "user": found["pdu"],
            "password": found["password"],
            "root": found["root"],
            "sntp": found.get("sntp"),
        },
        HOME + "/records",
        open_line,
        opener(found["host"], found["port"], found["tls"]),
        TICKS,
        random.randrange,
        wifi.rssi,
        watchdog.feed,
        CAUSES.get(machine.reset_cause(), "other"),
        update=update,
    )
    works = (wifi.run(), led.run(), _serve_button(), _watch(update), _tell(led, wifi, app))
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await app.run()
    finally:
        for task in tasks:
            task.cancel()


async def _tell(led: Led, wifi: object, app: object) -> None:
    """Let the lamp say what is missing, the nearest first."""
    while True:
        if not wifi.joined:
            led.say("wifi")
        elif app.device.birth() is None:
            led.say("unit")
        elif not app.uplink.connected:
            led.say("broker")
        else:
            led.say("well")
        await asyncio.sleep(LOOK_S)


async def _watch(update: object) -> None:
    """Give up a version on trial whose time is over, whatever the gateway itself is doing."""
    while True:
        update.watch()
        await asyncio.sleep(LOOK_S)


async def _serve_button() -> None:
    await held(machine.Pin(BUTTON, machine.Pin.IN, machine.Pin.PULL_UP))
    _wish()
    machine.reset()


def _wish() -> None:
    with open(HOME + "/" + PORTAL_WISH, "w"):
        pass


def _wished() -> bool:
    """Return whether the button asked for the portal before this start; asked once, it is forgotten."""
    try:
        os.remove(HOME + "/" + PORTAL_WISH)
    except OSError:
        return False
    return True


def _lamp() -> object:
    return machine.Pin(LAMP, machine.Pin.OUT)
