"""Talks to the control center that runs on this machine, through its HTTP API."""

import json
import uuid
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from loadcenter.apps.rendezvous import Rendezvous, find

_TIMEOUT_S = 10


class NotRunningError(Exception):
    """No control center runs on that data folder."""


class RefusedError(Exception):
    """The control center refused; the message is its own."""


class Client:
    """Requests to a running control center."""

    def __init__(self, place: Rendezvous) -> None:
        self._place = place

    @staticmethod
    def of(folder: Path) -> "Client":
        """Return a client for the control center that runs on `folder`.

        Raises:
            NotRunningError: none does.
        """
        place = find(folder)
        if place is None:
            raise NotRunningError(
                f"no control center runs on {folder}: start one with 'loadcenter serve' or 'loadcenter demo', "
                "or name its folder with --data"
            )
        return Client(place)

    def get(self, path: str, **query: Any) -> Any:
        """Return the answer to GET.

        Raises:
            RefusedError, NotRunningError: see above.
        """
        given = {key: value for key, value in query.items() if value is not None}
        return self._ask("GET", f"{path}?{urlencode(given, doseq=True)}" if given else path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the answer to POST; a repeated request is carried out once.

        Raises:
            RefusedError, NotRunningError: see above.
        """
        return self._ask("POST", path, body)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """Return the answer to PUT.

        Raises:
            RefusedError, NotRunningError: see above.
        """
        return self._ask("PUT", path, body)

    def delete(self, path: str) -> Any:
        """Return the answer to DELETE.

        Raises:
            RefusedError, NotRunningError: see above.
        """
        return self._ask("DELETE", path, None)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        headers = {"Authorization": f"Bearer {self._place.token}", "Content-Type": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self._place.url}/api/v1{path}", data, headers, method=method)  # noqa: S310 - our own server
        try:
            with urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            raise RefusedError(_detail(error)) from error
        except (URLError, TimeoutError) as error:
            raise NotRunningError(
                f"the control center at {self._place.url} does not answer: {error}"
            ) from error


def _detail(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"
