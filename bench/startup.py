"""Start to first reading, memory at rest, and size of the first load (figures F12_start_s, F12_start_cpu_s, F12_rss_mb, F12_view_kb)."""

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from bench import figures
from bench.figures import ROOT, Figures, of_runs
from bench.processes import cpu_s

STATIC = ROOT / "src" / "loadcenter" / "adapters" / "web" / "static"
RUNS = 5
BOUND_S = 60
REST_S = 10


def main() -> Figures:
    """Measure."""
    runs = [one_run() for _ in range(RUNS)]
    return {
        "F12_start_s": of_runs([start for start, _, _ in runs], "s", "<= 5"),
        "F12_start_cpu_s": of_runs([cpu for _, cpu, _ in runs], "s", note="processor time until then"),
        "F12_rss_mb": of_runs([rss for _, _, rss in runs], "MB", "<= 120"),
        "F12_view_kb": of_runs([first_load_kb()], "kB", "<= 250"),
    }


def one_run() -> tuple[float, float, float]:
    """Return (seconds to the first reading, processor time until then, MB at rest) of a demo on an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [sys.executable, "-m", "loadcenter", "demo", "--port", str(port), "--data", folder]
        began = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as demo:
            try:
                wait_for_reading(Path(folder), began)
                start_s, start_cpu_s = time.monotonic() - began, cpu_s(demo.pid)
                time.sleep(REST_S)
                status = Path(f"/proc/{demo.pid}/status").read_text(encoding="ascii")
            finally:
                demo.send_signal(signal.SIGTERM)
                demo.wait(20)
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert match is not None
    return start_s, start_cpu_s, int(match[1]) / 1000


def wait_for_reading(folder: Path, began: float) -> None:
    """Return when a PDU of the running control center shows a good reading."""
    while time.monotonic() - began < BOUND_S:
        try:
            place = json.loads((folder / "running.json").read_text(encoding="utf-8"))
            request = Request(
                f"{place['url']}/api/v1/pdus", headers={"Authorization": f"Bearer {place['token']}"}
            )
            with urlopen(request, timeout=5) as answer:
                if any(one["quality"] == "good" for one in json.load(answer)["items"]):
                    return
        except (OSError, URLError, ValueError):
            pass  # not there yet
        time.sleep(0.02)
    raise SystemExit("no reading came")


def first_load_kb() -> float:
    """Return what a browser loads before anything can be used, as gzip, in kB."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="[./]*(assets/[^"]+)"', page)
    packed = [STATIC / f"{name}.gz" for name in ("index.html", *named)]
    return sum(path.stat().st_size for path in packed if path.exists()) / 1000


def free_port() -> int:
    """Return a TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    figures.run("startup", main)
