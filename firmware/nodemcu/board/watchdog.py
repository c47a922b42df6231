"""Starts the board again when the gateway has stopped turning.

`machine.WDT` of an ESP8266 bites after some three seconds that cannot be changed; a TLS handshake takes longer. So a
timer counts here, for programs that turn without getting anywhere; a chip that hangs altogether is started again by
the watchdog of its SDK, which MicroPython leaves on.
"""

LIMIT_S = 60


class Watchdog:
    """Bites when it has not been fed for a minute.

    Args:
        timer: `machine.Timer(-1)`.
        periodic: `machine.Timer.PERIODIC`.
        reset: starts the board again.
    """

    def __init__(self, timer: object, periodic: int, reset: object) -> None:
        self._reset = reset
        self._left = LIMIT_S
        timer.init(period=1000, mode=periodic, callback=self._tick)

    def feed(self) -> None:
        """Note that all is well."""
        self._left = LIMIT_S

    def _tick(self, _timer: object) -> None:
        self._left -= 1
        if self._left <= 0:
            self._reset()
