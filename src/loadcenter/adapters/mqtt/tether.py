"""Runs as its own small program: ties the broker to the life of its parent, then becomes the broker.

`python tether.py <parent pid> <pid file> <program> <arguments>…`. It is a program and not a function called between
fork and exec, because there, in a process with threads, almost nothing may be done safely.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal to get when the parent dies; it outlasts execve."""


def main(arguments: list[str]) -> None:
    """Write the pid file, ask for SIGTERM at the parent's death, and become the program."""
    parent, pid_file, *command = arguments
    # Before the program opens its store, so that whoever comes next can always find it.
    fresh = Path(f"{pid_file}.new")
    fresh.write_text(f"{os.getpid()}\n")
    fresh.replace(pid_file)
    os.umask(0o077)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit("the parent died meanwhile")
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
