"""How much a client may send, and how slowly: limits that the server below us does not have."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.knowledge.document import MAX_BYTES

BODY_BYTES = 1 << 20
BODY_S = 10.0
UPLOAD_S = 120.0
UPLOADS = ("PUT", "/api/v1/knowledge/")
"""Where documents are sent to; whose key may not do that is refused before the body is read."""


class BodyLimits:
    """Refuses a request body over 1 MiB (413) or one that takes longer than ten seconds (408).

    A document may have 10 MiB, and take two minutes.
    """

    def __init__(self, app: ASGIApp, *, body_bytes: int = BODY_BYTES, body_s: float = BODY_S) -> None:
        self._app = app
        self._body_bytes = body_bytes
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            method, beginning = UPLOADS
            if scope["method"] == method and scope["path"].startswith(beginning):
                receive = _limited(receive, MAX_BYTES, UPLOAD_S)
            else:
                receive = _limited(receive, self._body_bytes, self._body_s)
        await self._app(scope, receive, send)


def _limited(receive: Receive, body_bytes: int, body_s: float) -> Receive:
    """The same messages; raises while the body is read, so that the route's own error handling answers."""
    deadline_s = asyncio.get_running_loop().time() + body_s
    received_bytes = 0
    complete = False

    async def limited() -> Message:
        nonlocal received_bytes, complete
        if complete:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline_s):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, f"The body took longer than {body_s:g} s.") from None
        received_bytes += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if received_bytes > body_bytes:
            raise HTTPException(413, f"The body is larger than {body_bytes} bytes.")
        return message

    return limited
