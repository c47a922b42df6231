"""Errors as `application/problem+json` (RFC 9457): what is wrong, and what to do."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from loadcenter.domain.schedules import ScheduleError
from loadcenter.services.accounts import TooManyAttemptsError, WrongCredentialsError
from loadcenter.services.alarming import NoSuchAlarmError
from loadcenter.services.energy_prices import PriceListError
from loadcenter.services.export import FormatMissingError
from loadcenter.services.fleet import NoSuchPduError
from loadcenter.services.ports import LinkDownError, StoreDataError, StoreUnavailableError
from loadcenter.services.resolution import RangeError
from loadcenter.services.schedules import NoSuchScheduleError, ScheduleConflictError

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """An error. `code` is for programs, `detail` for people."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str


class ProblemError(Exception):
    """Ends a request with a problem; the fields of `more` stand beside it."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        headers: dict[str, str] | None = None,
        more: BaseModel | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(title=title, status=status, detail=detail, code=code)
        self.headers = headers or {}
        self.more = more

    def response(self) -> JSONResponse:
        """Return it as an answer."""
        more = {} if self.more is None else self.more.model_dump()
        return JSONResponse(
            {**self.problem.model_dump(), **more},
            self.problem.status,
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )


def unauthorized() -> ProblemError:
    """Return the answer to a request without a session."""
    return ProblemError(
        401, "no_session", "Not logged in", "Log in first: POST /api/v1/session, or send a bearer token."
    )


def not_found(code: str, detail: str) -> ProblemError:
    """Return the answer for something that does not exist."""
    return ProblemError(404, code, "Not found", detail)


def _translate(error: Exception) -> ProblemError:
    match error:
        case ProblemError():
            return error
        case NoSuchPduError():
            return not_found("no_such_pdu", str(error))
        case NoSuchAlarmError():
            return not_found("no_such_alarm", str(error))
        case NoSuchScheduleError():
            return not_found("no_such_schedule", str(error))
        case ScheduleError():
            return ProblemError(422, "bad_schedule", "Schedule refused", str(error))
        case ScheduleConflictError():
            return ProblemError(409, "schedule_changed", "Schedule not kept", str(error))
        case PriceListError():
            return ProblemError(422, "bad_prices", "Prices refused", str(error))
        case RangeError():
            return ProblemError(422, "bad_range", "Range cannot be shown", str(error))
        case FormatMissingError():
            return ProblemError(501, "format_missing", "Format not installed", str(error))
        case WrongCredentialsError():
            return ProblemError(401, "wrong_credentials", "Not logged in", "Name or password is wrong.")
        case TooManyAttemptsError(retry_after_s=seconds):
            return ProblemError(
                429, "too_many_attempts", "Too many attempts", str(error), {"Retry-After": str(seconds)}
            )
        case StoreDataError():
            return ProblemError(422, "bad_value", "Value refused", str(error))
        case StoreUnavailableError():
            return ProblemError(503, "database_away", "Database away", str(error), {"Retry-After": "5"})
        case LinkDownError():
            return ProblemError(503, "broker_away", "Broker away", str(error), {"Retry-After": "5"})
        case RequestValidationError():
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"] if part != "body")
            return ProblemError(
                422, "bad_request", "Request not understood", f"{where or 'body'}: {first['msg']}"
            )
        case HTTPException():
            return ProblemError(error.status_code, "http", str(error.detail), str(error.detail))
        case _:
            raise error


_TRANSLATED: tuple[type[Exception], ...] = (
    ProblemError,
    NoSuchPduError,
    NoSuchAlarmError,
    NoSuchScheduleError,
    ScheduleError,
    ScheduleConflictError,
    PriceListError,
    RangeError,
    FormatMissingError,
    WrongCredentialsError,
    TooManyAttemptsError,
    StoreDataError,
    StoreUnavailableError,
    LinkDownError,
    RequestValidationError,
    HTTPException,
)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    del request
    return _translate(error).response()


def install(app: FastAPI) -> None:
    """Let `app` answer every known error as a problem."""
    for kind in _TRANSLATED:
        app.add_exception_handler(kind, _answer)
