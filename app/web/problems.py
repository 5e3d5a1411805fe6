"""Errors as the web tells them: RFC 9457 problem documents, without anything secret."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Match

from app.errors import ConfConflict, ConfError, ConfExists, ConfInUse, ConfInvalid, ConfMissing, DatabaseError, Fault

AWAY_S = "5"
"""When to try again while the database is away."""
_CODES = {405: "method_not_allowed", 408: "too_slow", 413: "too_large", 415: "not_json", 503: "unavailable"}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_log = structlog.stdlib.get_logger(__name__)


class Problem(HTTPException):
    """Raised by a route to answer with a problem document. The `code` is for programs, and stays what it is."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code
        self.errors = errors


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


async def refused(request: Request, error: Exception) -> ProblemResponse:
    """The answer to an `HTTPException`, ours or another's."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    if isinstance(error, Problem):
        return _response(error)
    status = HTTPStatus(error.status_code)
    code = _CODES.get(status, status.phrase.lower().replace(" ", "_"))
    detail = "There is nothing at this address." if error.detail == "Not Found" else error.detail
    headers = dict(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed(request))
        detail = f"{request.method} is not for this address; it takes {headers['Allow']}."
    return _response(Problem(status, code, detail, headers=headers))


async def not_understood(_request: Request, error: Exception) -> ProblemResponse:
    """The answer to a request whose parts are not what the route takes."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    faults = [_fault(each) for each in error.errors()]
    detail = "; ".join(f"{fault.path}: {fault.message}" if fault.path else fault.message for fault in faults[:3])
    return _response(Problem(422, "invalid_request", detail, faults))


async def misconfigured(_request: Request, error: Exception) -> ProblemResponse:
    """The answer where configuration is missing, refused, or was changed by somebody else."""
    match error:
        case ConfMissing():
            problem = Problem(404, "not_found", str(error))
        case ConfExists():
            problem = Problem(409, "already_exists", str(error))
        case ConfConflict():
            problem = Problem(412, "version_conflict", str(error))
        case ConfInUse():
            problem = Problem(409, "in_use", str(error))
        case ConfInvalid():
            problem = Problem(422, "invalid_configuration", str(error), error.faults)
        case _:
            problem = Problem(409, "unreadable", str(error))
    return _response(problem)


async def database_away(_request: Request, error: Exception) -> ProblemResponse:
    """The answer where a route needs the database and it is away."""
    _log.warning("database_away", reason=str(error))
    return _response(Problem(503, "database_away", "The database is away; try again.", headers={"Retry-After": AWAY_S}))


async def broken(_request: Request, _error: Exception) -> ProblemResponse:
    """The answer to what nobody expected; the server's log has the rest."""
    return _response(Problem(500, "internal_error", "Something went wrong on our side; the server's log says what."))


HANDLERS = {
    HTTPException: refused,
    RequestValidationError: not_understood,
    ConfError: misconfigured,
    DatabaseError: database_away,
    Exception: broken,
}


def _allowed(request: Request) -> list[str]:
    """What may be done at this address; a route that refuses a method knows only of its own."""
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    routes = request.app.routes
    return [name for name, scope in scopes.items() if any(route.matches(scope)[0] == Match.FULL for route in routes)]


def _response(problem: Problem) -> ProblemResponse:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "code": problem.code,
        "detail": problem.detail,
        "errors": [{"path": each.path, "message": each.message, "code": each.code} for each in problem.errors],
    }
    return ProblemResponse(body, problem.status_code, dict(problem.headers or {}))


def _fault(error: Mapping[str, Any]) -> Fault:
    """One line of a validation error; never the refused value, which may be a secret."""
    place, *path = [str(part) for part in error["loc"]]
    within = path if place == "body" else [place, *path]
    return Fault(".".join(within), str(error["msg"]).removeprefix("Value error, "), str(error["type"]))
