"""Lets only holders of a key in, each to what its scopes allow, and nobody who guesses."""

from collections.abc import Awaitable, Callable
from functools import cache
from math import ceil
from time import monotonic
from typing import Annotated

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from app.db.api_keys import KeyHolder, Scope
from app.web.deps import services
from app.web.problems import Problem

_KEY_NAMES = frozenset({"api_key", "apikey", "api-key", "key", "token", "access_token", "bearer", "authorization"})

_log = structlog.stdlib.get_logger(__name__)
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key of this server, `parley_…`; `parley keys` and `/api/v1/keys` manage them.",
)


@cache  # one dependency for each scope, so that a request asks the database once
def require(scope: Scope | None = None) -> Callable[..., Awaitable[KeyHolder]]:
    """A dependency that gives the request's `KeyHolder`; any valid key will do where no scope is named.

    401 without a valid key, 403 without the scope, 429 after ten wrong keys in a minute, 503 with the database away.
    """
    scopes = [scope] if scope else []

    async def holder(request: Request, _described: Annotated[object, Security(_bearer, scopes=scopes)]) -> KeyHolder:
        found = await identify(request)
        if scope and not found.may(scope):
            detail = f"This key has the scopes {', '.join(sorted(found.scopes)) or '(none)'}; this needs {scope}."
            raise Problem(403, "scope_missing", detail)
        return found

    return holder


Reader = Annotated[KeyHolder, Depends(require("read"))]
Writer = Annotated[KeyHolder, Depends(require("write"))]
CallOperator = Annotated[KeyHolder, Depends(require("calls"))]
Admin = Annotated[KeyHolder, Depends(require("admin"))]


async def identify(request: Request) -> KeyHolder:
    """Whose key this request carries; asked of the database once for each request."""
    known = getattr(request.state, "key_holder", None)
    if isinstance(known, KeyHolder):
        return known
    if _KEY_NAMES & {name.lower() for name in request.query_params}:
        raise Problem(400, "key_in_query", "Send the key in the header Authorization: addresses end up in logs.")
    house = services(request)
    address = request.client.host if request.client else ""
    now_ms = monotonic() * 1000
    if wait_ms := house.bad_keys.blocked_ms(address, now_ms):
        headers = {"Retry-After": str(ceil(wait_ms / 1000))}
        raise Problem(429, "too_many_wrong_keys", "Too many wrong keys.", headers=headers)
    if not (key := _key(request)):
        raise _unauthorized("key_missing", "A key is needed: send it as `Authorization: Bearer parley_…`.")
    if not (found := await house.find_key(key)):
        house.bad_keys.note(address, now_ms)
        house.refusals(_log.warning, "api_key_refused", address=address)
        raise _unauthorized("key_invalid", "This key is not valid: it is unknown, has expired, or was revoked.")
    request.state.key_holder = found
    return found


def _key(request: Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _unauthorized(code: str, detail: str) -> Problem:
    return Problem(401, code, detail, headers={"WWW-Authenticate": "Bearer"})
