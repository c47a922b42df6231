"""A private RabbitMQ with its MQTT plugin: on 127.0.0.1, free ports and a temporary folder, ended by its own pid."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pytest
from tests.brokers import CENTER, CENTER_PASSWORD, free_port

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The one of Debian's package that changes no user."""

START_BOUND_S = 90.0
STOP_BOUND_S = 20.0


def find_rabbit() -> Path:
    """Return the path of rabbitmq-server; skips the test when there is none."""
    if not PROGRAM.exists() or shutil.which("erl") is None:
        pytest.skip("RabbitMQ is not installed: apt-get install --no-install-recommends rabbitmq-server")
    return PROGRAM


class RabbitServer:
    """RabbitMQ with a user for the control center and one for each device.

    Args:
        folder: everything it writes.
        devices: passwords by pdu_id; a device writes only its own `up` and reads only its own `down` (MQTT-1).
    """

    def __init__(self, folder: Path, devices: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self._program = find_rabbit()
        self._mapper_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._write(devices)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def __enter__(self) -> Self:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._program)], stdout=log, stderr=log, env=self._environment(), start_new_session=True
            )
        deadline = time.monotonic() + START_BOUND_S
        while "Server startup complete" not in self.log:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise AssertionError(f"RabbitMQ did not start:\n{self.log[-3000:]}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        # Erlang's port mapper has made itself a daemon, on a port of its own here; it stays while it knows of a node.
        deadline = time.monotonic() + STOP_BOUND_S
        while not self._mapper_is_gone():
            assert time.monotonic() < deadline, "Erlang's port mapper did not end"
            time.sleep(0.1)

    def _mapper_is_gone(self) -> bool:
        env = self._environment()
        subprocess.run(["epmd", "-kill"], env=env, capture_output=True, check=False)
        return subprocess.run(["epmd", "-names"], env=env, capture_output=True, check=False).returncode != 0

    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._mapper_port),
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": folder,
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
        }

    def _write(self, devices: Mapping[str, str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "plugins").write_text("[rabbitmq_mqtt].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp = none\nmqtt.listeners.tcp.default = 127.0.0.1:{self.port}\nmqtt.allow_anonymous = false\n"
            f"mqtt.exchange = amq.topic\nload_definitions = {self.folder}/definitions.json\n"
        )
        users = {CENTER: CENTER_PASSWORD, **devices}
        definitions = {
            "users": [{"name": name, "password": password, "tags": ""} for name, password in users.items()],
            "vhosts": [{"name": "/"}],
            "permissions": [
                {
                    "user": name,
                    "vhost": "/",
                    "configure": "^mqtt-",
                    "write": "^(mqtt-|amq.topic)",
                    "read": "^(mqtt-|amq.topic)",
                }
                for name in users
            ],
            "topic_permissions": [
                {
                    "user": name,
                    "vhost": "/",
                    "exchange": "amq.topic",
                    "write": f"^loadcenter\\.v1\\.{name}\\.up\\.",
                    "read": f"^loadcenter\\.v1\\.{name}\\.down\\.",
                }
                for name in devices
            ],
        }
        (self.folder / "definitions.json").write_text(json.dumps(definitions))
