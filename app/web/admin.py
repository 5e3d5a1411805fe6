"""Lets only holders of an admin key in, and nobody who guesses."""

from http import HTTPStatus
from math import ceil
from time import monotonic
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from app.web.deps import services

_log = structlog.stdlib.get_logger(__name__)
_bearer = HTTPBearer(auto_error=False, description="An admin key; `parley keys` manages them.")


async def admin(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Passes with a valid admin key; answers 401 without one, 429 after ten wrong ones in a minute."""
    house = services(request)
    address = request.client.host if request.client else ""
    now_ms = monotonic() * 1000
    if wait_ms := house.bad_keys.blocked_ms(address, now_ms):
        raise HTTPException(
            HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong keys.", {"Retry-After": str(ceil(wait_ms / 1000))}
        )
    if credentials and await house.admin_key_fits(credentials.credentials):
        return
    if credentials:
        house.bad_keys.note(address, now_ms)
        house.refusals(_log.warning, "admin_key_refused", address=address)
    raise HTTPException(HTTPStatus.UNAUTHORIZED, "An admin key is needed.", {"WWW-Authenticate": "Bearer"})
