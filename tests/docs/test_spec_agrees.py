"""Spec, code and docs say the same: names, numbers, ranges, topics and rules."""

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from loadcenter.domain.commands import CYCLE_OFF_MS_MAX, CYCLE_OFF_MS_MIN, Do, ResultCode
from loadcenter.domain.events import SEVERITY, Cause, EventCode
from loadcenter.domain.readings import Quality
from loadcenter.domain.settings import SETTINGS
from loadcenter.domain.topology import MAX_OUTLETS, PDU_ID_PATTERN, Grade, Source
from loadcenter.protocol.messages import PAYLOAD_MAX_BYTES, VERSION, Refusal
from loadcenter.protocol.topics import DEFAULT_ROOT, RECORDS, RETAINED, Down, Up

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec"
RULES = (SPEC / "mqtt.md").read_text(encoding="utf-8")
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")

SHOWN_ELSEWHERE = {"MQTT-44": "the control center's own half: the tests of services/dispatch"}
"""Rules that no test needs to cite, and what shows them instead."""


def codes(category: str) -> dict[str, dict[str, Any]]:
    table = tomllib.loads((SPEC / "codes.toml").read_text(encoding="utf-8"))["code"]
    return {code["name"]: code for code in table if code["category"] == category}


def points() -> dict[str, dict[str, Any]]:
    table = tomllib.loads((SPEC / "points.toml").read_text(encoding="utf-8"))["point"]
    return {point["id"]: point for point in table}


def schema(leaf: str) -> dict[str, Any]:
    return json.loads((SPEC / "schema" / "v1" / f"{leaf}.json").read_text(encoding="utf-8"))


def values(enum: type[StrEnum]) -> list[str]:
    return [member.value for member in enum]


def properties(node: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return every property that a schema defines, at any depth."""
    found = []
    if isinstance(node, dict):
        found += [(k, v) for k, v in node.get("properties", {}).items() if isinstance(v, dict)]
        found += [pair for value in node.values() for pair in properties(value)]
    if isinstance(node, list):
        found += [pair for value in node for pair in properties(value)]
    return found


def rows_of_topics() -> dict[str, tuple[bool, int]]:
    """Return (retained, QoS) by leaf, from the table of mqtt.md."""
    rows = re.findall(r"^\| `((?:up|down)/[a-z]+)` \| (\S+) \| (\d) \|", RULES, re.MULTILINE)
    return {leaf: (retained == "yes", int(qos)) for leaf, retained, qos in rows}


def channels() -> dict[str, tuple[bool, int]]:
    """Return (retained, QoS) by leaf, from asyncapi.yaml."""
    document = yaml.safe_load((SPEC / "asyncapi.yaml").read_text(encoding="utf-8"))
    found = {}
    for operation in document["operations"].values():
        leaf = operation["channel"]["$ref"].removeprefix("#/channels/")
        side = {"send": "up", "receive": "down"}[operation["action"]]
        assert document["channels"][leaf]["address"] == f"{{root}}/v1/{{pdu_id}}/{side}/{leaf}"
        reference = document["components"]["messages"][leaf]["payload"]["schema"]["$ref"]
        assert (SPEC / reference).is_file()
        binding = operation["bindings"]["mqtt"]
        found[f"{side}/{leaf}"] = (binding["retain"], binding["qos"])
    assert {leaf.partition("/")[2] for leaf in found} == set(document["channels"])
    return found


# ---- codes.toml


@pytest.mark.parametrize(
    ("category", "enum"),
    [("event", EventCode), ("cause", Cause), ("result", ResultCode), ("refusal", Refusal)],
)
def test_the_code_knows_the_codes_in_their_order(category, enum):
    assert values(enum) == list(codes(category))


def test_severities_are_equal():
    assert {code.value: severity.value for code, severity in SEVERITY.items()} == {
        name: code["severity"] for name, code in codes("event").items()
    }


def test_numbers_and_names_are_unique_in_their_category():
    table = tomllib.loads((SPEC / "codes.toml").read_text(encoding="utf-8"))["code"]
    for key in ("number", "name"):
        assert [twice for twice, n in Counter((c["category"], c[key]) for c in table).items() if n > 1] == []


def test_every_code_says_what_it_means_and_what_to_do():
    table = tomllib.loads((SPEC / "codes.toml").read_text(encoding="utf-8"))["code"]
    assert [code["name"] for code in table if not (code["meaning"] and code["remedy"])] == []


# ---- schemas


def test_there_is_a_schema_for_each_leaf():
    assert {path.stem for path in (SPEC / "schema" / "v1").glob("*.json")} == {*values(Up), *values(Down)}


@pytest.mark.parametrize("leaf", [*Up, *Down])
def test_schemas_are_valid_and_so_are_their_examples(leaf):
    Draft202012Validator.check_schema(schema(leaf))
    validator = Draft202012Validator(schema(leaf))
    assert schema(leaf)["examples"]
    for example in schema(leaf)["examples"]:
        validator.validate(example)
        assert len(json.dumps(example, separators=(",", ":"))) < 512


def test_ranges_and_choices_in_schemas_are_those_of_the_points():
    compared = Counter()
    for leaf in [*Up, *Down]:
        for name, found in properties(schema(leaf)):
            point = points().get(name)
            if (
                point is None
                or leaf == "birth"
                or (leaf in ("command", "state") and name in ("on", "preferred"))
            ):
                continue
            compared[name] += 1
            if "choices" in point:
                assert found["enum"] == point["choices"]
            elif point["unit"] == "bool":
                assert found["type"] == "boolean"
            else:
                assert [found["minimum"], found["maximum"]] == point["range"], (leaf, name)
            if leaf == "desired":
                assert found["default"] == point["default"]
    assert set(points()) == set(compared)


def test_extremes_of_thinned_power_have_the_range_of_power():
    outlet = schema("telemetry")["$defs"]["outlet"]["properties"]
    for name in ("p_min_mw", "p_max_mw"):
        assert [outlet[name]["minimum"], outlet[name]["maximum"]] == points()["p_mw"]["range"]


@pytest.mark.parametrize(
    ("leaf", "name", "words"),
    [
        ("event", "code", values(EventCode)),
        ("event", "cause", values(Cause)),
        ("event", "src", values(Source)),
        ("event", "reason", list(codes("gap"))),
        ("state", "cause", values(Cause)),
        ("state", "trip", list(codes("trip"))),
        ("state", "main", values(Grade)),
        ("state", "active", values(Source)),
        ("telemetry", "reason", list(codes("gap"))),
        ("telemetry", "active", values(Source)),
        ("telemetry", "q", values(Quality)),
        ("result", "code", values(ResultCode)),
        ("command", "do", values(Do)),
        ("command", "src", values(Source)),
    ],
)
def test_words_in_schemas_are_those_of_the_code(leaf, name, words):
    found = [node["enum"] for key, node in properties(schema(leaf)) if key == name and "enum" in node]
    assert sorted(max(found, key=len)) == sorted(words)


def test_limits_in_schemas_are_those_of_the_code():
    command = schema("command")["properties"]
    assert [command["off_ms"]["minimum"], command["off_ms"]["maximum"]] == [
        CYCLE_OFF_MS_MIN,
        CYCLE_OFF_MS_MAX,
    ]
    assert schema("birth")["properties"]["outlets"]["maximum"] == MAX_OUTLETS
    assert {schema(leaf)["properties"]["v"]["const"] for leaf in [*Up, *Down]} == {VERSION}
    assert f"at most {PAYLOAD_MAX_BYTES} bytes" in RULES
    assert f"`{PDU_ID_PATTERN}`" in RULES


# ---- points.toml


def test_settings_of_the_code_are_those_of_the_points():
    in_spec = {
        p["id"]: (p["per"], p["default"], p.get("range"), p.get("choices"))
        for p in points().values()
        if p["access"] == "rw"
    }
    in_code = {
        s.name: (
            s.per.value,
            s.default,
            None if s.low is None else [s.low, s.high],
            list(map(str, s.choices)) if s.choices else None,
        )
        for s in SETTINGS
    }
    assert in_code == in_spec


def test_every_setting_gives_a_reason_and_a_default_in_its_range():
    for point in points().values():
        if point["access"] == "rw":
            assert point["reason"]
            if "choices" in point:
                assert point["default"] in point["choices"]
            else:
                assert point["range"][0] <= point["default"] <= point["range"][1]


# ---- topics


def test_topics_agree_in_rules_asyncapi_and_code():
    in_code = {
        f"{side}/{leaf}": leaf in RETAINED for side, leaves in (("up", Up), ("down", Down)) for leaf in leaves
    }
    assert channels() == rows_of_topics()
    assert {leaf: retained for leaf, (retained, _) in rows_of_topics().items()} == in_code
    assert f"`<root>` is `{DEFAULT_ROOT}`" in RULES


def test_records_are_sent_at_qos_1_and_never_retained():
    """MQTT-10: the outbox waits for `ack`, and a broker must not drop what is on its way."""
    assert {rows_of_topics()[f"up/{leaf}"] for leaf in RECORDS} == {(False, 1)}


# ---- rules


def rules() -> list[str]:
    return re.findall(r"^- \*\*(MQTT-\d+)\*\*", RULES, re.MULTILINE)


def test_rule_ids_are_unique_and_in_order():
    numbers = [int(rule.removeprefix("MQTT-")) for rule in rules()]
    assert numbers == sorted(set(numbers))


def test_every_rule_is_cited_by_a_test():
    files = [*(ROOT / "tests").rglob("*.py"), *(SPEC / "vectors").glob("*.jsonl")]
    cited = {
        rule
        for file in files
        if file != Path(__file__)
        for rule in re.findall(r"MQTT-\d+", file.read_text("utf-8"))
    }
    assert set(rules()) - cited - set(SHOWN_ELSEWHERE) == set()
    assert set(SHOWN_ELSEWHERE) <= set(rules())


def test_only_rules_that_exist_are_cited():
    sources = [
        path for folder in ("src", "tests", "spec", "docs", "firmware") for path in (ROOT / folder).rglob("*")
    ]
    texts = [path for path in sources if path.suffix in (".py", ".md", ".json", ".jsonl", ".toml", ".yaml")]
    cited = {
        rule: path for path in texts for rule in re.findall(r"MQTT-\d+", path.read_text(encoding="utf-8"))
    }
    assert {rule: str(path) for rule, path in cited.items() if rule not in rules()} == {}


# ---- docs/protocol.md


def test_the_tables_of_the_protocol_page_are_up_to_date():
    command = [sys.executable, str(ROOT / "scripts" / "spec_tables.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_protocol_page_names_every_topic_code_and_point():
    table = tomllib.loads((SPEC / "codes.toml").read_text(encoding="utf-8"))["code"]
    wanted = [*rows_of_topics(), *points(), *(code["name"] for code in table)]
    assert [name for name in wanted if f"`{name}`" not in PROTOCOL] == []


def test_the_examples_of_the_protocol_page_fit_the_schemas():
    blocks = re.findall(r"^```json (?:up|down)/(\w+)\n(.*?)^```", PROTOCOL, re.MULTILINE | re.DOTALL)
    assert len(blocks) == PROTOCOL.count("```json")
    for leaf, text in blocks:
        Draft202012Validator(schema(leaf)).validate(json.loads(text))
    assert {leaf for leaf, _ in blocks} == {*values(Up), *values(Down)}
