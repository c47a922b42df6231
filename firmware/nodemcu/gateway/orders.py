"""Which commands are carried out (MQTT-41, MQTT-42, MQTT-45). Pure; runs under MicroPython and CPython."""


class Orders:
    """Remembers the last command number of this boot, so that nothing is carried out twice.

    Attributes:
        n: last number taken, 0 before the first.
    """

    def __init__(self, boot: int) -> None:
        self.boot = boot
        self.n = 0

    def judge(self, order: dict, up_ms: int, *, retained: bool) -> str:
        """Return `ok` if the order is to be carried out now, else the code of codes.toml that refuses it."""
        if retained:
            return "retained"
        boot, n, expiry_ms = [order.get(key) for key in ("boot", "n", "exp_up_ms")]
        whole = [type(number) is int for number in (boot, n, expiry_ms)]
        fresh = whole[0] and whole[1] and boot == self.boot and n > self.n
        if fresh:
            self.n = n  # whatever becomes of the order
        if not all(whole) or not isinstance(order.get("do"), str):
            return "malformed"
        if boot != self.boot:
            return "other_boot"
        if not fresh:
            return "repeated"
        return "expired" if up_ms > expiry_ms else "ok"
