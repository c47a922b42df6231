"""All records of the gateway: telemetry in memory, events in flash, each until the control center has stored it.

It runs under MicroPython and CPython. Nothing here waits.
"""


class Boxes:
    """Both streams of this boot, and the events of earlier ones (MQTT-10 to MQTT-19).

    Making it is the start of a boot: it reads the flash ring, takes the next boot number, writes it down, and keeps
    the event `boot` with `data.closes` (MQTT-16).

    Args:
        folder: where the flash ring lies; made if it is missing.
        uptime: returns the milliseconds of this boot (`clock.Uptime`).
        outlets: most outlets of a sample; a sample of more is refused with ValueError.
        capacity: most records of telemetry held; then they are thinned.
        birth: fields for the `data` of the event `boot`, such as {"reset_cause": "power", "fw": "1.0"}.

    Attributes:
        boot: number of this boot. It may RISE while the gateway runs (erased flash: the control center has more of
            this boot than was ever sent). Compare orders with it each time; `n` starts again at 0 when it changes.
        changed: an asyncio.Event, set when there is something new to send; `Uplink` puts the device's one here.
        unit: (session, seq) of the newest event of the UNO that is safe in flash, None before the first. It survives a
            restart: an `E` of the same session whose seq is not newer is acknowledged with `A` and not added again.
        lost: records that went into gaps `overflow`, of both streams.
    """

    def add_event(self, fields: dict, up_ms: int | None = None, unit: tuple | None = None) -> int:
        """Write an event to flash and return its number; only then may the UNO's event be acknowledged.

        Args:
            fields: `code` and, where known, `out src cause because data`, with the words of the contract.
            up_ms: when it happened, on the uptime of this boot and not below 0; now if None.
            unit: (session, seq) of the UNO's event that this is; None for an event of the gateway's own.

        Raises:
            OSError: the flash did not take it: the event is held in memory, and counted in `unwritten`.
        """
        raise NotImplementedError

    def add_telemetry(self, sample: tuple, up_ms: int | None = None, heap: int = 0, rssi: int = 0) -> int:
        """Number a sample, keep it, and return its number; older ones are thinned when there is no room.

        Args:
            sample: (backup, live, main, other, outlets): `backup` is True when the transfer switch stands there;
                `main` and `other` (the source BACKUP) are (v_mv, f_mhz, q), each outlet is
                (on, i_ma, p_mw, e_mwh, q). A number is None where it is not known. `q` is 0 good, 1 stale, 2 invalid.
            up_ms: when it was taken; now if None.
            heap: bytes of heap that are free, 0 when not known; sent as `heap_b`.
            rssi: strength of the radio signal in dBm, 0 when not known; sent as `rssi_dbm`.
        """
        raise NotImplementedError
