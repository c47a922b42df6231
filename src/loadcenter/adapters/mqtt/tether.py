"""Runs as its own small program: ties the broker to the life of its parent, then becomes the broker.

`python tether.py <parent pid> <pid file> <program> <arguments>…`. It is a program and not a function called between
fork and exec, because there, in a process with threads, almost nothing may be done safely.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal to get when the parent dies; it outlasts execve."""


def main(arguments: list[str]) -> None:
    """Write the pid file, ask for SIGTERM at the parent's death, and become the program."""
    parent, pid_file, *command = arguments
    # Before the program opens its store, so that whoever comes next can always find it.
    try:
        write_pid(pid_file)
    except OSError as error:
        sys.exit(f"{pid_file} cannot be written: {(error.strerror or '').lower()}")
    os.umask(0o077)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit("the parent died meanwhile")
    os.execv(command[0], command)  # noqa: S606


def write_pid(path: str) -> None:
    """Write our process id over the one before: in place, which works on a full disk too."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(file, b"%-20d\n" % os.getpid())
    os.close(file)


if __name__ == "__main__":
    main(sys.argv[1:])
