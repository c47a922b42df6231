"""The system's clock; no other module reads one."""

import asyncio
import time

_NS_PER_MS = 1_000_000


class SystemClock:
    """The time of this machine (`ports.Clock`)."""

    def now_ms(self) -> int:
        """Return UTC in ms since 1970; it steps when the machine's clock is set."""
        return time.time_ns() // _NS_PER_MS

    def monotonic_ms(self) -> int:
        """Return ms since an arbitrary moment; it never steps."""
        return time.monotonic_ns() // _NS_PER_MS

    async def sleep_ms(self, duration_ms: int) -> None:
        """Return after `duration_ms`; 0 or less lets other tasks run once."""
        await asyncio.sleep(max(duration_ms, 0) / 1000)
