"""A control center as a process of its own, as a person starts it; killed, ended and started again."""

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any, Self

import httpx
from tests.brokers import free_port

PASSWORD = "a password for tests"
START_BOUND_S = 90.0
POLL_S = 0.02


class ServedCenter:
    """`loadcenter serve` with a configuration of its own, on one port and data folder over all its lives.

    Args:
        folder: data folder, configuration and log.
        config: keys of the configuration file.
        program: what is started instead of `loadcenter serve`, for ablations.
    """

    def __init__(self, folder: Path, config: dict[str, Any], program: list[str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.config_path = folder / "loadcenter.toml"
        self._write({"port": self.port, "data": str(folder / "data"), **config})
        self._program = program or [sys.executable, "-m", "loadcenter", "serve"]
        self._process: subprocess.Popen[bytes] | None = None
        self.env = {"LOADCENTER_ADMIN_PASSWORD": PASSWORD}
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def __enter__(self) -> Self:
        self.start()
        self.log_in()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.http.close()

    def start(self, *, ready: bool = True) -> None:
        """Start it and return when `/readyz` (or at least `/healthz`) answers 200."""
        env = {**os.environ, **self.env}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log, env=env)
        wait_for(lambda: self._answers("/readyz" if ready else "/healthz"), self)

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """End it in order and return its exit status."""
        return self._end(sign)

    def kill(self) -> None:
        """End it with kill -9."""
        self._end(signal.SIGKILL)

    def log_in(self) -> None:
        answer = self.http.post("/api/v1/session", json={"username": "admin", "password": PASSWORD})
        assert answer.status_code == 200, answer.text

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(f"/api/v1{path}", params=query)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def add_device(self, pdu_id: str) -> str:
        """Register a PDU and return its password."""
        answer = self.http.post("/api/v1/devices", json={"id": pdu_id, "replace": True})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["password"])

    def command(self, path: str, body: dict[str, Any], *, bound_s: float = 15.0) -> dict[str, Any]:
        """Send a command and return it when it has ended."""
        answer = self.http.post(f"/api/v1{path}", json=body)
        assert answer.status_code == 202, answer.text
        place = answer.headers["Location"]

        def ended() -> dict[str, Any] | None:
            command: dict[str, Any] = self.http.get(place).json()
            return command if command["status"] not in ("pending", "accepted") else None

        return wait_for(ended, self, bound_s)

    def rss_mb(self) -> float:
        """Resident memory of the process, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match is not None
        return int(match[1]) / 1000

    def _command(self) -> list[str]:
        return [*self._program, "--config", str(self.config_path)]

    def _answers(self, path: str) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the control center ended ({self._process.returncode}):\n{self.log}")
        try:
            return self.http.get(path).status_code == 200
        except httpx.TransportError:
            return False

    def _end(self, sign: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(sign)
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the control center did not end:\n{self.log[-3000:]}") from None

    def _write(self, config: dict[str, Any]) -> None:
        lines = [f"{key} = {_toml(value)}" for key, value in config.items()]
        text = "\n".join(lines) + "\n"
        tomllib.loads(text)
        self.config_path.write_text(text)


class DemoCenter(ServedCenter):
    """`loadcenter demo` with its simulated rack, on one port and data folder over all its lives."""

    def __init__(self, folder: Path, pdus: int = 3) -> None:
        super().__init__(folder, {})
        self._pdus = pdus

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, ready: bool = True) -> None:
        """Start it and return when every PDU has been heard of."""
        super().start(ready=ready)
        self.log_in()
        wait_for(self._all_heard, self)

    def _command(self) -> list[str]:
        where = ["--port", str(self.port), "--data", str(self.data), "--pdus", str(self._pdus)]
        return [sys.executable, "-m", "loadcenter", "demo", *where]

    def _all_heard(self) -> bool:
        pdus = self.get("/pdus")["items"]
        return len(pdus) == self._pdus and all(
            pdu["quality"] == "good" and all(one["on"] is not None for one in pdu["outlets"]) for pdu in pdus
        )


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | int) else f"'{value}'"


def wait_for(condition: Any, center: ServedCenter | None = None, bound_s: float = START_BOUND_S) -> Any:
    """Return the first true value of `condition()`; fail after `bound_s` with the log of the control center."""
    end = time.monotonic() + bound_s
    while not (value := condition()):
        if time.monotonic() > end:
            log = center.log[-4000:] if center else ""
            raise AssertionError(f"the condition did not come true within {bound_s} s\n{log}")
        time.sleep(POLL_S)
    return value
