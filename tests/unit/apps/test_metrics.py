"""`/metrics` is OpenMetrics text of how the server is doing."""

import re
from typing import cast

from tests.fakes.builders import Center, event, running, send, telemetry
from tests.fakes.clock import settle

from loadcenter.adapters.mqtt.link import MqttLink
from loadcenter.adapters.web.live import Hub
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.apps.metrics import render_metrics
from loadcenter.services.retention import Keeping, Retention


def rendered(center: Center) -> str:
    shapes = Shapes(
        center.fleet,
        center.alarming,
        center.dispatch,
        center.today,
        center.news,
        center.clock,
        center.deciding,
    )
    hub = Hub(center.announcer, shapes)
    records, control = cast(MqttLink, center.records), cast(MqttLink, center.control)
    away = center.watch.checks()["database"]
    retention = Retention(center.store, center.clock, Keeping())
    retention.forgotten["raw"] = 7
    return render_metrics(
        center.fleet, center.ingest, center.dispatch, hub, records, control, retention, away
    )


def values(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"^([^#\s]+) (\d+)$", text, re.MULTILINE)}


async def test_what_was_taken_and_refused_is_counted() -> None:
    center = await Center().open("rack-1", "rack-2")
    async with running(center.ingest.run):
        await center.greet()
        await center.hear("state", b"nonsense")
        send(center, telemetry(1), telemetry(1), telemetry(9), b"nonsense", ("event", event(1)))
        await settle()
    found = values(rendered(center))
    assert found["loadcenter_records_total"] == 2
    assert found['loadcenter_rows_forgotten_total{tier="raw"}'] == 7
    assert found["loadcenter_record_duplicates_total"] == 1
    assert found["loadcenter_records_ahead_total"] == 1
    assert found['loadcenter_refused_total{reason="unreadable"}'] == 2
    assert (found["loadcenter_pdus"], found["loadcenter_pdus_online"]) == (2, 1)
    assert found["loadcenter_database_up"] == 1
    assert found['loadcenter_link_up{link="records"}'] == 1


async def test_what_is_away_is_told() -> None:
    center = await Center().open("rack-1")
    center.store.away = "gone"
    await center.watch.ping()  # no record is needed to notice it
    center.broker.stop()
    found = values(rendered(center))
    assert found["loadcenter_database_up"] == 0
    assert found['loadcenter_link_up{link="control"}'] == 0


async def test_the_text_is_open_metrics() -> None:
    text = rendered(await Center().open())
    lines = text.splitlines()
    assert lines[-1] == "# EOF"
    assert text.endswith("\n")
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    assert set(kinds) == set(re.findall(r"^# HELP (\w+) ", text, re.MULTILINE))
    for name in values(text):
        family = name.partition("{")[0]
        counter = family.endswith("_total")
        assert kinds[family.removesuffix("_total")] == ("counter" if counter else "gauge")
