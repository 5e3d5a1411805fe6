"""The restaurant's own server: it keeps the book of tables, and knows who asks by the signature."""

import asyncio
import json
from collections.abc import Mapping
from email.parser import BytesParser
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError

from app.conf.models import new_webhook_secret

FREE = {
    "tonight": "a table at six by the window; a table at half past nine in the garden, with live music",
    "tomorrow": "a table at eight",
}
MOST_BYTES = 4096


class Book:
    """A web service as small as one can be: `POST /tables` with an evening tells which tables are free."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """The evenings that somebody with the right signature has asked for."""
        self._secret = new_webhook_secret()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def tool(self) -> dict[str, Any]:
        """The tool by which an agent asks here."""
        port = self._server.sockets[0].getsockname()[1]
        evening = {"type": "string", "enum": list(FREE), "description": "The evening the caller wants."}
        return {
            "type": "http",
            "name": "lookup_table",
            "description": "Free tables of an evening.",
            "parameters": {"type": "object", "properties": {"evening": evening}, "required": ["evening"]},
            "url": f"http://127.0.0.1:{port}/tables",
            "allow_private": ["127.0.0.1"],
            "signing_secret": self._secret,
            "output": {"pointer": "/free"},
            "retries": 1,
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            request, _, rest = head.partition(b"\r\n")
            headers = {name.lower(): value for name, value in BytesParser().parsebytes(rest).items()}
            body = await reader.readexactly(min(int(headers.get("content-length", 0)), MOST_BYTES))
            writer.write(self._answer(request.decode(), headers, body.decode()))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, request: str, headers: Mapping[str, str], body: str) -> bytes:
        try:
            wish = Webhook(self._secret).verify(body, dict(headers))
        except WebhookVerificationError:
            return _response("401 Unauthorized", {"error": "nobody we know has signed this"})
        if not request.startswith("POST /tables "):
            return _response("404 Not Found", {"error": "there is only POST /tables"})
        evening = str(wish.get("evening"))
        self.asked.append(evening)
        return _response("200 OK", {"evening": evening, "free": FREE.get(evening, "no table")})


def _response(status: str, said: Mapping[str, str]) -> bytes:
    body = json.dumps(said).encode()
    headers = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close"
    return f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n".encode() + body
