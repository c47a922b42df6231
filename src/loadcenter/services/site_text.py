"""Sites as JSON text, for the database: their limits, and what their shedding remembers."""

from collections.abc import Mapping
from typing import Any

import msgspec

from loadcenter.domain.budget import Load
from loadcenter.domain.site import SiteConfig
from loadcenter.domain.site_shedding import Mark, Overload, SiteState
from loadcenter.domain.topology import OutletId, parse_outlet_id


class _KeptMark(msgspec.Struct):
    since_ms: int
    draw: tuple[int, int]
    numbers: dict[str, Any]
    seen_off: bool
    asked_ms: int | None


class _KeptState(msgspec.Struct):
    marks: dict[str, _KeptMark]
    overloads: dict[str, Overload]
    backup_since: dict[str, int]
    blocked: dict[str, int]
    restores: dict[str, tuple[int, ...]]
    changed_ms: int | None


_state = msgspec.json.Decoder(_KeptState)
_config = msgspec.json.Decoder(SiteConfig)


def write_config(config: SiteConfig) -> str:
    """Return the JSON text that `read_config` reads."""
    return msgspec.json.encode(config).decode()


def read_config(text: str) -> SiteConfig:
    """Return the site kept as `text`.

    Raises:
        ValueError: the text was not written by `write_config`.
    """
    return _config.decode(text)


def write_state(state: SiteState) -> str:
    """Return the JSON text that `read_state` reads."""
    kept = _KeptState(
        {
            str(key): _KeptMark(
                mark.since_ms,
                (mark.draw.current_ma, mark.draw.power_mw),
                dict(mark.numbers),
                mark.seen_off,
                mark.asked_ms,
            )
            for key, mark in state.marks.items()
        },
        dict(state.overloads),
        dict(state.backup_since),
        _named(state.blocked),
        _named(state.restores),
        state.changed_ms,
    )
    return msgspec.json.encode(kept).decode()


def read_state(text: str) -> SiteState:
    """Return the state kept as `text`; an empty text is that of a new site.

    Raises:
        ValueError: the text was not written by `write_state`.
    """
    if not text:
        return SiteState()
    kept = _state.decode(text)
    return SiteState(
        {parse_outlet_id(key): _mark(mark) for key, mark in kept.marks.items()},
        kept.overloads,
        kept.backup_since,
        {parse_outlet_id(key): until_ms for key, until_ms in kept.blocked.items()},
        {parse_outlet_id(key): times for key, times in kept.restores.items()},
        kept.changed_ms,
    )


def _mark(kept: _KeptMark) -> Mark:
    return Mark(kept.since_ms, Load(*kept.draw), kept.numbers, kept.seen_off, kept.asked_ms)


def _named(values: Mapping[OutletId, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in values.items()}
