"""Runs `make demo` in a fresh clone as a newcomer would, uses it, ends it, and looks for what it left behind.

Started by fresh.sh, which makes WORK/clone and WORK/home; `--self-test` checks the check itself.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from fresh_client import (
    Client,
    FreshError,
    is_ready,
    log_in,
    see_a_reading_change,
    switch_an_outlet_off,
    wait_for,
)
from leftovers import Leftovers

SETUP_LIMIT_S = 240
START_LIMIT_S = 30
END_LIMIT_S = 20

Ending = Callable[[subprocess.Popen[bytes]], None]


def main(arguments: list[str]) -> int:
    work, *options = arguments
    run = {(): newcomer, ("--self-test",): self_test}.get(tuple(options))
    if run is None:
        say(f"no such option: {' '.join(options)}")
        return 2
    try:
        run(Path(work), Leftovers(Path(work)))
    except FreshError as error:
        say(f"FAILED: {error}")
        return 1
    return 0


def newcomer(work: Path, leftovers: Leftovers) -> None:
    """Run the demo twice: ended by Ctrl-C, then started again on what it had kept and ended by a plain kill."""
    password = secrets.token_urlsafe(12)
    try:
        run_demo(work, leftovers, password, SETUP_LIMIT_S, interrupt)
        run_demo(work, leftovers, password, START_LIMIT_S, terminate)
        if files := leftovers.files():
            raise FreshError("files left outside the clone and HOME:\n" + "\n".join(map(str, files)))
    finally:
        end_all(leftovers)
    say("No process and no file left behind. Passed.")


def run_demo(work: Path, leftovers: Leftovers, password: str, limit_s: float, end: Ending) -> None:
    port = free_port()
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(work / "home"),
        "LOADCENTER_ADMIN_PASSWORD": password,
    }
    say(f"make demo PORT={port}")
    demo = subprocess.Popen(
        ["make", "demo", f"PORT={port}"],
        cwd=work / "clone",
        env=environment,
        stdin=subprocess.DEVNULL,
        **leftovers.popen_options(),
    )
    client = Client(f"http://127.0.0.1:{port}")
    wait_for("/readyz", limit_s, lambda: is_ready(client) or ended_early(demo))
    say("Ready; logging in")
    log_in(client, password)
    see_a_reading_change(client)
    say("A reading changes; switching an outlet")
    say(f"The device confirmed {switch_an_outlet_off(client)} off; ending the demo by {end.__name__}")
    end(demo)
    try:
        status = demo.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        raise FreshError(f"the demo did not end within {END_LIMIT_S} s") from None
    say(f"make ended with {status}")
    if left := leftovers.processes():
        raise FreshError(f"processes left: {left}")


def ended_early(demo: subprocess.Popen[bytes]) -> None:
    if demo.poll() is not None:
        raise FreshError(f"make demo ended with {demo.returncode} before it was ready")


def interrupt(demo: subprocess.Popen[bytes]) -> None:
    """Do what Ctrl-C in a terminal does: every process of the foreground hears it."""
    os.killpg(demo.pid, signal.SIGINT)


def terminate(demo: subprocess.Popen[bytes]) -> None:
    """Do what a plain kill of make does: make alone hears it and passes it on."""
    demo.terminate()


def end_all(leftovers: Leftovers) -> None:
    """End what a failed run left, so that nothing outlives the check."""
    for number in leftovers.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def self_test(work: Path, leftovers: Leftovers) -> None:
    """Plant what the check looks for, and see that it finds exactly that."""
    clean(leftovers, "before anything was planted")
    folder = Path(tempfile.mkdtemp(prefix="planted-"))
    try:
        plain = folder / "loadcenter.sock"
        hidden = Path("/var/tmp", f".{work.name}-nats")
        inside = work / "home" / "kept"
        script = f"echo x > {plain}; echo {work} > {hidden}; echo x > {inside}; exec sleep 600"
        planted = subprocess.Popen(["sh", "-c", script], cwd=work / "clone", **leftovers.popen_options())
        try:
            wait_for("the planted files", 10, inside.exists)
            expect({planted.pid}, set(leftovers.processes()), "processes")
            expect({plain, hidden}, set(leftovers.files()), "files")
        finally:
            planted.kill()
            planted.wait()
            plain.unlink(missing_ok=True)
            hidden.unlink(missing_ok=True)
    finally:
        folder.rmdir()
    clean(leftovers, "after all was removed")
    say("The check finds what is planted, and nothing else. Passed.")


def clean(leftovers: Leftovers, when: str) -> None:
    expect(set(), set(leftovers.processes()), f"processes {when}")
    expect(set(), set(leftovers.files()), f"files {when}")


def expect(wanted: set[object], found: set[object], what: str) -> None:
    if wanted != found:
        raise FreshError(f"{what}: found {found} instead of {wanted}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def say(what: str) -> None:
    print(f"fresh: {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
