"""Payloads of the contract: what is taken, what is refused and why, and what the control center writes."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.fakes.builders import (
    START_MS,
    birth,
    event,
    gap,
    outlet,
    payload,
    result,
    state,
    status,
    telemetry,
)

from loadcenter.domain.commands import Do, Order
from loadcenter.domain.readings import Quality, Telemetry
from loadcenter.domain.settings import PduConfig, desired_settings
from loadcenter.domain.topology import Source
from loadcenter.protocol import messages
from loadcenter.protocol.codes import CODES
from loadcenter.protocol.messages import Envelope, EventBody, Gap, Refusal, Refused

SCHEMAS = Path(__file__).resolve().parents[3] / "spec" / "schema" / "v1"
MAIN_AND_BACKUP = {"main": {"v_mv": 230_000, "f_mhz": 50_000}, "backup": {"v_mv": 229_000, "f_mhz": 50_010}}
DEEP = b'{"v":1,"boot":1,"seq":1,"up_ms":1,"code":"boot","data":{"a":' + b"[" * 1900 + b"]" * 1900 + b"}}"


def refused(body: bytes, leaf: str = "telemetry") -> Refused:
    decode = {
        "telemetry": messages.decode_telemetry,
        "event": messages.decode_event,
        "birth": messages.decode_birth,
        "state": messages.decode_state,
        "status": messages.decode_status,
        "result": messages.decode_result,
    }[leaf]
    with pytest.raises(Refused) as caught:
        decode(body)
    return caught.value


def assert_schema(leaf: str, body: bytes) -> dict[str, Any]:
    """Check a payload against `spec/schema`, and return it."""
    schema = json.loads((SCHEMAS / f"{leaf}.json").read_text(encoding="utf-8"))
    decoded: dict[str, Any] = json.loads(body)
    Draft202012Validator(schema).validate(decoded)
    return decoded


# ---- telemetry (MQTT-20 to MQTT-23) -----------------------------------------------------------------------------------


def test_a_record_is_read_whole() -> None:
    record = messages.decode_telemetry(telemetry(7, out=[outlet(1, i_ma=1_500, p_mw=340_000, e_mwh=12)]))
    assert record.envelope == Envelope(1, 7, 7, 7_000, START_MS + 7_000)
    assert isinstance(record.body, Telemetry)
    (reading,) = record.body.outlets
    assert (reading.current_ma, reading.power_mw, reading.energy_mwh) == (1_500, 340_000, 12)
    assert (record.body.samples, record.body.period_ms) == (1, 1_000)


@pytest.mark.parametrize(
    ("live", "on", "active", "expected"),
    [
        (True, True, "main", 230_000),
        (True, True, "backup", 229_000),
        (False, True, "main", 0),
        (True, False, "main", 0),
    ],
)
def test_an_outlet_has_the_voltage_of_the_active_source_while_it_is_fed(
    active: str, expected: int, *, live: bool, on: bool
) -> None:
    body = telemetry(1, live=live, active=active, out=[outlet(1, on=on)])
    readings = messages.decode_telemetry(body).body
    assert isinstance(readings, Telemetry)
    assert readings.outlets[0].voltage_mv == expected


def test_a_value_of_a_faulty_sensor_is_unknown_and_never_zero() -> None:
    sources = {**MAIN_AND_BACKUP, "main": {"v_mv": None, "f_mhz": None, "q": "invalid"}}
    body = payload(
        boot=1, seq=1, up_ms=1, active="main", live=True, src=sources,
        out=[{"n": 1, "on": True, "i_ma": None, "p_mw": None, "e_mwh": None, "q": "invalid"}],
    )  # fmt: skip
    readings = messages.decode_telemetry(body).body
    assert isinstance(readings, Telemetry)
    reading = readings.outlets[0]
    assert (reading.voltage_mv, reading.current_ma, reading.power_mw, reading.energy_mwh) == (None,) * 4
    assert reading.quality is readings.sources[0].quality is Quality.INVALID


def test_a_record_without_a_clock_has_no_time() -> None:
    assert messages.decode_telemetry(telemetry(1, ts_ms=None)).envelope.ts_ms is None


def test_unknown_keys_are_ignored() -> None:
    messages.decode_telemetry(telemetry(1, colour="blue"))


def test_a_thinned_record_stands_for_its_span_and_keeps_its_extremes() -> None:
    out = [outlet(1, p_mw=100, p_min_mw=10, p_max_mw=300)]
    record = messages.decode_telemetry(telemetry(10, first=4, out=out))
    assert (record.envelope.first, record.envelope.seq) == (4, 10)
    assert isinstance(record.body, Telemetry)
    assert (record.body.samples, record.body.covered_ms) == (7, 7_000)
    assert (record.body.outlets[0].power_min_mw, record.body.outlets[0].power_max_mw) == (10, 300)


def test_a_thinned_record_may_have_fewer_samples_than_numbers_and_another_period() -> None:
    record = messages.decode_telemetry(telemetry(10, first=1, samples=6, dt_ms=500))
    assert isinstance(record.body, Telemetry)
    assert record.body.covered_ms == 3_000


def test_a_record_of_more_samples_than_numbers_is_refused_with_its_envelope() -> None:
    error = refused(telemetry(10, first=8, samples=4))
    assert error.reason is Refusal.OUT_OF_RANGE
    assert error.envelope is not None
    assert error.envelope.seq == 10


@pytest.mark.parametrize("count", [0, 12, None])
def test_a_gap_record_says_why_and_how_many(count: int | None) -> None:
    record = messages.decode_telemetry(gap(9, first=3, count=count, reason="overflow"))
    assert record.body == Gap("overflow", count)
    assert (record.envelope.first, record.envelope.seq) == (3, 9)
    assert messages.decode_event(gap(9, first=3, count=count)).body == Gap("overflow", count)


@pytest.mark.parametrize("count", [-1, 2**53, 10**30])
def test_what_is_wrong_with_a_gap_record_is_said_of_the_gap(count: int) -> None:
    """MQTT-19: it is no telemetry with its readings missing."""
    for leaf in ("telemetry", "event"):
        error = refused(gap(9, first=3, count=count), leaf)
        assert error.reason is Refusal.OUT_OF_RANGE
        assert "$.gap.count" in str(error)
        assert error.envelope is not None


def test_telemetry_of_four_outlets_stays_below_512_bytes() -> None:
    """MQTT-2, with every number at its longest that a 4 A outlet can show."""
    out = [
        {"n": n, "on": False, "i_ma": 17_700, "p_mw": 4_600_000, "e_mwh": 99_999_999_999} for n in range(1, 5)
    ]
    fields = json.loads(telemetry(9_999_999, boot=99_999, up_ms=9_999_999_999, live=False, out=out))
    compact = json.dumps(fields, separators=(",", ":")).encode()
    messages.decode_telemetry(compact)
    assert len(compact) < 512


# ---- events (MQTT-35) -------------------------------------------------------------------------------------------------


def test_an_event_is_read_whole() -> None:
    record = messages.decode_event(
        event(4, "transfer", cause="source_lost", because=3, data={"from": "main"})
    )
    assert isinstance(record.body, EventBody)
    assert (record.body.code, record.body.cause, record.body.because) == ("transfer", "source_lost", 3)
    assert record.body.data == {"from": "main"}


@pytest.mark.parametrize("code", sorted(CODES["event"]))
def test_every_event_of_the_contract_is_known(code: str) -> None:
    body = messages.decode_event(event(1, code)).body
    assert isinstance(body, EventBody)
    assert body.code == code


def test_an_event_stands_for_itself_alone() -> None:
    error = refused(event(5, "switched", **{"from": 3}), "event")
    assert error.reason is Refusal.OUT_OF_RANGE
    assert error.envelope is not None


# ---- what is refused (MQTT-19) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason", "readable"),
    [
        (telemetry(1) + b" " * 4_000, Refusal.TOO_LARGE, True),
        (b"x" * 4_097, Refusal.TOO_LARGE, False),
        (b"", Refusal.UNREADABLE, False),
        (b"{", Refusal.UNREADABLE, False),
        (b"\xff\xfe", Refusal.UNREADABLE, False),
        (b"[]", Refusal.WRONG_TYPE, False),
        (b"null", Refusal.WRONG_TYPE, False),
        (telemetry(1, live=3)[:-1], Refusal.UNREADABLE, False),
        (telemetry(1, v=2), Refusal.UNKNOWN_VERSION, True),
        (gap(1, first=1, v=2), Refusal.UNKNOWN_VERSION, True),
        (telemetry(1, v="1"), Refusal.WRONG_TYPE, False),
        (telemetry(1, boot="1"), Refusal.WRONG_TYPE, False),
        (telemetry(1, src=None), Refusal.WRONG_TYPE, True),
        (telemetry(1, src={}), Refusal.WRONG_TYPE, True),
        (telemetry(1, src={"main": MAIN_AND_BACKUP["main"]}), Refusal.WRONG_TYPE, True),
        (telemetry(1, live="yes"), Refusal.WRONG_TYPE, True),
        (telemetry(1, active="solar"), Refusal.WRONG_TYPE, True),
        (telemetry(1, out=[]), Refusal.OUT_OF_RANGE, True),
        (telemetry(1, out=[outlet(49)]), Refusal.OUT_OF_RANGE, True),
        (telemetry(1, out=[outlet(1, i_ma=-1)]), Refusal.OUT_OF_RANGE, True),
        (telemetry(1, out=[outlet(1, e_mwh=2**48)]), Refusal.OUT_OF_RANGE, True),
        (telemetry(1, out=[outlet(1, p_mw=1.5)]), Refusal.WRONG_TYPE, True),
        (telemetry(1, boot=0), Refusal.OUT_OF_RANGE, False),
        (telemetry(0), Refusal.OUT_OF_RANGE, False),
        (telemetry(3, first=4), Refusal.OUT_OF_RANGE, False),
        (gap(3, first=4), Refusal.OUT_OF_RANGE, False),
        (telemetry(1, up_ms=-1), Refusal.OUT_OF_RANGE, False),
        (telemetry(1, gap={"reason": 5}, src=None), Refusal.WRONG_TYPE, True),
    ],
)  # fmt: skip
def test_a_payload_is_refused_with_the_reason_of_the_contract(
    body: bytes, reason: Refusal, *, readable: bool
) -> None:
    error = refused(body)
    assert error.reason is reason
    assert (error.envelope is not None) is readable
    assert error.detail


@pytest.mark.parametrize("leaf", ["telemetry", "event", "birth", "state", "status", "result"])
@pytest.mark.parametrize("body", [DEEP, b"[" * 4_000, b'{"v":' * 800], ids=["event", "arrays", "objects"])
def test_a_payload_nested_deeper_than_python_can_follow_is_unreadable(leaf: str, body: bytes) -> None:
    assert refused(body, leaf).reason is Refusal.UNREADABLE


def test_every_reason_of_the_code_table_is_a_refusal_and_the_other_way_round() -> None:
    assert set(CODES["refusal"]) == set(Refusal)


# ---- versions (MQTT-3, MQTT-26) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "side"), [(2, "update the control center"), (0, "update the device")])
@pytest.mark.parametrize("make", [lambda v: telemetry(1, v=v), lambda v: gap(1, first=1, v=v)])
def test_a_payload_of_another_version_names_the_side_to_update(make: Any, version: int, side: str) -> None:
    assert side in str(refused(make(version)))


@pytest.mark.parametrize(
    ("low", "high", "side"), [(2, 9, "update the control center"), (-1, 0, "update the device")]
)
def test_a_birth_without_a_common_version_names_the_side_to_update(low: int, high: int, side: str) -> None:
    error = refused(birth(min_v=low, max_v=high), "birth")
    assert error.reason is Refusal.UNKNOWN_VERSION
    assert side in str(error)


def test_a_device_that_speaks_newer_versions_too_is_welcome() -> None:
    assert messages.decode_birth(birth(min_v=1, max_v=7)).model == "LC-4"


# ---- state, status, result -----------------------------------------------------------------------------------------------


def test_what_a_state_leaves_out_has_its_default() -> None:
    read = messages.decode_state(state())
    assert (read.preferred, read.lockout) == (Source.MAIN, False)
    assert (read.out[0].trip, read.out[0].lock, read.out[0].limit_ma) == (None, False, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"isolator": "ajar"},
        {"settings": -1},
        {"out": []},
        {"src": {"main": "fine"}},
        {"src": {"main": "good"}},
    ],
)
def test_a_state_with_a_wrong_value_is_refused(changed: dict[str, Any]) -> None:
    assert refused(state(**changed), "state").reason in (Refusal.WRONG_TYPE, Refusal.OUT_OF_RANGE)


@pytest.mark.parametrize("code", sorted(CODES["result"]))
def test_every_result_of_the_contract_is_known(code: str) -> None:
    assert messages.decode_result(result("c-1", "rejected", code)).code == code


def test_a_status_is_online_or_offline() -> None:
    assert messages.decode_status(status("online")).status == "online"
    assert refused(status("away"), "status").reason is Refusal.WRONG_TYPE


@pytest.mark.parametrize(
    ("leaf", "body"),
    [
        ("telemetry", telemetry(1)), ("telemetry", telemetry(4, first=2)), ("telemetry", gap(4, first=2)),
        ("event", event(1, "trip", out=1)), ("birth", birth()), ("state", state()), ("status", status("online")),
        ("result", result("c-1", "confirmed")),
    ],
)  # fmt: skip
def test_the_payloads_these_tests_are_built_from_fit_the_schemas(leaf: str, body: bytes) -> None:
    decoded = json.loads(body)
    if "gap" in decoded:
        decoded["gap"].setdefault("count", None)
    assert_schema(leaf, json.dumps(decoded).encode())


# ---- what the control center writes ----------------------------------------------------------------------------------------

ORDERS = [
    Order(Do.SWITCH, 2, on=True, by="ada"),
    Order(Do.SWITCH, 48, on=False),
    Order(Do.CYCLE, 1, off_ms=5_000, by="ada"),
    Order(Do.RESET_TRIP, 3),
    Order(Do.LOCK, 4, on=False, by="x" * 64),
    Order(Do.TRANSFER, source=Source.BACKUP),
    Order(Do.CLEAR_LOCKOUT),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.do)
def test_a_command_fits_its_schema_and_leaves_out_what_it_does_not_need(order: Order) -> None:
    body = messages.encode_command(order, command_id="c-00ff", boot=7, n=13, exp_up_ms=4_110_000)
    fields = assert_schema("command", body)
    assert None not in fields.values()
    assert (fields["do"], fields["boot"], fields["n"], fields["exp_up_ms"]) == (order.do, 7, 13, 4_110_000)


def test_ack_and_time_fit_their_schemas() -> None:
    assert assert_schema("ack", messages.encode_ack(2, 4_021, 0)) == {
        "v": 1,
        "boot": 2,
        "telemetry": 4_021,
        "event": 0,
    }
    assert assert_schema("time", messages.encode_time(START_MS)) == {"v": 1, "ts_ms": START_MS}


def test_the_largest_desired_settings_fit_their_schema_and_a_payload() -> None:
    desired = desired_settings(PduConfig(outlets=PduConfig().outlets * 12))
    body = messages.encode_desired(9, {key: desired[key] for key in ("pdu", "out")})
    assert_schema("desired", body)
    assert len(body) <= messages.PAYLOAD_MAX_BYTES
