"""Charts on their way out: columns in SI units, as JSON or MessagePack, compressed, with a tag of their content.

Pydantic only describes the shape (`models.HistoryOut`): to check fifty thousand numbers of our own would take longer than
to read them.
"""

import gzip
import hashlib
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec
from fastapi import Request, Response

from loadcenter.domain.rollups import Tier
from loadcenter.services.columns import BandColumns
from loadcenter.services.history import Chart, OutletSeries, SourceSeries
from loadcenter.services.labels import Labels
from loadcenter.services.periods import Period, Periods

TIER_NAMES: Final[dict[Tier | None, Literal["raw", "1m", "15m", "1h", "1d"]]] = {
    None: "raw",
    Tier.MINUTE: "1m",
    Tier.QUARTER: "15m",
    Tier.HOUR: "1h",
    Tier.DAY: "1d",
}
JSON: Final = "application/json"
MSGPACK: Final = "application/msgpack"
COMPRESS_MIN: Final = 1024
"""Smaller answers fit into one packet anyway."""


def chart(read: Chart, labels: Labels, events: Sequence[Any]) -> dict[str, Any]:
    """Return a chart in the shape of `models.HistoryOut`; `events` as the API shows them."""
    return {
        "tier": TIER_NAMES[read.buckets.tier],
        "bucket_ms": read.buckets.length_ms,
        "since_ms": read.buckets.since_ms,
        "until_ms": read.buckets.until_ms,
        "series": [
            *(_outlet_series(one, labels) for one in read.outlets),
            *(_source_series(one) for one in read.sources),
        ],
        "events": [event.model_dump(mode="json") for event in events],
    }


def energy(read: Periods, period: Period, labels: Labels) -> dict[str, Any]:
    """Return the energy of outlets by period in the shape of `models.EnergyOut`."""
    series = [
        {
            "outlet": outlet,
            "name": labels.outlet(outlet).name,
            "energy_kwh": [one.mwh / 1e6 for one in periods],
            "in_gap_kwh": [one.in_gap_mwh / 1e6 for one in periods],
            "covered_s": [one.covered_ms / 1000 for one in periods],
            "total_kwh": sum(one.mwh + one.in_gap_mwh for one in periods) / 1e6,
        }
        for outlet, periods in read.outlets.items()
    ]
    return {"period": period.value, "bounds_ms": read.bounds_ms, "series": series}


def answer(request: Request, body: dict[str, Any]) -> Response:
    """Return `body` as the client wants it, or 304 where it has exactly that already.

    The tag is made from the content, so a late record, a bucket computed anew or a new name changes it: nothing that is
    stored beside the data could be wrong about it.
    """
    packed = MSGPACK in request.headers.get("accept", "")
    content = msgspec.msgpack.encode(body) if packed else msgspec.json.encode(body)
    tag = f'W/"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if len(content) >= COMPRESS_MIN and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        content = gzip.compress(content, compresslevel=1)
    return Response(content, media_type=MSGPACK if packed else JSON, headers=headers)


def _outlet_series(series: OutletSeries, labels: Labels) -> dict[str, Any]:
    columns = series.columns
    return {
        "channel": str(series.outlet),
        "name": labels.outlet(series.outlet).name,
        "t_ms": columns.start_ms,
        "power_w": _band(columns.power),
        "current_a": _band(columns.current),
        "voltage_v": _band(columns.voltage),
        "frequency_hz": None,
        "energy_kwh": [mwh / 1e6 for mwh in series.energy.mwh],
        "in_gap_kwh": [mwh / 1e6 for mwh in series.energy.in_gap_mwh],
        "total_kwh": series.energy.total_mwh / 1e6,
    }


def _source_series(series: SourceSeries) -> dict[str, Any]:
    columns = series.columns
    return {
        "channel": series.source.value,
        "name": series.source.value.upper(),
        "t_ms": columns.start_ms,
        "power_w": None,
        "current_a": None,
        "voltage_v": _band(columns.voltage),
        "frequency_hz": _band(columns.frequency),
        "energy_kwh": None,
        "in_gap_kwh": None,
        "total_kwh": None,
    }


def _band(band: BandColumns) -> dict[str, list[float | None]]:
    """Return the columns of one quantity in SI units (every wire unit is a thousandth), to three digits."""
    return {
        "min": [None if one is None else one / 1000 for one in band.minimum],
        "avg": [None if one is None else round(one) / 1000 for one in band.mean],
        "max": [None if one is None else one / 1000 for one in band.maximum],
    }
