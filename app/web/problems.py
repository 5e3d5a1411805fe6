"""Errors as the web tells them: RFC 9457 problem documents, without anything secret."""

from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.errors import DatabaseError

_log = structlog.stdlib.get_logger(__name__)


class Problem(JSONResponse):
    media_type = "application/problem+json"


async def refused(_request: Request, error: Exception) -> Problem:
    """The answer to an `HTTPException`."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    return _problem(error.status_code, error.detail, dict(error.headers or {}))


async def database_away(_request: Request, error: Exception) -> Problem:
    """The answer where a route needs the database and it is away."""
    _log.warning("database_away", reason=str(error))
    return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "The database is away; try again.", {"Retry-After": "5"})


HANDLERS = {HTTPException: refused, DatabaseError: database_away}


def _problem(status: int, detail: str, headers: dict[str, str]) -> Problem:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Problem(body, status, headers)
