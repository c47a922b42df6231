"""A Mosquitto of its own for a test: a free port of 127.0.0.1, users with the ACL of MQTT-1, ended by its pid."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

CONFIG = """
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/users
acl_file {folder}/acl
persistence false
set_tcp_nodelay true
max_queued_messages 0
{user}
"""
ACL = """
user {server}
topic readwrite {root}/v1/#

pattern write {root}/v1/%u/up/#
pattern read {root}/v1/%u/down/#
"""


def find(name: str) -> str | None:
    """Return the path of a program; Debian keeps servers where a plain PATH does not look."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


class Mosquitto:
    """Runs while it is entered. `server` may speak everywhere under the root; all others are devices."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, users: dict[str, str], server: str = "server", root: str = "loadcenter"):
        self.folder, self.users, self.server, self.root = folder, users, server, root
        with socket.socket() as probe:
            probe.bind((self.host, 0))
            self.port: int = probe.getsockname()[1]

    def __enter__(self) -> Self:
        self._write_files()
        program = find("mosquitto")
        assert program is not None
        log = (self.folder / "log").open("w")
        self._process = subprocess.Popen(
            [program, "-c", str(self.folder / "conf")], stdout=log, stderr=subprocess.STDOUT
        )
        log.close()
        self._wait_until_it_listens()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)

    def _write_files(self) -> None:
        (self.folder / "users").touch(mode=0o600)
        for name, password in self.users.items():
            command = [find("mosquitto_passwd") or "mosquitto_passwd", "-b", str(self.folder / "users")]
            subprocess.run([*command, name, password], check=True, capture_output=True)
        (self.folder / "acl").write_text(ACL.format(server=self.server, root=self.root))
        # As root Mosquitto would change to its own user, who cannot read a temporary folder.
        user = "user root" if os.geteuid() == 0 else ""
        (self.folder / "conf").write_text(CONFIG.format(port=self.port, folder=self.folder, user=user))

    def _wait_until_it_listens(self) -> None:
        end = time.monotonic() + 10
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("Mosquitto did not start: " + (self.folder / "log").read_text())
