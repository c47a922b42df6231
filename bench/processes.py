"""Processor time and memory of processes with their children, as the kernel tells."""

import os
import re
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """Return a process and all that it has started, directly or not."""
    found = [pid]
    for one in found:
        for path in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(child) for child in path.read_text(encoding="ascii").split()]
            except OSError:
                continue  # the thread has ended meanwhile
    return found


def cpu_s(pid: int) -> float:
    """Return the processor seconds that a process and its children have used, ended children included."""
    return sum(_cpu_s(one) for one in tree(pid))


def rss_mb(pid: int) -> float:
    """Return resident memory of a process alone, in MB."""
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(match[1]) / 1000 if match else 0.0


def _cpu_s(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    fields = text.rpartition(") ")[2].split()
    return sum(int(fields[at]) for at in range(11, 15)) * _TICK_S


class RssCurve:
    """Resident memory of a process over time, looked at ten times a second from a thread of its own."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.values_mb: list[float] = []

    def __enter__(self) -> Self:
        self.values_mb.append(rss_mb(self._pid))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def thinned(self, points: int = 20) -> list[int]:
        """Return at most so many values, evenly taken, in whole MB."""
        step = max(1, -(-len(self.values_mb) // points))
        return [round(value) for value in self.values_mb[::step]]

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            try:
                self.values_mb.append(rss_mb(self._pid))
            except OSError:
                return  # it has ended
