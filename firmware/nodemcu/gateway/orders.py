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
        numbers = [order.get(key) for key in ("boot", "n", "exp_up_ms")]
        if not all(type(number) is int for number in numbers) or not isinstance(order.get("do"), str):
            return "malformed"
        boot, n, expiry_ms = numbers
        if boot != self.boot:
            return "other_boot"
        if n <= self.n:
            return "repeated"
        self.n = n
        return "expired" if up_ms > expiry_ms else "ok"
