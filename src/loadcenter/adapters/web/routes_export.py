"""Readings and rollups to take away, streamed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from loadcenter.adapters.web.channels import outlets_of, sources_of
from loadcenter.adapters.web.charts import TIER_NAMES
from loadcenter.adapters.web.gate import require_visitor
from loadcenter.adapters.web.models import TimeMs
from loadcenter.adapters.web.shapes import Shapes
from loadcenter.services.export import Exporter, Wanted

_TIERS: Final = {name: tier for tier, name in TIER_NAMES.items()}


def export_routes(shapes: Shapes, exporter: Exporter) -> APIRouter:
    """Return the route `/export`."""
    router = APIRouter(tags=["records"], dependencies=[Depends(require_visitor)])

    @router.get("/export", response_class=StreamingResponse)
    async def export(
        pdu: str,
        since_ms: TimeMs,
        until_ms: TimeMs,
        outlets: str = "",
        sources: str = "",
        tier: Literal["raw", "1m", "15m", "1h", "1d"] = "raw",
        file_format: Annotated[Literal["csv", "parquet"], Query(alias="format")] = "csv",
    ) -> StreamingResponse:
        """Return the readings or rollups of channels over a range as a file, as long as it may be."""
        shapes.fleet.twin(pdu)  # a PDU that is not registered is 404
        wanted = Wanted(pdu, outlets_of(outlets), sources_of(sources), since_ms, until_ms, _TIERS[tier])
        kind = exporter.formats[file_format]
        parts = exporter.stream(wanted, kind.begin(wanted.columns))
        first = await anext(parts)  # what is wrong from the start is told as a problem, not as a broken file
        headers = {"Content-Disposition": f'attachment; filename="{_name(wanted, tier)}.{file_format}"'}
        return StreamingResponse(_joined(first, parts), media_type=kind.media_type, headers=headers)

    return router


def _name(wanted: Wanted, tier: str) -> str:
    since, until = (
        datetime.fromtimestamp(ts_ms // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        for ts_ms in (wanted.since_ms, wanted.until_ms)
    )
    return f"{wanted.pdu_id}_{tier}_{since}_{until}"


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part
