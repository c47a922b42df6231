"""The golden decision traces, spec/vectors/decision.jsonl: made from the scenes, and read back.

python -m tests.firmware.decision_vectors           writes them, as the domain decides now
python -m tests.firmware.decision_vectors --check   exits 1 if they are not what it decides
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from tests.firmware import decision_scenarios
from tests.firmware.decision_bench import Bench, Scene
from tests.firmware.decision_twin import (
    KEYS,
    ROOT,
    SOURCES,
    UNKNOWN,
    Told,
    _spec,
    drives_of,
    memory_of,
    standing_of,
    told_of,
)

from loadcenter.domain import cycle
from loadcenter.domain.commands import Do, Order
from loadcenter.domain.events import Cause
from loadcenter.domain.memory import OutletMemory, PduMemory
from loadcenter.domain.pdu import GivenOrder, Outputs, PduInputs, PduState
from loadcenter.domain.protection import Latch, Trip
from loadcenter.domain.qualification import LADDER, SourceInput
from loadcenter.domain.settings import PduConfig, SettingsError, apply_settings
from loadcenter.domain.standing import Acted, FastTrip
from loadcenter.domain.topology import Source

FILE = ROOT / "spec" / "vectors" / "decision.jsonl"
BEGINS_MS = 1000
OUTLETS = (1, 2, 3, 4)
WORDS: Mapping[str, list[str]] = _spec("serial.toml")["words"]
TRIPS = {code["number"]: code["name"] for code in _spec("codes.toml")["code"] if code["category"] == "trip"}
SEEN = ("changeover", "isolator", "outlets", "leave", "shed", "at_once_permille", "masked", "quiet")
KEPT = ("wanted", "cause", "trip", "locked", "heat_pct")
Changes = dict[str, Any]


# -- what is said, in the words of spec/


def outlets_of(mask: int) -> list[int]:
    """Return the numbers of the outlets of a mask."""
    return [outlet for outlet in OUTLETS if mask >> (outlet - 1) & 1]


def seen_of(drives: tuple[int, bool, int], standing: tuple[bool, int, int, int, int]) -> Changes:
    """Return drives and permissions by name."""
    changeover, isolator, outlets = drives
    leave, shed, permille, masked, quiet = standing
    values = (
        *(SOURCES[changeover].value, isolator, outlets_of(outlets)),
        *(leave, outlets_of(shed), permille, outlets_of(masked), outlets_of(quiet)),
    )
    return dict(zip(SEEN, values, strict=True))


def event_of(told: Told) -> Changes:
    """Return an event by name; what it does not say is left out."""
    said: Changes = {"code": told.code}
    if told.outlet:
        said["outlet"] = told.outlet
    if told.source:
        said["source"] = SOURCES[told.source - 1].value
    if told.cause:
        said["cause"] = told.cause
    if told.because:
        said["because"] = told.because
    data = dict(_datum(key, number) for key, number in zip(KEYS[told.code], told.numbers, strict=False))
    return said | ({"data": data} if data else {})


def _datum(key: str, number: int) -> tuple[str, int | str | None]:
    name, _, words = key.partition(":")
    if number == UNKNOWN:
        return name, None
    if name == "rung":
        return name, LADDER[number].name
    if words == "trip":
        return name, TRIPS[number]
    return name, WORDS[words][number] if words else number


@dataclass
class Teller:
    """Collects what changes from step to step."""

    seen: Changes
    kept: list[Any]

    def changes(
        self, seen: Changes, events: Iterable[Told], answers: Iterable[Any], kept: list[Any]
    ) -> Changes:
        """Return what is new, nothing if nothing is."""
        found = {name: value for name, value in seen.items() if value != self.seen[name]}
        said = [event_of(event) for event in events]
        if said:
            found["events"] = said
        if ended := [list(answer) for answer in answers]:
            found["answers"] = ended
        moved = {
            str(outlet): dict(zip(KEPT, now, strict=True))
            for outlet, now, before in zip(OUTLETS, kept, self.kept, strict=True)
            if now != before
        }
        if moved:
            found["kept"] = moved
        self.seen, self.kept = seen, kept
        return found


# -- the domain


class Player:
    """Plays to the domain."""

    def __init__(self, settings: Mapping[str, Any], kept: Mapping[str, Mapping[str, Any]]) -> None:
        self.config = config_of(settings)
        self.now_ms = BEGINS_MS
        self.state: PduState = cycle.start(memory_from(kept), self.config, self.now_ms)
        self._teller = Teller(self._seen(), memory_of(self.state.memory))

    def step(self, inputs: PduInputs, step_ms: int) -> Changes:
        """Make a step, and return what has changed."""
        self.now_ms += step_ms
        before = self.state.emitted
        self.state, outputs = cycle.step(self.state, inputs, self.config, self.now_ms)
        told = [told_of(event, before + at) for at, event in enumerate(outputs.events)]
        return self._teller.changes(self._seen(), told, _answers(outputs), memory_of(self.state.memory))

    def _seen(self) -> Changes:
        return seen_of(drives_of(self.state.drives), standing_of(self.state.standing))


def _answers(outputs: Outputs) -> list[tuple[int, str, str]]:
    return sorted((int(one.key), one.status.value, one.code.value) for one in outputs.results)


def config_of(settings: Mapping[str, Any]) -> PduConfig:
    """Return the settings of a trace, of which those of an outlet are named `name.outlet`."""
    outlets: dict[int, Changes] = {outlet: {"n": outlet} for outlet in OUTLETS}
    pdu: Changes = {}
    for name, value in settings.items():
        key, _, outlet = name.partition(".")
        (outlets[int(outlet)] if outlet else pdu)[key] = value
    config = apply_settings(
        PduConfig(), {"version": 1, "pdu": pdu, "out": list(outlets.values())}, strict=True
    )
    assert not isinstance(config, SettingsError), config
    return config


def memory_from(kept: Mapping[str, Mapping[str, Any]]) -> PduMemory:
    """Return what is kept of a PDU before a trace."""
    return PduMemory(tuple(_outlet_memory(kept.get(str(outlet), {})) for outlet in OUTLETS))


def _outlet_memory(kept: Mapping[str, Any]) -> OutletMemory:
    latch = Latch(Trip(kept["trip"]), 0, 0, 0) if kept.get("trip") else None
    return OutletMemory(
        kept.get("wanted", True),
        Cause(kept.get("cause", Cause.RESTORE)),
        latch=latch,
        locked=kept.get("locked", False),
        heat_pct=kept.get("heat_pct", 0),
    )


# -- from scenes to traces


def record(scene: Scene) -> Changes:
    """Return a scene as a trace: what is measured in it, and what is decided."""
    kept = {str(outlet): dict(values) for outlet, values in scene.kept.items()}
    player, bench = Player(scene.settings, kept), Bench(scene)
    happens = {at.ms: at for at in scene.happens}
    assert all(ms % scene.step_ms == 0 for ms in happens), scene.name
    keys = iter(range(1, 256))
    given: list[Changes] = []
    then: list[list[Any]] = []
    for number in range(1, scene.ends_ms // scene.step_ms + 1):
        now = happens.get(number * scene.step_ms)
        inputs = bench.step(now, player.state.drives, player.state.standing)
        orders = tuple(GivenOrder(str(next(keys)), order) for order in (now.orders if now else ()))
        inputs = replace(inputs, orders=orders)
        given.append(_measured(inputs))
        if changes := player.step(inputs, scene.step_ms):
            then.append([number, changes])
    steps = list(_shortened(given, scene.step_ms))
    return {"name": scene.name, "settings": dict(scene.settings), "kept": kept, "given": steps, "then": then}


def _measured(inputs: PduInputs) -> Changes:
    acted = inputs.acted
    return {
        "main": _source(inputs.main),
        "backup": _source(inputs.backup),
        "ma": list(inputs.currents_ma),
        "mw": list(inputs.powers_mw),
        "live": inputs.live,
        "phase_mdeg": inputs.phase_mdeg,
        "faulty": sorted(inputs.faulty),
        "acted": {
            **({"swung": True} if acted.swung else {}),
            **({"opened": True} if acted.opened else {}),
            **({"tripped": {str(one.outlet): one.peak_ma for one in acted.tripped}} if acted.tripped else {}),
            **({"masked": list(acted.masked)} if acted.masked else {}),
        },
        "orders": [_order(given) for given in inputs.orders],
    }


def _source(source: SourceInput) -> Changes:
    said: Changes = {"mv": source.voltage_mv, "mhz": source.frequency_mhz}
    if source.amplitude_lost:
        said["lost_us"] = source.detection_us
    if source.half_low_mv != source.voltage_mv:
        said["low_mv"] = source.half_low_mv
    if source.half_high_mv != source.voltage_mv:
        said["high_mv"] = source.half_high_mv
    return said


def _order(given: GivenOrder) -> Changes:
    order = given.order
    fields = {"outlet": order.outlet, "on": order.on, "off_ms": order.off_ms, "source": order.source}
    return {"key": int(given.key), "do": order.do.value} | {k: v for k, v in fields.items() if v is not None}


def _shortened(given: list[Changes], step_ms: int) -> Iterator[Changes]:
    """Yield runs of equal steps, each with what is new in it; what was done and asked belongs to one step alone."""
    before: Changes = {}
    for _, group in groupby(enumerate(given), key=_run_key):
        run = [one for _, one in group]
        lasting = {name: value for name, value in run[0].items() if name not in ("acted", "orders")}
        changed = {name: value for name, value in lasting.items() if before.get(name, ...) != value}
        once = {name: run[0][name] for name in ("acted", "orders") if run[0][name]}
        yield {"steps": len(run), "ms": step_ms, **changed, **once}
        before = lasting


def _run_key(numbered: tuple[int, Changes]) -> tuple[int, str]:
    number, given = numbered
    return number if given["acted"] or given["orders"] else 0, json.dumps(given)


# -- reading them


def read() -> list[Changes]:
    """Return the traces of the file."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def replay(trace: Changes) -> list[list[Any]]:
    """Return what the domain decides at what a trace gives."""
    player = Player(trace["settings"], trace["kept"])
    decided = ([number, player.step(*step)] for number, step in enumerate(steps_of(trace), 1))
    then = [[number, changes] for number, changes in decided if changes]
    return json.loads(json.dumps(then))


def steps_of(trace: Changes) -> Iterator[tuple[PduInputs, int]]:
    """Yield what each step of a trace looks at, and how long it is."""
    now: Changes = {}
    for run in trace["given"]:
        now = {**now, "acted": {}, "orders": [], **run}
        yield inputs_of(now), run["ms"]
        later = inputs_of({**now, "acted": {}, "orders": []})
        for _ in range(run["steps"] - 1):
            yield later, run["ms"]


def inputs_of(now: Mapping[str, Any]) -> PduInputs:
    """Return what one step looks at."""
    acted = now["acted"]
    return PduInputs(
        _source_input(now["main"]),
        _source_input(now["backup"]),
        tuple(now["ma"]),
        now["live"],
        now["phase_mdeg"],
        tuple(GivenOrder(str(one["key"]), order_of(one)) for one in now["orders"]),
        tuple(now["mw"]),
        frozenset(now["faulty"]),
        Acted(
            acted.get("swung", False),
            acted.get("opened", False),
            tuple(FastTrip(int(outlet), peak) for outlet, peak in acted.get("tripped", {}).items()),
            tuple(acted.get("masked", ())),
        ),
    )


def order_of(one: Mapping[str, Any]) -> Order:
    """Return what a person asks."""
    source = Source(one["source"]) if "source" in one else None
    return Order(Do(one["do"]), one.get("outlet"), one.get("on"), one.get("off_ms"), source)


def _source_input(source: Mapping[str, Any]) -> SourceInput:
    mv = source["mv"]
    return SourceInput(
        mv,
        source["mhz"],
        "lost_us" in source,
        source.get("lost_us", 0),
        source.get("low_mv", mv),
        source.get("high_mv", mv),
    )


def main() -> int:
    """Write or compare; return the exit status."""
    text = "".join(json.dumps(record(scene)) + "\n" for scene in decision_scenarios.SCENES)
    if "--check" not in sys.argv[1:]:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.read_text(encoding="utf-8") == text:
        return 0
    print(
        f"{FILE.name} is not what the domain decides: see why, then run python -m tests.firmware.decision_vectors",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
