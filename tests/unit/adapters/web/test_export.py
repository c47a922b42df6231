"""`GET /export`, and how charts and energy leave the server: tagged, compressed, as JSON or MessagePack."""

import csv
import gzip
import io

import httpx
import msgspec
import pyarrow.parquet
import pytest
from tests.fakes.builders import START_MS, running, send, telemetry
from tests.fakes.clock import settle
from tests.unit.adapters.web.conftest import Site
from tests.unit.adapters.web.test_routes import API, assert_problem

from loadcenter.adapters.files import FORMATS

SPAN = f"since_ms={START_MS}&until_ms={START_MS + 60_000}"
CHART = f"{API}/history?pdu=rack-1&outlets=1,2&sources=main&{SPAN}&points=60"


@pytest.fixture
async def measured(site: Site) -> Site:
    """A PDU with half a minute of readings."""
    async with running(site.center.ingest.run):
        send(site.center, *(telemetry(seq) for seq in range(1, 31)))
        await settle()
    return site


async def test_readings_come_as_csv(measured: Site, client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{API}/export?pdu=rack-1&outlets=2,1&sources=main&{SPAN}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert (
        'filename="rack-1_raw_20270115T080000Z_20270115T080100Z.csv"' in answer.headers["content-disposition"]
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["channel"] for row in rows] == ["1"] * 30 + ["2"] * 30 + ["main"] * 30
    assert (rows[0]["ts_ms"], rows[0]["time_utc"]) == (str(START_MS + 1000), "2027-01-15T08:00:01.000Z")
    assert (rows[0]["power_w"], rows[0]["on"], rows[60]["frequency_hz"]) == ("100.0", "1", "50.0")


async def test_minutes_come_as_parquet(measured: Site, client: httpx.AsyncClient) -> None:
    await measured.center.history.fold()
    answer = await client.get(f"{API}/export?pdu=rack-1&outlets=1&{SPAN}&tier=1m&format=parquet")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    [row] = pyarrow.parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert (row["start_ms"], row["covered_s"], row["power_avg_w"]) == (START_MS, 30.0, 100.0)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        (f"pdu=rack-9&{SPAN}", 404, "no_such_pdu"),
        ("pdu=rack-1&since_ms=5&until_ms=5", 422, "bad_range"),
        (f"pdu=rack-1&{SPAN}&outlets=x", 422, "bad_request"),
        (f"pdu=rack-1&{SPAN}&tier=2m", 422, "bad_request"),
        (f"pdu=rack-1&{SPAN}&format=xlsx", 422, "bad_request"),
    ],
)
async def test_what_cannot_be_exported_is_said(
    client: httpx.AsyncClient, query: str, status: int, code: str
) -> None:
    assert_problem(await client.get(f"{API}/export?{query}"), status, code)


async def test_a_database_that_is_away_is_told_as_such(site: Site, client: httpx.AsyncClient) -> None:
    site.center.store.away = "gone"
    assert_problem(await client.get(f"{API}/export?pdu=rack-1&outlets=1&{SPAN}"), 503, "database_away")


async def test_a_format_whose_library_is_missing_is_told_as_such(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert "parquet" in FORMATS
    answer = await client.get(f"{API}/export?pdu=rack-1&{SPAN}&format=parquet")
    assert_problem(answer, 501, "format_missing")


# ---- tags, compression, MessagePack ------------------------------------------------------------------------------------


async def test_a_chart_that_has_not_changed_is_not_sent_again_and_a_late_record_changes_it(
    measured: Site, client: httpx.AsyncClient
) -> None:
    first = await client.get(CHART)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    again = await client.get(CHART, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    async with running(measured.center.ingest.run):
        send(measured.center, telemetry(31))
        await settle()
    later = await client.get(CHART, headers={"If-None-Match": tag})
    assert later.status_code == 200
    assert later.headers["etag"] != tag
    assert len(later.json()["series"][0]["t_ms"]) == len(first.json()["series"][0]["t_ms"]) + 1


async def test_a_bucket_computed_anew_and_a_new_name_change_the_tag(
    measured: Site, client: httpx.AsyncClient
) -> None:
    day = f"{API}/history?pdu=rack-1&outlets=1&since_ms={START_MS - 86_400_000 * 90}&until_ms={START_MS + 60_000}"
    tags = [(await client.get(day)).headers["etag"]]
    await measured.center.history.fold()
    tags.append((await client.get(day)).headers["etag"])
    await client.put(f"{API}/pdus/rack-1/names", json={"outlets": [{"n": 1, "name": "Pump"}]})
    tags.append((await client.get(day)).headers["etag"])
    assert len(set(tags)) == 3


async def test_a_chart_is_compressed_where_that_is_wanted(measured: Site, client: httpx.AsyncClient) -> None:
    plain = await client.get(CHART, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    async with client.stream("GET", CHART, headers={"Accept-Encoding": "br, gzip"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content) / 4


async def test_a_chart_comes_as_message_pack_too(measured: Site, client: httpx.AsyncClient) -> None:
    packed = await client.get(CHART, headers={"Accept": "application/msgpack"})
    assert packed.headers["content-type"] == "application/msgpack"
    assert msgspec.msgpack.decode(packed.content) == (await client.get(CHART)).json()


async def test_energy_comes_by_whole_days_weeks_or_months(measured: Site, client: httpx.AsyncClient) -> None:
    await measured.center.history.fold()
    answer = await client.get(f"{API}/energy?pdu=rack-1&outlets=1,2&{SPAN}&period=month")
    body = answer.json()
    assert body["period"] == "month"
    assert len(body["bounds_ms"]) == 2
    one = body["series"][1]
    assert (one["outlet"], one["covered_s"], one["in_gap_kwh"]) == (2, [30.0], [0.0])
    assert one["total_kwh"] == one["energy_kwh"][0] == pytest.approx(28 * 29 / 1e6)
    assert_problem(
        await client.get(f"{API}/energy?pdu=rack-1&outlets=1&{SPAN}&period=year"), 422, "bad_request"
    )
    long = f"{API}/energy?pdu=rack-1&outlets=1&since_ms=0&until_ms={START_MS}"
    assert_problem(await client.get(long), 422, "bad_range")
