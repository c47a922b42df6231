"""The embedded broker as real processes: what happens when one of them is killed."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.brokers import EmbeddedServer, fast_hash, free_port, make_certificate

from loadcenter.adapters.mqtt.broker_errors import BrokerStartError
from loadcenter.adapters.mqtt.embedded import EmbeddedBroker
from loadcenter.adapters.mqtt.link import MqttLink
from loadcenter.adapters.mqtt.nats_config import EmbeddedOptions
from loadcenter.adapters.mqtt.options import LinkOptions
from loadcenter.adapters.mqtt.url import BrokerAddress
from loadcenter.services.ports import LinkState

EVENTS = "loadcenter/v1/rack-1/up/event"
STATE = "loadcenter/v1/rack-1/up/state"
RECORDS = LinkOptions(
    client_id="records",
    subscriptions=(("loadcenter/v1/+/up/#", 1),),
    persistent=True,
    inbox_limit=10_000,
)

PARENT = """
import asyncio, sys
from pathlib import Path
from loadcenter.adapters.mqtt.embedded import EmbeddedBroker
from loadcenter.adapters.mqtt.nats_config import EmbeddedOptions

class Parent(EmbeddedBroker):
    launcher = Path(sys.argv[3])

async def main():
    async with Parent(EmbeddedOptions(folder=Path(sys.argv[1]), port=int(sys.argv[2]))) as broker:
        print(broker.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
UNTETHERED = """
import os, sys
_, pid_file, *command = sys.argv[1:]
open(pid_file, "w").write(str(os.getpid()))
# The log goes nowhere: with its reader gone, the first line would end the broker.
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
os.execv(command[0], command)
"""

FULL_AT_FIRST = """
import os, pathlib, sys, time
once = pathlib.Path(sys.argv[2] + ".once")
if once.exists():
    os.execv(sys.executable, [sys.executable, {real!r}, *sys.argv[1:]])
once.touch()
for text in ("Server is ready", "JetStream failed to store a msg: write 5.blk: no space left on device"):
    print("[1] 2026/01/01 00:00:00.000000 [ERR]", text, file=sys.stderr, flush=True)
time.sleep(3600)
"""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in other processes
            await asyncio.sleep(0.01)


def servers_on(folder: Path) -> list[int]:
    """Return the processes that run on the configuration of a data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                found += [int(entry.name)] if b"nats-server\0" in (entry / "cmdline").read_bytes() else []
    return found


def start_parent(folder: Path, launcher: Path) -> tuple[subprocess.Popen[str], int]:
    """Return a control center that runs a broker, and the broker's process id."""
    command = [sys.executable, "-c", PARENT, str(folder), str(free_port()), str(launcher)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.stdout.close()
    return parent, pid


def start_stranger() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def listening(pid: int) -> set[tuple[str, int]]:
    """Return address (as the kernel writes it) and port of each listener of a process."""
    inodes = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
    tables = [Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    ends = [row[1].split(":") for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]
    return {(address, int(port, 16)) for address, port in ends}


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    async with EmbeddedServer(tmp_path / "broker", {"rack-1": "password-1", "rack-2": "password-2"}) as made:
        yield made


def device(server: EmbeddedServer, pdu_id: str, password: str) -> MqttLink:
    options = LinkOptions(client_id=pdu_id, subscriptions=((f"loadcenter/v1/{pdu_id}/down/#", 1),))
    return MqttLink(server.address(pdu_id, password), options)


async def receive(link: MqttLink, count: int) -> list[bytes]:
    payloads: list[bytes] = []
    async with asyncio.timeout(30):
        while len(payloads) < count:
            messages = await link.receive(1000, 0)
            payloads += [message.payload for message in messages]
            link.ack([message.token for message in messages if message.token])
    return payloads


# ---- the parent dies --------------------------------------------------------------------------------------


async def test_the_broker_ends_when_its_parent_is_killed_and_a_restart_runs_exactly_one(tmp_path):
    parent, pid = start_parent(tmp_path, EmbeddedBroker.launcher)
    assert servers_on(tmp_path) == [pid]
    kill(parent)
    await until(lambda: servers_on(tmp_path) == [])
    async with EmbeddedBroker(EmbeddedOptions(folder=tmp_path, port=0)) as broker:
        assert servers_on(tmp_path) == [broker.pid]
    assert servers_on(tmp_path) == []


async def test_a_broker_that_outlived_its_parent_is_ended_before_its_store_is_opened_again(tmp_path):
    launcher = tmp_path / "untethered.py"
    launcher.write_text(UNTETHERED)
    parent, orphan = start_parent(tmp_path / "broker", launcher)
    kill(parent)
    assert servers_on(tmp_path / "broker") == [orphan]
    async with EmbeddedBroker(EmbeddedOptions(folder=tmp_path / "broker", port=0)) as broker:
        assert servers_on(tmp_path / "broker") == [broker.pid]
        assert broker.pid != orphan


async def test_a_pid_file_that_names_a_stranger_harms_nobody(tmp_path):
    stranger = start_stranger()
    try:
        (tmp_path / "nats-server.pid").write_text(str(stranger.pid))
        async with EmbeddedBroker(EmbeddedOptions(folder=tmp_path, port=0)):
            assert stranger.poll() is None
    finally:
        stranger.communicate(b"\n")


async def test_a_second_control_center_on_the_same_folder_is_refused(server):
    with pytest.raises(BrokerStartError, match="another control center"):
        await EmbeddedBroker(EmbeddedOptions(folder=server.folder, port=0)).__aenter__()
    assert servers_on(server.folder) == [server.broker.pid]


# ---- the broker dies --------------------------------------------------------------------------------------


async def test_a_killed_broker_comes_back_on_its_port_and_says_why_it_was_away(server, caplog):
    async with MqttLink(server.address(), RECORDS) as link:
        await link.wait_up()
        server.kill()
        await until(lambda: server.broker.restarts == 1 and server.broker.pid is not None)
        assert await link.wait_up() == 2
        assert server.broker.last_error == ""
    assert "killed by signal 9" in caplog.text


async def test_no_message_that_waits_for_an_absent_client_is_lost_when_the_broker_is_killed(server):
    async with MqttLink(server.address(), RECORDS) as link:
        await link.wait_up()
    sent = [str(number).encode() for number in range(2000)]
    async with MqttLink(server.address(), LinkOptions(client_id="writer")) as writer:
        await writer.wait_up()
        await asyncio.gather(*(writer.publish(EVENTS, payload) for payload in sent))
        server.kill()
        await writer.wait_up()
    async with MqttLink(server.address(), RECORDS) as link:
        assert sorted(await receive(link, len(sent))) == sorted(sent)


async def test_unacknowledged_messages_come_again_after_the_broker_was_killed(server):
    async with MqttLink(server.address(), RECORDS) as link:
        await link.wait_up()
        for number in range(100):
            await link.publish(EVENTS, str(number).encode())
        await until(lambda: len(link._inbox) == 100)
        messages = await link.receive(100, 0)
        link.ack([message.token for message in messages[:40] if message.token])
        await link.publish("loadcenter/v1/rack-1/down/time", b"the acks have arrived before this")
        server.kill()
        # Those acknowledged may come again too: the server had not yet written that they were.
        missing = set(range(40, 100))
        while missing:
            missing -= {int(payload) for payload in await receive(link, 1)}


async def test_what_is_retained_outlives_a_kill(server):
    async with MqttLink(server.address(), LinkOptions(client_id="writer")) as writer:
        await writer.wait_up()
        await writer.publish(STATE, b"kept", retain=True)
        server.kill()
        await until(lambda: writer.generation == 2)
    async with MqttLink(server.address(), RECORDS) as link:
        (message,) = await link.receive(1, 0)
        assert (message.payload, message.retained) == (b"kept", True)


async def test_a_broker_whose_disk_is_full_is_started_again_and_says_what_to_do(tmp_path, caplog):
    launcher = tmp_path / "full.py"
    launcher.write_text(FULL_AT_FIRST.format(real=str(EmbeddedBroker.launcher)))

    class FullAtFirst(EmbeddedBroker):
        pass

    FullAtFirst.launcher = launcher
    broker = FullAtFirst(EmbeddedOptions(folder=tmp_path / "broker", port=0))
    async with broker, MqttLink(broker.address, RECORDS) as link:
        await link.wait_up()
        assert (broker.restarts, broker.last_error) == (1, "")
    assert "the disk is full: make room" in caplog.text


# ---- devices come and go ----------------------------------------------------------------------------------


async def test_devices_change_while_the_broker_runs_and_the_others_notice_nothing(server):
    hashes = {"rack-1": server._hashes["rack-1"], "rack-3": fast_hash("password-3")}
    async with (
        MqttLink(server.address(), RECORDS) as center,
        device(server, "rack-1", "password-1") as stays,
        device(server, "rack-2", "password-2") as goes,
        device(server, "rack-3", "password-3") as comes,
    ):
        await center.wait_up()
        await stays.wait_up()
        await goes.wait_up()
        await until(lambda: "check user name" in comes.last_error)
        await server.broker.set_devices(hashes)
        await comes.wait_up()
        await until(lambda: "check user name" in goes.last_error)
        await center.publish("loadcenter/v1/rack-1/down/command", b"still there")
        assert await receive(stays, 1) == [b"still there"]
        assert center.generation == stays.generation == 1


async def test_a_device_that_is_not_well_formed_changes_nothing(server):
    before = (server.folder / "nats-server.conf").read_text()
    for wrong in ({"Rack 1": fast_hash("x")}, {"rack-1": "plain text"}, {'a"b': fast_hash("x")}):
        with pytest.raises(ValueError, match=r"rack|Rack|a\"b"):
            await server.broker.set_devices(wrong)
    assert (server.folder / "nats-server.conf").read_text() == before
    async with device(server, "rack-1", "password-1") as link:
        await link.wait_up()


# ---- what it opens, and to whom ---------------------------------------------------------------------------


async def test_it_listens_on_this_machine_only_and_keeps_its_secrets(server):
    found = listening(server.broker.pid)
    assert len(found) == 2  # MQTT, and the server's own, which nobody may use
    assert {address for address, _ in found} == {"0100007F"}
    assert server.folder.stat().st_mode & 0o777 == 0o700
    assert (server.folder / "nats-server.conf").stat().st_mode & 0o777 == 0o600
    assert (server.folder / "store").stat().st_mode & 0o077 == 0


async def test_its_other_listener_lets_no_device_in(server):
    ports = {port for _, port in listening(server.broker.pid)}
    (port,) = ports - {server.port}
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b'CONNECT {"user":"rack-1","pass":"password-1","verbose":true}\r\nPING\r\n')
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b"Authorization Violation" in said


async def test_it_does_not_open_to_the_network_unencrypted_unless_told_so(tmp_path):
    with pytest.raises(BrokerStartError, match="plain = true"):
        await EmbeddedBroker(EmbeddedOptions(folder=tmp_path, port=0, host="0.0.0.0")).__aenter__()


async def test_with_a_certificate_devices_check_it_and_the_control_center_knows_it(tmp_path):
    certificate = make_certificate(tmp_path, "localhost")
    options = EmbeddedOptions(folder=tmp_path / "broker", port=0, certificate=certificate)
    async with (
        EmbeddedBroker(options, {"rack-1": fast_hash("password-1")}) as broker,
        MqttLink(broker.address, RECORDS) as center,
    ):
        await center.wait_up()
        good = BrokerAddress("localhost", broker.port, True, "rack-1", "password-1", certificate[0])
        async with MqttLink(good, LinkOptions(client_id="rack-1")) as link:
            await link.wait_up()
            # More than one TLS record, so that decrypted bytes wait where the event loop cannot see them.
            for number in range(100):
                await link.publish(EVENTS, str(number).encode() + bytes(4000))
        assert [int(payload.rstrip(b"\0")) for payload in await receive(center, 100)] == list(range(100))


async def test_what_is_wrong_with_tls_is_explained(tmp_path):
    certificate = make_certificate(tmp_path, "another-host")
    options = EmbeddedOptions(folder=tmp_path / "broker", port=0, certificate=certificate)
    async with EmbeddedBroker(options) as broker:
        address = ("127.0.0.1", broker.port, True)
        assert "CA file" in await error_of(BrokerAddress(*address))
        assert "as the certificate does" in await error_of(BrokerAddress(*address, ca_file=certificate[0]))
        assert "cannot be read" in await error_of(BrokerAddress(*address, ca_file=tmp_path / "missing.pem"))
        (tmp_path / "empty.pem").touch()
        assert "no certificate" in await error_of(BrokerAddress(*address, ca_file=tmp_path / "empty.pem"))
        assert "mqtts://" in await error_of(BrokerAddress("127.0.0.1", broker.port))
    async with EmbeddedBroker(EmbeddedOptions(folder=tmp_path / "plain", port=0)) as broker:
        assert "mqtt://" in await error_of(BrokerAddress("127.0.0.1", broker.port, tls=True))


async def error_of(address: BrokerAddress) -> str:
    async with MqttLink(address, LinkOptions(client_id="c", connect_timeout_s=2)) as link:
        await until(lambda: link.last_error != "")
        assert link.state is LinkState.CONNECTING
        return link.last_error


# ---- it cannot start --------------------------------------------------------------------------------------


async def test_a_port_in_use_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerStartError, match=f"port {port} on 127.0.0.1 is taken"):
            await EmbeddedBroker(EmbeddedOptions(folder=tmp_path, port=port)).__aenter__()
    async with EmbeddedBroker(EmbeddedOptions(folder=tmp_path, port=port)) as broker:
        assert broker.port == port


async def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(BrokerStartError, match="cannot be written"):
        await EmbeddedBroker(EmbeddedOptions(folder=tmp_path / "file" / "broker", port=0)).__aenter__()


async def test_an_address_of_another_machine_is_named(tmp_path):
    options = EmbeddedOptions(folder=tmp_path, port=0, host="192.0.2.1", plain=True)
    with pytest.raises(BrokerStartError, match=r"no address 192\.0\.2\.1"):
        await EmbeddedBroker(options).__aenter__()


async def test_a_store_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "store").write_text("in the way")
    with pytest.raises(BrokerStartError, match="the broker ended"):
        await EmbeddedBroker(EmbeddedOptions(folder=tmp_path, port=0)).__aenter__()
    assert servers_on(tmp_path) == []


async def test_a_clean_stop_leaves_nothing_behind(tmp_path):
    broker = EmbeddedBroker(EmbeddedOptions(folder=tmp_path, port=0))
    async with broker:
        pid = broker.pid
        assert pid is not None
    assert servers_on(tmp_path) == []
    assert broker.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
