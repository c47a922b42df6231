"""A part that fails ends all of it: nothing runs on half, and nothing fails unseen."""

import asyncio
from pathlib import Path

import pytest

from loadcenter.adapters.web.live import Hub
from loadcenter.apps.bootstrap import control_center
from loadcenter.apps.config import Config
from loadcenter.services.alarming import Alarming


@pytest.mark.parametrize("part", [Hub, Alarming])
async def test_a_defect_of_one_part_ends_the_control_center_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: type
) -> None:
    async def fail(_self: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(part, "run", fail)
    config = Config(data=str(tmp_path), broker="mqtt://127.0.0.1:9")  # nobody need be there
    with pytest.raises(ExceptionGroup) as told:
        async with control_center(config), asyncio.timeout(30):
            await asyncio.Event().wait()
    assert told.group_contains(RuntimeError, match="a defect")
