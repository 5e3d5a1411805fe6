"""The sandbox's OpenAI on a port: `/v1/realtime` and `/v1/audio/transcriptions`."""

import asyncio
import socket
from collections import deque
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from app.sandbox.openai.brain import Brain
from app.sandbox.openai.faults import NO_FAULTS, Faults
from app.sandbox.openai.hearing import warm_up
from app.sandbox.openai.refusal import Refusal, error_event
from app.sandbox.openai.session import Close, SandboxSession
from app.sandbox.openai.transcription import answer_transcription

API_KEY = "sk-sandbox-parley"
MAX_FRAME_BYTES = 32 << 20
CUT = 1006
SHUT_DOWN_MODELS = ("gpt-4o-realtime-preview", "gpt-4o-mini-realtime-preview")


class SandboxOpenAI:
    """An OpenAI of our own, as an async context manager; each connection takes the next of `faults`."""

    def __init__(
        self,
        brain: Brain,
        *,
        api_key: str = API_KEY,
        speed: float = 1.0,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[Faults] = (),
    ) -> None:
        self.brain = brain
        self.api_key = api_key
        self.faults = deque(faults)
        self.sessions: list[SandboxSession] = []
        self.handshakes = 0
        self._speed = speed
        self._address = (host, port)
        self._arrived = asyncio.Event()

    @property
    def realtime_url(self) -> str:
        """What `OPENAI_REALTIME_BASE_URL` is set to."""
        return f"ws://{self._authority}/v1/realtime"

    @property
    def base_url(self) -> str:
        """What `OPENAI_BASE_URL` is set to."""
        return f"http://{self._authority}/v1"

    @property
    def transcription_url(self) -> str:
        """What `OPENAI_TRANSCRIPTION_URL` is set to."""
        return f"{self.base_url}/audio/transcriptions"

    @property
    def _authority(self) -> str:
        host, port = self._address
        return f"{host}:{port}"

    async def session(self, number: int = 0) -> SandboxSession:
        """The session that was opened as that one, as soon as there is one."""
        while len(self.sessions) <= number:
            await self._arrived.wait()
        return self.sessions[number]

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(warm_up)
        listener = socket.create_server(self._address)
        # asyncio sets it only on sockets that name their protocol; without it small frames wait 40 ms for each other.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._address = (self._address[0], listener.getsockname()[1])
        routes = [
            WebSocketRoute("/v1/realtime", self._realtime),
            Route("/v1/audio/transcriptions", self._transcribe, methods=["POST"]),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes),
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_max_size=MAX_FRAME_BYTES,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        config.load()
        # Not `serve()`: it takes over the signals of the process, and looks ten times a second whether it should stop.
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[listener])
        self._listener = listener
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.shutdown(sockets=[self._listener])

    async def _transcribe(self, request: Request) -> Response:
        if not self._is_authorized(request.headers):
            return JSONResponse({"error": _error(_WRONG_KEY)}, status_code=401)
        return await answer_transcription(request)

    async def _realtime(self, websocket: WebSocket) -> None:
        self.handshakes += 1
        faults = self.faults.popleft() if self.faults else NO_FAULTS
        if faults.refuse_status is not None:
            await _refuse(websocket, faults.refuse_status, faults.retry_after_s)
            return
        if faults.hang_before == "handshake":
            await _hang(websocket)
            return
        await websocket.accept()
        refused = self._refusal(websocket)
        if refused is None:
            await self._carry(websocket, faults)
            return
        with suppress(WebSocketDisconnect, WebSocketDisconnected):
            await websocket.send_text(_json({"event_id": "event_refused", **error_event(refused[0], None)}))
            await websocket.close(refused[1], f"invalid_request_error.{refused[0].code}")

    def _refusal(self, websocket: WebSocket) -> tuple[Refusal, int] | None:
        """Why this connection gets no session, and how it is closed."""
        if not self._is_authorized(websocket.headers):
            return _WRONG_KEY, 3000
        if "openai-beta" in websocket.headers:
            return Refusal("beta_api_shape_disabled", "The beta shape of this API was switched off."), 4000
        model = websocket.query_params.get("model")
        if not model:
            return Refusal("missing_model", "You must provide a model parameter.", "model"), 4000
        if model.startswith(SHUT_DOWN_MODELS):
            return Refusal("model_not_found", f"The model '{model}' does not exist.", "model"), 4004
        return None

    def _is_authorized(self, headers: Headers) -> bool:
        return headers.get("authorization") == f"Bearer {self.api_key}"

    async def _carry(self, websocket: WebSocket, faults: Faults) -> None:
        """Run one session until either side ends it; no task outlives this coroutine."""
        model = websocket.query_params["model"]
        async with asyncio.TaskGroup() as group:
            tasks = _Tasks(group)
            session = SandboxSession(model, self.brain, tasks, speed=self._speed, faults=faults)
            self.sessions.append(session)
            self._arrived.set()
            self._arrived = asyncio.Event()
            session.open()
            if faults.close_after_ms is not None:
                tasks.create_task(self._close_later(session, faults), name="closer")
            writer = tasks.create_task(_write(websocket, session, faults), name="writer")
            reader = tasks.create_task(_read(websocket, session), name="reader")
            try:
                await asyncio.wait([writer, reader], return_when=asyncio.FIRST_COMPLETED)
            finally:
                tasks.cancel()
                session.note_closed()

    async def _close_later(self, session: SandboxSession, faults: Faults) -> None:
        await asyncio.sleep((faults.close_after_ms or 0) / 1000 / self._speed)
        session.close(faults.close_code)


class _Tasks:
    """The tasks of one session, in their group, so that they can be ended together."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._running: set[asyncio.Task[Any]] = set()

    def create_task(self, work: Coroutine[Any, Any, Any], *, name: str | None = None) -> asyncio.Task[Any]:
        task = self._group.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def cancel(self) -> None:
        for task in self._running:
            task.cancel()


async def _read(websocket: WebSocket, session: SandboxSession) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        session.receive(message.get("text") or "")


async def _write(websocket: WebSocket, session: SandboxSession, faults: Faults) -> None:
    """Send what the session wants sent, as far as its faults let it through; returns when the socket is gone."""
    with suppress(WebSocketDisconnect, WebSocketDisconnected):
        await _send_all(websocket, session, faults)


async def _send_all(websocket: WebSocket, session: SandboxSession, faults: Faults) -> None:
    while True:
        outgoing = await session.outbox.get()
        if isinstance(outgoing, str):
            await websocket.send_text(outgoing)
            continue
        if isinstance(outgoing, Close):
            await _close(websocket, outgoing)
            return
        if outgoing["type"] == faults.hang_before or len(session.sent) == faults.stall_after_events:
            await asyncio.Event().wait()
        await websocket.send_text(_json(outgoing))
        session.note_sent(outgoing["type"])
        if outgoing["type"] == "session.created":
            for frame in faults.junk:
                await websocket.send_text(frame)
        if len(session.sent) == faults.close_after_events:
            await _close(websocket, Close(faults.close_code))
            return


async def _close(websocket: WebSocket, close: Close) -> None:
    if close.code != CUT:  # without a goodbye, the server drops the connection once we have returned
        await websocket.close(close.code, close.reason)


async def _hang(websocket: WebSocket) -> None:
    """Answer nothing until the peer has gone; uvicorn wants us to stay that long."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _refuse(websocket: WebSocket, status: int, retry_after_s: int | None) -> None:
    headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}
    refusal = Refusal("refused", f"The handshake is answered with {status} on purpose.")
    await websocket.send_denial_response(JSONResponse({"error": _error(refusal)}, status, headers))


_WRONG_KEY = Refusal("invalid_api_key", "Incorrect API key provided.")


def _error(refusal: Refusal) -> dict[str, Any]:
    error: dict[str, Any] = error_event(refusal, None)["error"]
    return {name: error[name] for name in ("message", "type", "param", "code")}


def _json(event: dict[str, Any]) -> str:
    return msgspec.json.encode(event).decode()
