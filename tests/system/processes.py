"""What the kernel tells of processes: children, and where they listen."""

import socket
import struct
from pathlib import Path

from tests.system.leftovers import proc_bytes, proc_link

LISTENING = "0A"


def children(pid: int) -> list[int]:
    """Return the running child processes of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            # The name of the program may hold spaces and brackets; what follows the last bracket does not.
            told = proc_bytes(int(entry.name), "stat").rpartition(b") ")[2].split()
            state, parent = told[:2] if told else (b"Z", b"0")
            if int(parent) == pid and state != b"Z":
                found.append(int(entry.name))
    return found


def runs(pid: int) -> bool:
    """Return whether a process runs (one that has ended and is not yet fetched does not)."""
    return b"State:\tZ" not in (status := proc_bytes(pid, "status")) and bool(status)


def listening_addresses(pid: int) -> set[str]:
    """Return the addresses that a process listens on, without ports."""
    links = {proc_link(pid, f"fd/{entry.name}") for entry in Path(f"/proc/{pid}/fd").iterdir()}
    inodes = {link.removeprefix("socket:[").rstrip("]") for link in links}
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in inodes:
                found.add(_address(fields[1].partition(":")[0], family))
    return found


def _address(text: str, family: socket.AddressFamily) -> str:
    """Return an address from the kernel's hexadecimal words, which are in the machine's byte order."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    return socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words))
