"""The sandbox's OpenAI on a port: `/v1/realtime`, its client secrets, `/v1/models` and `/v1/audio/transcriptions`."""

import asyncio
import socket
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.sandbox.openai.admission import admit, is_authorized, wrong_key
from app.sandbox.openai.brain import Brain
from app.sandbox.openai.client_secrets import ClientSecrets
from app.sandbox.openai.connection import SessionTasks, carry, hang, refuse, refuse_in_band
from app.sandbox.openai.faults import HANDSHAKE, NO_FAULTS, Faults
from app.sandbox.openai.hearing import warm_up
from app.sandbox.openai.mcp import McpServer
from app.sandbox.openai.models import NAMES, model_page
from app.sandbox.openai.refusal import Refusal, error_body
from app.sandbox.openai.session import SandboxSession
from app.sandbox.openai.session_config import Config
from app.sandbox.openai.transcription import answer_transcription
from app.sandbox.openai.transcription_desk import Transcriptions

API_KEY = "sk-sandbox-parley"
MAX_FRAME_BYTES = 32 << 20


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
        self.mcp_servers: dict[str, McpServer] = {}
        """The MCP servers that can be reached, by the label that sessions give them; all others cannot."""
        self.transcriptions = Transcriptions()
        self.models = dict(NAMES)
        """What the account sees, each with its last day where it has one; a test may change them."""
        self._speed = speed
        self._address = (host, port)
        self._arrived = asyncio.Event()
        self._secrets = ClientSecrets()

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
            Route("/v1/realtime/client_secrets", self._create_secret, methods=["POST"]),
            Route("/v1/models", self._list_models, methods=["GET"]),
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
        self.transcriptions.release()
        await self._server.shutdown(sockets=[self._listener])

    async def _transcribe(self, request: Request) -> Response:
        return await answer_transcription(request, self.transcriptions, self.api_key)

    async def _list_models(self, request: Request) -> Response:
        if not is_authorized(request.headers, self.api_key):
            return JSONResponse({"error": error_body(wrong_key())}, status_code=401)
        return JSONResponse(model_page(self.models))

    async def _create_secret(self, request: Request) -> Response:
        if not is_authorized(request.headers, self.api_key):
            return JSONResponse({"error": error_body(wrong_key())}, status_code=401)
        try:
            return JSONResponse(self._secrets.create((await request.body()).decode() or "{}"))
        except Refusal as refusal:
            return JSONResponse({"error": error_body(refusal)}, status_code=400)

    async def _realtime(self, websocket: WebSocket) -> None:
        self.handshakes += 1
        faults = self.faults.popleft() if self.faults else NO_FAULTS
        if faults.refuse_status is not None:
            await refuse(websocket, faults.refuse_status, faults.retry_after_s)
            return
        if faults.hang_before == HANDSHAKE:
            await hang(websocket)
            return
        try:
            if faults.refuse_in_band is not None:
                raise Refusal(faults.refuse_in_band, "This connection is refused on purpose.")
            config = admit(websocket.headers, websocket.query_params, self.api_key, self._secrets)
        except Refusal as refusal:
            await refuse_in_band(websocket, refusal)
            return
        await websocket.accept()
        await self._carry(websocket, config, faults)

    async def _carry(self, websocket: WebSocket, config: Config, faults: Faults) -> None:
        """Run one session until either side ends it; no task outlives this coroutine."""
        async with asyncio.TaskGroup() as group:
            tasks = SessionTasks(group)
            session = SandboxSession(
                config, self.brain, tasks, speed=self._speed, faults=faults, mcp_servers=self.mcp_servers
            )
            self.sessions.append(session)
            self._arrived.set()
            self._arrived = asyncio.Event()
            await carry(websocket, session, tasks, faults, speed=self._speed)
