"""What can be set: the same table by which device and control center check a setting."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from loadcenter.adapters.web.gate import require_visitor
from loadcenter.domain.settings import SETTINGS


class SettingOut(BaseModel):
    """One settable value; its name ends in its unit."""

    name: str
    per: str
    default: int | bool | str
    low: int | None
    high: int | None
    choices: list[str]


class SettableOut(BaseModel):
    """Everything that can be set."""

    items: list[SettingOut]


def setting_routes() -> APIRouter:
    """Return the route that tells what can be set."""
    router = APIRouter(tags=["pdus"], dependencies=[Depends(require_visitor)])
    items = [
        SettingOut(
            name=one.name,
            per=one.per,
            default=one.default,
            low=one.low,
            high=one.high,
            choices=list(one.choices),
        )
        for one in SETTINGS
    ]

    @router.get("/settings")
    async def list_settings() -> SettableOut:
        """Return each setting with its default and range."""
        return SettableOut(items=items)

    return router
