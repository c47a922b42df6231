"""What the UNO tells once a second, and what is kept of it (SER-12, SER-42). Pure."""

import translate

SILENT_MS = 3000
PERIOD_MS = 1000
U32 = 0xFFFFFFFF
HALF_U32 = 0x80000000
HALVES = 0xFFFFFF  # an energy counter goes over the line in two halves of 24 bits


class Readings:
    """The newest `T`, the clock of the UNO, and the energy counters, which go nowhere but up.

    Attributes:
        numbers: of the newest T, None before the first one.
        heard_ms: when it came, on the gateway's uptime.
        outlets: how many the UNO has.
        energies: the counter of each outlet in mWh, as it is told.
    """

    def __init__(self) -> None:
        self.numbers = None
        self.heard_ms = 0
        self.outlets = 0
        self.energies = []
        self._unit_ms = None  # of the newest T of this session, not rolled over
        self._offset_ms = 0  # uptime of the gateway minus that of the UNO
        self._due_ms = 0  # on the UNO's uptime

    @property
    def dated(self) -> bool:
        """Whether the clock of this session is known."""
        return self._unit_ms is not None

    def begin(self, outlets: int, reached: list) -> None:
        """Begin a session: its clock starts again, the energy counters do not.

        Args:
            outlets: how many the UNO has.
            reached: what each counter was told to be at least, before the gateway started.
        """
        self._unit_ms = None
        if outlets != self.outlets:
            self.outlets, self.numbers, self.energies = outlets, None, list(reached)

    def take(self, numbers: list, now_ms: int) -> bool:
        """Take a T; False, and nothing taken, if it does not tell all of it."""
        if not translate.is_whole(numbers, self.outlets):
            return False
        self._tick(numbers[translate.UP_MS], now_ms)
        self.numbers, self.heard_ms = numbers, now_ms
        for n in range(1, self.outlets + 1):
            told = numbers[translate.outlet_at(n) + translate.ENERGY]
            self.energies[n - 1] = min(max(self.energies[n - 1], told or 0), translate.ENERGY_MAX_MWH)
        return True

    def powers(self) -> list:
        """Return the power of each outlet in mW, None where it is not known."""
        return [self.numbers[translate.outlet_at(n) + translate.POWER] for n in range(1, self.outlets + 1)]

    def is_due(self) -> bool:
        """Return whether the newest T is the next sample: one comes each second, whatever was asked between."""
        if self._unit_ms - self._due_ms < -PERIOD_MS // 2:
            return False
        late = self._unit_ms - self._due_ms >= 2 * PERIOD_MS
        self._due_ms = (self._unit_ms if late else self._due_ms) + PERIOD_MS
        return True

    def at(self, unit_up_ms: int, now_ms: int) -> int:
        """Return when something happened, on the gateway's uptime; before its start it is negative.

        Args:
            unit_up_ms: on the UNO's, 32 bits.
            now_ms: uptime; nothing has happened later.
        """
        since = (unit_up_ms - self._unit_ms + HALF_U32 & U32) - HALF_U32
        return min(now_ms, self._unit_ms + since + self._offset_ms)

    def sample(self, *, stale: bool) -> tuple:
        """Return the sample that the newest T is."""
        return translate.sample(self.numbers, self.outlets, self.energies, stale=stale)

    def behind(self) -> tuple | None:
        """Return (outlet, low, high) of the first energy counter that the UNO has lost, None if it has lost none."""
        for n in range(1, self.outlets + 1):
            energy = self.energies[n - 1]
            if (self.numbers[translate.outlet_at(n) + translate.ENERGY] or 0) < energy:
                return n, energy & HALVES, energy >> 24
        return None

    def standing(self) -> list:
        """Return what `up/state` tells, to see whether it has changed."""
        numbers = self.numbers
        found = numbers[translate.SETTINGS : translate.SETTINGS + 1]
        found += numbers[translate.ACTIVE : translate.LOCKOUT + 1]
        for at in (0, 1):
            found.append(numbers[translate.SOURCES_AT + at * translate.SOURCE_NUMBERS + translate.GRADE])
        for n in range(1, self.outlets + 1):
            at = translate.outlet_at(n)
            found += numbers[at : at + translate.CURRENT]
        return found

    def _tick(self, up_ms: int, now_ms: int) -> None:
        """Set the UNO's clock against the gateway's.

        The line delays a T, never hastens it: the least delay of late is the best, and drift adds a little each time.
        """
        if self._unit_ms is None:
            self._unit_ms = self._due_ms = up_ms
            self._offset_ms = now_ms - up_ms
            return
        self._unit_ms += up_ms - self._unit_ms & U32
        self._offset_ms = min(self._offset_ms + 1, now_ms - self._unit_ms)
