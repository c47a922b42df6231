"""Finds what a program left behind: processes, and files outside the one folder it may write to.

As root the program is run under a group of its own that nothing else on the machine has. Whatever bears that group is
its doing, wherever it lies, and other programs' activity cannot raise a false alarm. Without root a process or new file
counts that mentions the folder, and a new file named after the product.
"""

import os
import random
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

NAMED_AFTER_PRODUCT = re.compile(r"loadcenter|nats|jetstream", re.IGNORECASE)
SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/run", f"/run/user/{os.getuid()}", str(Path.home()))
LONGEST_READ = 1 << 20


class Leftovers:
    """What a program started by `popen_options` leaves outside `work`."""

    def __init__(self, work: Path) -> None:
        self._work = work.resolve()
        self._group = random.randrange(20_000, 60_000) if os.geteuid() == 0 else None
        self._since = time.time()

    def popen_options(self) -> dict[str, object]:
        """Return what subprocess.Popen needs so that the program's doings can be told from others'."""
        own_group = {} if self._group is None else {"group": self._group}
        # A session of its own, so that the whole of it can be interrupted as a terminal would.
        return {"start_new_session": True, **own_group}

    def processes(self) -> dict[int, str]:
        """Return the program's processes that still run: id and command line."""
        ours = {os.getpid(), os.getppid()}
        numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return {number: command(number) for number in numbers if number not in ours and self._owns(number)}

    def files(self) -> list[Path]:
        """Return the program's files and folders outside the work folder, without what lies in such a folder."""
        found = set(self._by_group() if self._group is not None else self._by_name_or_mention())
        return sorted(path for path in found if found.isdisjoint(path.parents))

    def _owns(self, number: int) -> bool:
        status = proc_bytes(number, "status").decode(errors="replace")
        if "\nState:\tZ" in status:
            return False
        if self._group is not None and re.search(rf"^Gid:.*\b{self._group}\b", status, re.MULTILINE):
            return True
        links = " ".join(proc_link(number, name) for name in ("cwd", "exe", "root"))
        told = links.encode() + proc_bytes(number, "cmdline") + proc_bytes(number, "environ")
        return bytes(self._work) in told

    def _by_group(self) -> Iterator[Path]:
        mounted = [folder for folder in SHARED_FOLDERS if os.path.ismount(folder)]
        return self._find(["/", *mounted], "-gid", str(self._group))

    def _by_name_or_mention(self) -> Iterator[Path]:
        new = ["-user", str(os.getuid()), "-newermt", f"@{self._since}"]
        existing = [folder for folder in SHARED_FOLDERS if Path(folder).is_dir()]
        for path in self._find(existing, *new):
            if NAMED_AFTER_PRODUCT.search(path.name) or bytes(self._work) in file_start(path):
                yield path

    def _find(self, roots: list[str], *tests: str) -> Iterator[Path]:
        command_line = ["find", *roots, "-xdev", "-path", str(self._work), "-prune", "-o", *tests, "-print0"]
        # find ends with an error when a folder is closed to us or vanishes under it, which is no matter here.
        done = subprocess.run(command_line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return (Path(os.fsdecode(path)) for path in done.stdout.split(b"\0") if path)


def command(number: int) -> str:
    """Return a process's command line, empty once it is gone."""
    return proc_bytes(number, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()


def proc_bytes(number: int, name: str) -> bytes:
    """Return a file of a process, empty where it is gone or closed to us."""
    try:
        return Path(f"/proc/{number}/{name}").read_bytes()
    except OSError:
        return b""


def proc_link(number: int, name: str) -> str:
    """Return where a link of a process points, empty where it is gone or closed to us."""
    try:
        return str(Path(f"/proc/{number}/{name}").readlink())
    except OSError:
        return ""


def file_start(path: Path) -> bytes:
    """Return the first megabyte of a plain file, empty for anything else."""
    try:
        if path.is_symlink() or not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(LONGEST_READ)
    except OSError:
        return b""
