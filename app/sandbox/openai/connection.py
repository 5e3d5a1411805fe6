"""One connection: the frames of a session in and out of its websocket, as far as its faults let them through."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import msgspec
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from app.sandbox.openai.admission import close_code
from app.sandbox.openai.faults import Faults
from app.sandbox.openai.outbox import Close, Event
from app.sandbox.openai.refusal import Refusal, error_body, error_event
from app.sandbox.openai.session import SandboxSession

CUT = 1006


class SessionTasks:
    """The tasks of one session, in their group, so that they can be ended together."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._running: set[asyncio.Task[Any]] = set()

    def create_task(self, work: Coroutine[Any, Any, Any], *, name: str | None = None) -> asyncio.Task[Any]:
        """Start one."""
        task = self._group.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def cancel(self) -> None:
        """End them all."""
        for task in self._running:
            task.cancel()


async def carry(
    websocket: WebSocket, session: SandboxSession, tasks: SessionTasks, faults: Faults, *, speed: float
) -> None:
    """Run one session until either side ends it, and all its tasks with it."""
    session.open()
    if faults.close_after_ms is not None:
        tasks.create_task(_close_later(session, faults, speed), name="closer")
    tasks.create_task(_expire_later(session, faults.session_seconds), name="expiry")
    writer = tasks.create_task(_write(websocket, session, faults), name="writer")
    reader = tasks.create_task(_read(websocket, session), name="reader")
    try:
        await asyncio.wait([writer, reader], return_when=asyncio.FIRST_COMPLETED)
    finally:
        tasks.cancel()
        session.note_closed()


async def refuse(websocket: WebSocket, status: int, retry_after_s: int | None) -> None:
    """Answer the handshake with that status."""
    headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}
    refusal = Refusal("refused", f"The handshake is answered with {status} on purpose.")
    await websocket.send_denial_response(JSONResponse({"error": error_body(refusal)}, status, headers))


async def refuse_in_band(websocket: WebSocket, refusal: Refusal) -> None:
    """Accept the handshake, say what is wrong and close."""
    await websocket.accept()
    with suppress(WebSocketDisconnect, WebSocketDisconnected):
        await websocket.send_text(_json({"event_id": "event_refused", **error_event(refusal, None)}))
        await websocket.close(close_code(refusal), f"invalid_request_error.{refusal.code}")


async def hang(websocket: WebSocket) -> None:
    """Answer nothing until the peer has gone; uvicorn wants us to stay that long."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _close_later(session: SandboxSession, faults: Faults, speed: float) -> None:
    await asyncio.sleep((faults.close_after_ms or 0) / 1000 / speed)
    session.close(faults.close_code)


async def _expire_later(session: SandboxSession, seconds: float) -> None:
    await asyncio.sleep(seconds)
    session.expire()


async def _read(websocket: WebSocket, session: SandboxSession) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        session.receive(message.get("text") or "")


async def _write(websocket: WebSocket, session: SandboxSession, faults: Faults) -> None:
    """Send what the session wants sent; returns when the socket is gone."""
    with suppress(WebSocketDisconnect, WebSocketDisconnected):
        while True:
            outgoing = await session.outbox.get()
            if isinstance(outgoing, str):
                await websocket.send_text(outgoing)
            elif isinstance(outgoing, Close):
                await _close(websocket, outgoing)
                return
            else:
                await _send(websocket, session, faults, outgoing)
                if len(session.sent) == faults.close_after_events:
                    await _close(websocket, Close(faults.close_code))
                    return


async def _send(websocket: WebSocket, session: SandboxSession, faults: Faults, event: Event) -> None:
    if event["type"] == faults.hang_before or len(session.sent) == faults.stall_after_events:
        await asyncio.Event().wait()
    text = _json(event)
    await websocket.send_text(text)
    session.note_sent(event["type"])
    if event["type"] in faults.doubled:
        await websocket.send_text(text)
    if event["type"] == "session.created":
        for frame in faults.junk:
            await websocket.send_text(frame)


async def _close(websocket: WebSocket, close: Close) -> None:
    if close.code != CUT:  # without a goodbye, the server drops the connection once we have returned
        await websocket.close(close.code, close.reason)


def _json(event: Event) -> str:
    return msgspec.json.encode(event).decode()
