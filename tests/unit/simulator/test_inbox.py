import json

import pytest

from loadcenter.domain.commands import Do, Order
from loadcenter.domain.topology import Source
from loadcenter.protocol.messages import encode_ack, encode_command
from loadcenter.simulator.inbox import Ack, UnreadableError, read_ack, read_command

COMMAND = {"v": 1, "id": "a-1", "boot": 2, "n": 3, "exp_up_ms": 4, "do": "switch", "out": 1, "on": True}


@pytest.mark.parametrize(
    "order",
    [
        Order(Do.SWITCH, 2, on=False, by="anna"),
        Order(Do.CYCLE, 1, off_ms=5000),
        Order(Do.RESET_TRIP, 4),
        Order(Do.LOCK, 1, on=True),
        Order(Do.TRANSFER, source=Source.BACKUP),
        Order(Do.CLEAR_LOCKOUT),
    ],
    ids=lambda order: order.do.value,
)
def test_a_device_reads_what_the_control_center_writes(order):
    command = read_command(encode_command(order, command_id="a-1", boot=2, n=3, exp_up_ms=4))
    assert (command.id, command.boot, command.n, command.exp_up_ms) == ("a-1", 2, 3, 4)
    assert command.order == order


def test_a_device_reads_the_ack_of_the_control_center():
    assert read_ack(encode_ack(3, 20, 10)) == Ack(3, 20, 10)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"v": 2}, "update the device"),
        ({"v": 0}, "update the control center"),
        ({"v": "1"}, "update the control center"),
        ({"v": True}, "contract version True"),
        ({"id": ""}, "id is ''"),
        ({"id": "a b"}, "id is 'a b'"),
        ({"id": "a" * 65}, "id is"),
        ({"boot": "2"}, "boot is '2'"),
        ({"boot": True}, "boot is 'True'"),
        ({"n": None}, "n is 'None'"),
        ({"n": -1}, "n is '-1'"),
        ({"n": 2**32}, "0 to 4294967295"),
        ({"exp_up_ms": 2**53}, "0 to 9007199254740991"),
        ({"exp_up_ms": 1.5}, "exp_up_ms is '1.5'"),
        ({"do": "explode"}, "do is 'explode'"),
        ({"do": 3}, "do is 3"),
        ({"do": {}}, "do is {}"),
        ({"do": ["switch"]}, "do is ['switch']"),
        ({"out": 0}, "outlets count from 1"),
        ({"out": 49}, "outlets count from 1"),
        ({"on": 1}, "on is 1"),
        ({"on": None}, "on: true or false"),
        ({"src": "sun"}, "src is 'sun'"),
        ({"src": []}, "src is []"),
        ({"by": "x" * 65}, "by must be"),
        ({"do": "cycle"}, "off_ms between"),
    ],
)
def test_a_command_that_cannot_be_read_says_why(change, fault):
    command = read_command(json.dumps(COMMAND | change).encode())
    assert command.order is None
    assert fault in command.fault


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        (b"\xff", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 4000, "not JSON"),
        (b'{"n":' + b"9" * 4000 + b"}", "is"),
        (b'{"a":"' + b"x" * 4096 + b'"}', "at most 4096"),
    ],
)
def test_a_payload_that_is_no_object_says_why(payload, fault):
    assert fault in read_command(payload).fault
    with pytest.raises(UnreadableError, match=fault):
        read_ack(payload)


def test_what_could_be_read_of_a_bad_command_serves_for_the_answer():
    command = read_command(json.dumps(COMMAND | {"do": "explode"}).encode())
    assert (command.id, command.boot, command.n) == ("a-1", 2, 3)
