import os

import pytest

from loadcenter.adapters.mqtt.broker_errors import BrokerStartError
from loadcenter.adapters.mqtt.data_folder import DataFolder


async def test_a_folder_is_held_by_one_at_a_time(tmp_path):
    first, second = DataFolder(tmp_path / "broker"), DataFolder(tmp_path / "broker")
    await first.claim()
    with pytest.raises(BrokerStartError, match="another control center"):
        await second.claim()
    first.release()
    await second.claim()
    second.release()


@pytest.mark.parametrize(
    "content",
    ["", "not a number", "999999999", "-1", str(os.getpid())],
    ids=["empty", "word", "unused", "negative", "own"],
)
def test_a_pid_file_that_does_not_name_our_broker_counts_for_nothing(tmp_path, content):
    folder = DataFolder(tmp_path)
    folder.pid_file.write_text(content)
    assert folder.leftover() is None


def test_a_configuration_is_replaced_as_a_whole_and_readable_by_its_owner_only(tmp_path):
    folder = DataFolder(tmp_path)
    folder.config_file.write_text("old")
    folder.config_file.chmod(0o644)
    folder.write_config("new")
    assert folder.config_file.read_text() == "new"
    assert folder.config_file.stat().st_mode & 0o777 == 0o600


def test_a_configuration_that_cannot_be_written_is_explained(tmp_path):
    with pytest.raises(BrokerStartError, match="cannot be written"):
        DataFolder(tmp_path / "missing").write_config("x")
