"""The gateway's end of MQTT: connects, says birth, state and records, and hands on what comes down.

It runs under MicroPython and CPython.
"""


class Uplink:
    """Keeps a connection to the broker, for ever.

    Args:
        config: dict with `user`, `password` and, if not the default, `root` ("loadcenter"), `keep_alive_s` (15),
            `ack_interval_s` (2), `longest` (2048: bytes of the longest packet that is taken).
        open_stream: coroutine function that returns (reader, writer) of asyncio, over TLS or plain; raises OSError.
        boxes: `Boxes`.
        device: what `Device` below says.
        clock: `clock.Clock`: uptime, and the time of day when known; the uplink sets it from `down/time`.
        rng: function (n) -> a random number 0..n-1, such as `random.randrange`.

    Attributes:
        connected: whether the broker has let us in and `status` is online.
        connects, drops: how many connections began and ended.
        reason: why the last one ended or could not be made, "" before.
        malformed: messages that could not be read.

    The device must offer, and none of it may wait:
        changed: asyncio.Event, set when a state or a result waits (the uplink clears it).
        state_version: a number that rises with each change of what `state` returns.
        birth() -> dict | None: fields of MQTT-25 without the envelope `v boot up_ms ts_ms`; None while the UNO has
            not said hello, and then no connection is made.
        state() -> dict: fields of MQTT-30 without the envelope.
        results() -> dict | None: the next answer `id n status code data` (MQTT-43), without the envelope; each once.
        command(payload: bytes, retained: bool): `down/command`; never empty.
        desired(payload: bytes): `down/desired`; never empty.
    """

    async def run(self) -> None:
        """Connect, and again after 1 to 60 s with jitter, until cancelled. Raises nothing else."""
        raise NotImplementedError
