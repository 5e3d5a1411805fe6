"""A small scripted OpenAI on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from app.conf.models import AgentConf, OpenAICoreConf
from app.errors import SessionLost, SessionUnavailable
from app.openai import OpenAIRealtimeSessionReceiver, create_openai_realtime_session
from app.openai.session_config import compile_session
from app.realtime.events import RealtimeInEvent, SessionCreated, SessionStatusChanged
from app.timing import Deadlines

KEY = "sk-test-very-secret"
ACCESS = OpenAICoreConf(openai_api_key=SecretStr(KEY))
QUICK = Deadlines(close_s=0.2)
HURRIED = Deadlines(session_s=0.5, connect_s=0.3, close_s=0.2)
CONFIG = compile_session(AgentConf())

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """One connection as the server sees it."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, "event_id": "event_1"} | fields))

    async def receive(self, kind: str) -> dict[str, Any]:
        """The client's next event, which must be of that kind."""
        event: dict[str, Any] = json.loads(await self.connection.recv())
        assert event["type"] == kind, event
        return event

    async def error(self, code: str | None, *, kind: str = "invalid_request_error", **fields: Any) -> None:
        await self.send("error", error={"type": kind, "code": code, "message": f"because of {KEY}"} | fields)

    async def greet(self) -> dict[str, Any]:
        """The documented handshake; returns the session asked for."""
        await self.send("session.created", session={"id": "sess_1"})
        session = (await self.receive("session.update"))["session"]
        await self.send("session.updated", session=session)
        return session  # type: ignore[no-any-return]


class Server:
    """Plays one script for each connection in turn, the last one for all that follow."""

    def __init__(self, scripts: list[Script]) -> None:
        self.scripts = scripts
        self.requests: list[Request] = []
        self.problems: list[Exception] = []
        self.asked = asyncio.Event()
        self.closed = asyncio.Event()
        self.answer_upgrade: Callable[[Request], Response | None] = lambda _: None
        self.base_url = ""

    def on_request(self, _: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        self.asked.set()
        return self.answer_upgrade(request)

    async def on_connection(self, connection: ServerConnection) -> None:
        script = self.scripts[min(len(self.requests), len(self.scripts)) - 1]
        try:
            await script(Peer(connection))
            await connection.wait_closed()
        except (AssertionError, ConnectionClosed) as problem:
            self.problems.append(problem)
        finally:
            self.closed.set()


@asynccontextmanager
async def playing(*scripts: Script) -> AsyncIterator[Server]:
    server = Server(list(scripts))
    async with serve(
        server.on_connection, "127.0.0.1", 0, process_request=server.on_request, close_timeout=0.1
    ) as running:
        port = running.sockets[0].getsockname()[1]
        server.base_url = f"http://127.0.0.1:{port}/v1"
        yield server
    assert not server.problems


async def open_session(server: Server, **more: Any) -> Any:
    return await create_openai_realtime_session(
        CONFIG, ACCESS, **({"base_url": server.base_url, "deadlines": QUICK} | more)
    )


async def failing(server: Server, **more: Any) -> SessionUnavailable:
    with pytest.raises(SessionUnavailable) as refusal:
        await open_session(server, **more)
    return refusal.value


async def heard(receiver: OpenAIRealtimeSessionReceiver) -> AsyncIterator[RealtimeInEvent]:
    """What the session tells, but for its own story."""
    async for event in receiver:
        if not isinstance(event, SessionCreated | SessionStatusChanged):
            yield event


async def until_lost(receiver: OpenAIRealtimeSessionReceiver, reason: str | None = None) -> list[RealtimeInEvent]:
    """Everything that is heard before the server ends the session."""
    events = []

    async def collect() -> None:
        async for event in heard(receiver):
            events.append(event)

    with pytest.raises(SessionLost, match=reason):
        await collect()
    return events


async def greet(peer: Peer) -> None:
    await peer.greet()


async def hang(peer: Peer) -> None:
    await peer.connection.wait_closed()
