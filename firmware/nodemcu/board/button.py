"""The button: pressed for five seconds it asks for the portal."""

import asyncio

HOLD_S, LOOK_S = 5, 0.1


async def held(pin: object) -> None:
    """Return when the button, a pin that is low while it is pressed, has been pressed without a break for 5 s."""
    left = HOLD_S
    while left > 0:
        await asyncio.sleep(LOOK_S)
        left = HOLD_S if pin.value() else left - LOOK_S
