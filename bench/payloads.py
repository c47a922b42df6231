"""What the devices of the benches say: spec/mqtt.md, written without anything of the product."""

import json
import math
from collections.abc import Mapping
from typing import Any

ROOT = "loadcenter/v1"
BOOT = 1
SOURCE = {"v_mv": 230_000, "f_mhz": 50_000}


def pdu_id(index: int) -> str:
    """Return the name of a PDU of the fleet, from 0."""
    return f"fleet-{index:05d}"


def power_mw(index: int, seq: int, outlet: int) -> int:
    """Return the power that an outlet reports in a record: plausible, changing, and known to whoever checks."""
    wave = math.sin((seq + 97 * index) / 40 + outlet)
    return 40_000 + 25_000 * outlet + int(20_000 * wave)


def energy_mwh(seq: int, outlet: int) -> int:
    """Return the counter that an outlet reports in a record."""
    return (5_000_000 + seq * 20) * outlet


def seq_of(energy_kwh: float) -> int:
    """Return the record in which the counter of outlet 1 has this value."""
    return (round(energy_kwh * 1e6) - 5_000_000) // 20


def telemetry(
    index: int, seq: int, outlets: int, ts_ms: int, *, boot: int = BOOT, up_ms: int = 0, period_ms: int = 1000
) -> bytes:
    """Return one telemetry record (MQTT-20)."""
    out = []
    for n in range(1, outlets + 1):
        power = power_mw(index, seq, n)
        out.append({"n": n, "on": True, "i_ma": power // 230, "p_mw": power, "e_mwh": energy_mwh(seq, n)})
    body: dict[str, Any] = {
        "v": 1,
        "boot": boot,
        "seq": seq,
        "up_ms": up_ms or seq * period_ms,
        "ts_ms": ts_ms,
        "active": "main",
        "live": True,
        "src": {"main": SOURCE, "backup": SOURCE},
        "out": out,
    }
    if period_ms != 1000:
        body["dt_ms"] = period_ms
    return encode(body)


def birth(outlets: int, up_ms: int, period_ms: int = 1000) -> bytes:
    """Return a birth (MQTT-25)."""
    body = {
        "min_v": 1,
        "max_v": 1,
        "model": "fleet",
        "fw": "1",
        "outlets": outlets,
        "nominal": {"v_mv": 230_000, "f_mhz": 50_000},
        "ratings": {"outlet_ma": 4000, "total_ma": 16_000},
        "period_ms": period_ms,
    }
    return stamped(body, up_ms)


def state(on: Mapping[int, bool], order: int, up_ms: int) -> bytes:
    """Return a state (MQTT-30); `order` is the number of the last command taken."""
    body = {
        "active": "main",
        "live": True,
        "isolator": "closed",
        "src": {"main": "good", "backup": "good"},
        "out": [{"n": n, "on": is_on, "cause": "restore"} for n, is_on in on.items()],
        "settings": 0,
        "n": order,
    }
    return stamped(body, up_ms)


def status(*, online: bool) -> bytes:
    """Return a status (MQTT-60)."""
    return encode({"v": 1, "status": "online" if online else "offline"})


def result(command: Mapping[str, Any], up_ms: int) -> bytes:
    """Return the answer that a command was carried out (MQTT-43)."""
    body = {"id": command["id"], "n": command["n"], "status": "confirmed", "code": "ok"}
    return stamped(body, up_ms)


def stamped(body: Mapping[str, Any], up_ms: int) -> bytes:
    """Return a payload with its envelope (MQTT-4)."""
    return encode({"v": 1, "boot": BOOT, "up_ms": up_ms, **body})


def encode(body: Mapping[str, Any]) -> bytes:
    """Return JSON without blanks."""
    return json.dumps(body, separators=(",", ":")).encode()
