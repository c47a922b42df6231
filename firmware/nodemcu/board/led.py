"""The lamp: blinks out what keeps the gateway from its work (docs/build-it/nodemcu.md lists the codes)."""

import asyncio

SHORT_S, LONG_S = 0.15, 0.6
CYCLE_S = 3
CODES = {
    "well": (),
    "wifi": (SHORT_S,),
    "broker": (SHORT_S,) * 2,
    "unit": (SHORT_S,) * 3,
    "portal": (LONG_S,) * 2,
}


class Led:
    """The lamp at a pin that is low when it is lit.

    Args:
        pin: with a method `value`.
    """

    def __init__(self, pin: object) -> None:
        self._pin = pin
        self._code = "well"
        pin.value(1)

    def say(self, code: str) -> None:
        """Blink another code from the next cycle on; `well` is a lamp that stays dark."""
        self._code = code

    async def run(self) -> None:
        """Blink until cancelled."""
        while True:
            left_s = CYCLE_S
            for lit_s in CODES[self._code]:
                self._pin.value(0)
                await asyncio.sleep(lit_s)
                self._pin.value(1)
                await asyncio.sleep(SHORT_S)
                left_s -= lit_s + SHORT_S
            await asyncio.sleep(left_s)
