"""The stack that the project is compared with: Node-RED and its MySQL node, as the earlier PDU of this kind used them.

Both come from npm into a cache folder; nothing of them is in this repository.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench import payloads
from bench.figures import CACHE
from tests.brokers import CENTER, CENTER_PASSWORD, MosquittoServer, free_port
from tests.databases import PASSWORD, MariaDbServer

PACKAGES = ("node-red@4.1", "node-red-node-mysql@3.0")
NODE_OLDEST = 18
START_BOUND_S = 60.0
JOINED = 125
"""Messages in one bulk INSERT of the joined flow: 1,000 rows, where a bulk INSERT gains no more."""
TABLE = """CREATE TABLE IF NOT EXISTS old_readings (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, device VARCHAR(32) NOT NULL, load_no TINYINT NOT NULL,
  ts BIGINT NOT NULL, state TINYINT NOT NULL, v1 FLOAT, v2 FLOAT, current FLOAT, power FLOAT, energy DOUBLE,
  source VARCHAR(8) NOT NULL, KEY by_load (device, load_no, ts)) ENGINE=InnoDB"""
"""The old table: an auto-id row for each load and second. The index is a gift: the earlier project had none."""
COLUMNS = "device, load_no, ts, state, v1, v2, current, power, energy, source"
_ROWS = """
const m = msg.payload, main = m.src.main.v_mv / 1000, backup = m.src.backup.v_mv / 1000;
const device = msg.topic.split("/")[2];
const rows = m.out.map(o => [device, o.n, m.ts_ms, o.on ? 1 : 0, main, backup, o.i_ma / 1000, o.p_mw / 1000,
  o.e_mwh / 1e6, m.active]);
"""
_EACH = f"""{_ROWS}
msg.topic = "INSERT INTO old_readings ({COLUMNS}) VALUES " + rows.map(() => "(?,?,?,?,?,?,?,?,?,?)").join(",");
msg.payload = rows.flat();
return msg;
"""
_KEEP_ROWS = f"{_ROWS}\nreturn {{payload: rows}};\n"
_BULK = f"""
return {{topic: "INSERT INTO old_readings ({COLUMNS}) VALUES ?", payload: [msg.payload.flat()]}};
"""


class Flow(StrEnum):
    """How a message comes into the table."""

    EACH = "one 8-row INSERT a message"
    JOINED = "join node and bulk INSERT"


def install() -> Path:
    """Return the folder where Node-RED and its MySQL node are installed, after installing them there if need be.

    Raises:
        SystemExit: there is no Node.js, or npm failed; the message says what to do.
    """
    folder = CACHE / "node-red-4.1"
    if (folder / "complete").exists():
        return folder
    npm = shutil.which("npm")
    if npm is None or node_version() < NODE_OLDEST:
        raise SystemExit(
            f"error: the peer of F7 needs node and npm >= {NODE_OLDEST}: install them, or measure without: PEER=none"
        )
    print(f"installing {' and '.join(PACKAGES)} into {folder}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(
            f"error: npm cannot install the peer of F7; PEER=none leaves it out\n{done.stderr[-2000:]}"
        )
    (folder / "complete").touch()
    return folder


def node_version() -> int:
    """Return the major version of Node.js, 0 without one."""
    node = shutil.which("node")
    if node is None:
        return 0
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(told.strip().lstrip("v").split(".")[0])


class NodeRed:
    """Node-RED with one flow from a broker into the old table; a context manager that returns when a row came through."""

    def __init__(
        self, folder: Path, broker: MosquittoServer, database: MariaDbServer, name: str, flow: Flow
    ) -> None:
        self._folder = folder
        self._installed = install()
        self._database = database
        self._name = name
        folder.mkdir(parents=True)
        (folder / "node_modules").symlink_to(self._installed / "node_modules")
        self._save("flows.json", _nodes(broker.port, database.port, name, flow))
        self._save("flows_cred.json", _CREDENTIALS)
        (folder / "settings.js").write_text(_settings(folder), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        red = self._installed / "node_modules" / "node-red" / "red.js"
        command = ["node", str(red), "--settings", str(self._folder / "settings.js")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={**os.environ, "NODE_ENV": "production"},
            )
        deadline = time.monotonic() + START_BOUND_S
        while "Started flows" not in self._log or "Connected to broker" not in self._log:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._end()
                raise RuntimeError(f"Node-RED did not start:\n{self._log[-3000:]}")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def kill(self) -> None:
        """End it with kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @property
    def _log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8")

    def _end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _save(self, name: str, content: Any) -> None:
        (self._folder / name).write_text(json.dumps(content), encoding="utf-8")


_CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "broker": {"user": CENTER, "password": CENTER_PASSWORD},
    "database": {"user": "loadcenter", "password": PASSWORD},
}


def _settings(folder: Path) -> str:
    values = {
        "userDir": str(folder),
        "flowFile": "flows.json",
        "uiHost": "127.0.0.1",
        "uiPort": free_port(),
        "credentialSecret": False,
        "httpAdminRoot": False,
        "httpNodeRoot": False,
        "telemetry": {"enabled": False, "updateNotification": False},
        "logging": {"console": {"level": "info", "metrics": False, "audit": False}},
    }
    return f"module.exports = {json.dumps(values)};\n"


def _nodes(broker_port: int, database_port: int, name: str, flow: Flow) -> list[dict[str, Any]]:
    broker = {
        "id": "broker",
        "type": "mqtt-broker",
        "broker": "127.0.0.1",
        "port": str(broker_port),
        "clientid": f"node-red-{name}",
        "autoConnect": True,
        "usetls": False,
        "protocolVersion": "4",
        "keepalive": "60",
        "cleansession": True,
    }
    database = {
        "id": "database",
        "type": "MySQLdatabase",
        "host": "127.0.0.1",
        "port": str(database_port),
        "db": name,
        "tz": "",
        "charset": "UTF8MB4",
    }
    tab = {"id": "tab", "type": "tab", "label": "ingest"}
    source = {
        "id": "from-broker",
        "type": "mqtt in",
        "z": "tab",
        "topic": f"{payloads.ROOT}/+/up/telemetry",
        "qos": "1",
        "datatype": "json",
        "broker": "broker",
        "inputs": 0,
        "wires": [["to-rows"]],
    }
    sink = {"id": "to-table", "type": "mysql", "z": "tab", "mydb": "database", "name": "", "wires": [[]]}
    match flow:
        case Flow.EACH:
            steps = [_function("to-rows", _EACH, "to-table")]
        case Flow.JOINED:
            bulk = _function("to-bulk", _BULK, "to-table")
            steps = [_function("to-rows", _KEEP_ROWS, "to-batch"), _JOIN, bulk]
    # Without a place on the page Node-RED takes a node for configuration.
    placed = [{**one, "x": 100, "y": 100} for one in (source, *steps, sink)]
    return [tab, broker, database, *placed]


def _function(name: str, code: str, then: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "function",
        "z": "tab",
        "func": code,
        "outputs": 1,
        "initialize": "",
        "finalize": "",
        "libs": [],
        "wires": [[then]],
    }


_JOIN: dict[str, Any] = {
    "id": "to-batch",
    "type": "join",
    "z": "tab",
    "mode": "custom",
    "build": "array",
    "property": "payload",
    "propertyType": "msg",
    "key": "topic",
    "joiner": "",
    "joinerType": "str",
    "accumulate": False,
    "timeout": "0.1",
    "count": str(JOINED),
    "wires": [["to-bulk"]],
}
