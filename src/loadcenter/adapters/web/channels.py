"""Lists of channels in a query: `outlets=1,2` and `sources=main,backup`."""

from typing import Final

from loadcenter.adapters.web.problems import ProblemError
from loadcenter.domain.topology import MAX_OUTLETS, Source

_OUTLETS: Final = frozenset(str(number) for number in range(1, MAX_OUTLETS + 1))


def outlets_of(text: str) -> list[int]:
    """Return the outlets of a list, each once, in order.

    Raises:
        ProblemError: 422, one is no outlet.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part in _OUTLETS for part in parts):
        raise _bad(f"outlets: numbers from 1 to {MAX_OUTLETS} with commas, as 1,2,3")
    return sorted({int(part) for part in parts})


def sources_of(text: str) -> list[Source]:
    """Return the sources of a list, each once, MAIN first.

    Raises:
        ProblemError: 422, one is no source.
    """
    try:
        return sorted({Source(part.strip()) for part in text.split(",") if part.strip()}, reverse=True)
    except ValueError as error:
        raise _bad("sources: main, backup or main,backup") from error


def _bad(detail: str) -> ProblemError:
    return ProblemError(422, "bad_request", "Request not understood", detail)
