"""How much a client may send, and how slowly: limits that the server below us does not have."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES = 1 << 20
BODY_S = 10.0


class BodyLimits:
    """Refuses a request body over 1 MiB (413) or one that takes longer than ten seconds (408)."""

    def __init__(self, app: ASGIApp, *, body_bytes: int = BODY_BYTES, body_s: float = BODY_S) -> None:
        self._app = app
        self._body_bytes = body_bytes
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = self._limited(receive)
        await self._app(scope, receive, send)

    def _limited(self, receive: Receive) -> Receive:
        """The same messages; raises while the body is read, so that the route's own error handling answers."""
        deadline_s = asyncio.get_running_loop().time() + self._body_s
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
                raise HTTPException(408, f"The body took longer than {self._body_s:g} s.") from None
            received_bytes += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if received_bytes > self._body_bytes:
                raise HTTPException(413, f"The body is larger than {self._body_bytes} bytes.")
            return message

        return limited
