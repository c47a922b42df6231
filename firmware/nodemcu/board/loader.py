"""Starts the gateway: chooses between its two images, puts the chosen one where it runs from, and runs it.

No update replaces loader, slots, rom and romfs: whatever an image does, the next start is theirs.
"""

import sys
import time

import machine
import rom
from romfs import unpack
from slots import Slots

RUN = "/run"  # where an image is unpacked on a board without a ROM partition
FOLDER_MOST = 1 << 20
BUTTON, LAMP = 0, 2  # pins of a NodeMCU; both are low when they are pressed or lit
WINDOW_MS, STEP_MS = 1000, 20
FAULT = "fault.txt"
PAUSE_S = 2  # before the next start, so that a fault at once leaves time to press the button


def pressed() -> bool:
    """Return whether the button is pressed while the lamp is lit."""
    button, lamp = (
        machine.Pin(BUTTON, machine.Pin.IN, machine.Pin.PULL_UP),
        machine.Pin(LAMP, machine.Pin.OUT),
    )
    lamp.value(0)
    found = False
    for _ in range(WINDOW_MS // STEP_MS):
        found = found or not button.value()
        time.sleep_ms(STEP_MS)
    lamp.value(1)
    return found


def slots(home: str) -> Slots:
    """Return the images of this board, which are in the folder `home`."""
    size = rom.size()
    if size:
        return Slots(home, rom.place, size)
    sys.path.insert(0, home + RUN)
    return Slots(home, lambda path: unpack(path, home + RUN), FOLDER_MOST)


def main(home: str) -> None:
    """Run the gateway; whatever ends it starts the board again, with its reason in a file.

    While the lamp is lit, for a second at first, a press of the button stops here and leaves the REPL on the USB port.
    """
    if pressed():
        return
    try:
        images = slots(home)
        if images.start():
            from start import main as work  # noqa: PLC0415 - it is in the image, which is only now in its place

            work(images)
    except Exception as error:  # noqa: BLE001 - the next start is the remedy for every fault
        with open(home + "/" + FAULT, "w") as file:
            sys.print_exception(error, file)
        time.sleep(PAUSE_S)
    machine.reset()
