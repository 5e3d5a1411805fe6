"""A server of calls, as small as can be: canned TwiML, and a media socket that does what a test tells it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request
from websockets.http11 import Response as HandshakeResponse

from app.audio import to_base64
from app.sandbox.twilio.rest import serving

TOKEN = "sandbox-token"


@dataclass(frozen=True)
class Webhook:
    method: str
    path: str
    form: dict[str, str]
    headers: dict[str, str]
    signed: bool


@dataclass
class Media:
    """One media socket, as the server sees it."""

    socket: ServerConnection
    messages: list[dict[str, Any]] = field(default_factory=list)

    async def next(self) -> dict[str, Any]:
        message = json.loads(await self.socket.recv())
        self.messages.append(message)
        return message

    async def until(self, event: str) -> dict[str, Any]:
        while (message := await self.next())["event"] != event:
            pass
        return message

    async def until_closed(self) -> None:
        try:
            while True:
                await self.next()
        except ConnectionClosed:
            return

    @property
    def stream_sid(self) -> str:
        return next(message["streamSid"] for message in self.messages if message["event"] == "start")

    def of(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["event"] == event]

    async def play(self, audio: bytes) -> None:
        await self.send(event="media", media={"payload": to_base64(audio)})

    async def mark(self, name: str) -> None:
        await self.send(event="mark", mark={"name": name})

    async def clear(self) -> None:
        await self.send(event="clear")

    async def send(self, **message: object) -> None:
        await self.socket.send(json.dumps({"streamSid": self.stream_sid, **message}))


@dataclass
class TinyServer:
    origin: str = ""
    stream_url: str = ""
    answers: dict[str, str | Response] = field(default_factory=dict)
    webhooks: list[Webhook] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    talk: Callable[[Media], Awaitable[None]] = Media.until_closed

    def answer(self, path: str, verbs: str) -> None:
        """What a webhook is answered with; `STREAM` stands for our media socket's URL."""
        self.answers[path] = f"<Response>{verbs.replace('STREAM', self.stream_url)}</Response>"

    def hooks(self, path: str) -> list[Webhook]:
        return [webhook for webhook in self.webhooks if webhook.path == path]

    async def on_webhook(self, request: HttpRequest) -> Response:
        body = (await request.body()).decode()
        form = dict(parse_qsl(body or request.url.query, keep_blank_values=True))
        signed_params = form if body else {}
        signature = request.headers.get("x-twilio-signature", "")
        signed = RequestValidator(TOKEN).validate(str(request.url), signed_params, signature)
        self.webhooks.append(Webhook(request.method, request.url.path, form, dict(request.headers), signed))
        answer = self.answers.get(request.url.path, "")
        return answer if isinstance(answer, Response) else Response(answer, media_type="text/xml")

    async def on_socket(self, socket: ServerConnection) -> None:
        media = Media(socket)
        self.media.append(media)
        await media.until("start")
        await self.talk(media)

    def check_signature(self, _: ServerConnection, request: Request) -> HandshakeResponse | None:
        url = self.stream_url.removesuffix("/media") + request.path
        if RequestValidator(TOKEN).compute_signature(url, {}) == request.headers.get("X-Twilio-Signature"):
            return None
        return HandshakeResponse(403, "Forbidden", Headers())


@asynccontextmanager
async def tiny_server() -> AsyncIterator[TinyServer]:
    server = TinyServer()
    app = Starlette(routes=[Route("/{path:path}", server.on_webhook, methods=["GET", "POST"])])
    async with AsyncExitStack() as stack:
        server.origin = await stack.enter_async_context(serving(app, "127.0.0.1", 0))
        sockets = await stack.enter_async_context(
            serve(server.on_socket, "127.0.0.1", 0, process_request=server.check_signature, compression=None)
        )
        server.stream_url = f"ws://127.0.0.1:{sockets.sockets[0].getsockname()[1]}/media"
        yield server
