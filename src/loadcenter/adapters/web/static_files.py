"""Serves the built view: hashed files for ever, the page itself never from a cache, compressed at build time."""

import mimetypes
import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

STATIC = Path(__file__).parent / "static"

NOT_BUILT = (
    "The view is not built. In a checkout run 'make web'; an installed package brings it along.\n"
    "The API works: see /api/v1/openapi.json\n"
)

_NEVER = re.compile(r"q=0(\.0{0,3})?")
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


class View:
    """The files of the view, listed once at start: nothing outside the list is ever read."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._files = {
            f"/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()
        }

    @property
    def built(self) -> bool:
        """Whether there is a view to serve."""
        return "/index.html" in self._files

    def answer(self, request: Request) -> Response:
        """Return the file that a request names, or 404."""
        if not self.built:
            return PlainTextResponse(NOT_BUILT, 503)
        path = "/index.html" if request.url.path == "/" else request.url.path
        plain = self._files.get(path)
        if plain is None or path.endswith((".br", ".gz")):
            return PlainTextResponse("Not found.\n", 404)
        media_type = mimetypes.guess_type(plain.name)[0] or "application/octet-stream"
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable"
            if path.startswith("/assets/")
            else "no-cache",
            "Vary": "Accept-Encoding",
        }
        accepted = _accepted(request.headers.get("accept-encoding", ""))
        for encoding, suffix in _ENCODINGS:
            packed = self._files.get(path + suffix)
            if packed is not None and encoding in accepted:
                return FileResponse(
                    packed, headers={**headers, "Content-Encoding": encoding}, media_type=media_type
                )
        return FileResponse(plain, headers=headers, media_type=media_type)


def _accepted(header: str) -> set[str]:
    """Return the encodings named in `Accept-Encoding`, without those of weight 0 (RFC 9110, 12.5.3)."""
    named = (part.partition(";") for part in header.lower().split(","))
    return {name.strip() for name, _, weight in named if not _NEVER.fullmatch(weight.strip())}
