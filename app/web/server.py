"""The server process: what uvicorn is told, and a stop that cuts no call."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Protocol

import structlog
import uvicorn
from starlette.types import ASGIApp

from app.twilio.media_protocol import MAX_MESSAGE_BYTES

LIMIT_S = 3.5
"""When the drain time is up, the spoken goodbyes may take this long."""

_log = structlog.stdlib.get_logger(__name__)


class Drainable(Protocol):
    """Calls, as a server that stops sees them."""

    draining: bool
    """Whether new ones are turned away."""

    async def wait_empty(self) -> None:
        """Return when none is left."""


def server_config(app: ASGIApp, *, host: str, port: int, max_calls: int) -> uvicorn.Config:
    """How we want to be served: lean sockets, no access log, nothing believed from proxies."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=None,  # a live stream sends fifty frames a second; its silence is watched by the call
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=4 * max_calls + 256,
        timeout_graceful_shutdown=1,  # the calls are over by then
    )


class ParleyServer(uvicorn.Server):
    """Stops gently: the first signal drains, the second ends at once; `on_limit` ends the calls that take too long.

    The stock server closes every socket at the first signal: each caller would be cut off.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        calls: Drainable,
        drain_s: float,
        on_limit: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._calls = calls
        self._drain_s = drain_s
        self._on_limit = on_limit
        self._signalled = False
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Not `super()`: it would raise the signal again at the end, and the exit code would not be 0."""
        if self._signalled or self._loop is None:
            self.should_exit = self.force_exit = True
        else:
            self._signalled = True
            self._calls.draining = True
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            drain = tasks.create_task(self._drain(), name="drain")
            await super().main_loop()
            drain.cancel()

    async def _drain(self) -> None:
        await self._stopping.wait()
        _log.info("draining", limit_s=self._drain_s)
        try:
            async with asyncio.timeout(self._drain_s):
                await self._calls.wait_empty()
        except TimeoutError:
            await self._end_calls()
        finally:
            self.should_exit = True

    async def _end_calls(self) -> None:
        _log.warning("drain_limit_reached")
        try:
            async with asyncio.timeout(LIMIT_S):
                await self._on_limit()
                await self._calls.wait_empty()
        except TimeoutError:
            _log.error("calls_cut_off")
