"""One configured socket to OpenAI, shared by the two ends that a call holds."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from app.errors import SessionLost
from app.openai import connect, messages
from app.openai.backlog import Backlog
from app.openai.responses import Responses
from app.openai.session_config import answers_by_itself
from app.openai.types import events as wire
from app.openai.types.session import OpenaiRealtimeSessionConfig
from app.realtime.events import RealtimeInEvent, SessionProblem
from app.timing import Deadlines

CONGESTED_BYTES = 16 << 10
"""With this much unsent (about a second of audio) the server is too slow, and caller audio waits with us."""
BACKLOG_MS = 4000
OWN_ANSWER_S = 0.5
"""The server starts its answer within this after the caller stopped, or it does not answer."""


class Link:
    """Carries events both ways and sends each `response.create` when `Responses` says so.

    `config` is what was asked for last, `granted` the server's session as it confirmed it.
    """

    def __init__(
        self,
        socket: ClientConnection,
        config: OpenaiRealtimeSessionConfig,
        granted: Mapping[str, Any],
        mask: Callable[[str], str],
        deadlines: Deadlines,
    ) -> None:
        self.config = config
        self.granted = granted
        self.responses = Responses(server_answers=answers_by_itself(config))
        self.unreadable_frames = 0
        self._socket = socket
        self._mask = mask
        self._close_s = deadlines.close_s
        self._closing = False
        self._item_numbers = itertools.count(1)
        self._backlog = Backlog(BACKLOG_MS)
        self._reported_ms = 0
        self._answer_due_s = 0.0

    def new_item(self) -> str:
        """The id of the item that is sent next."""
        item_id = f"item_parley_{next(self._item_numbers)}"
        self.responses.on_item_sent(item_id)
        return item_id

    async def send(self, event: str) -> None:
        """Send one event; raises `SessionLost`."""
        try:
            await self._socket.send(event)
        except ConnectionClosed as error:
            raise self._lost(error) from None

    async def send_create(self, event_id: str | None) -> None:
        """Send the create that `Responses` asks for, if any."""
        if event_id:
            await self.send(messages.response_create(event_id))

    async def send_audio(self, audio: str) -> None:
        """Send caller audio at once, or, while the server is too slow, keep the newest seconds of it."""
        if not self._backlog and not self._is_congested():
            await self.send(self.append(audio))
            return
        self._backlog.keep(audio)
        while self._backlog and not self._is_congested():
            await self.send(self.append(self._backlog.take()))

    def append(self, audio: str) -> str:
        """The event that carries this caller audio."""
        return messages.append(audio)

    def _is_congested(self) -> bool:
        return self._socket.transport.get_write_buffer_size() > CONGESTED_BYTES

    async def events(self) -> AsyncIterator[RealtimeInEvent]:
        """What the server says; ends after `close`, else raises `SessionLost`."""
        try:
            while True:
                event = await self._next_event()
                if event is None:
                    continue
                if isinstance(event, wire.AudioDelta) or await self._take_note(event):
                    yield messages.neutral(event)
                if self._backlog.dropped_ms > self._reported_ms and not self._backlog:
                    yield self._drop_report()
        except SessionLost:
            if not self._closing:
                raise

    async def _next_event(self) -> wire.ServerEvent | wire.Other | None:
        """The next event; `None` for a frame that is none, and when the server's own answer is overdue."""
        try:
            if self.responses.answer_expected:
                async with asyncio.timeout_at(self._answer_due_s):
                    frame = await self._socket.recv(decode=False)
            else:
                frame = await self._socket.recv(decode=False)
            return messages.decode(frame)
        except ConnectionClosed as error:
            raise self._lost(error) from None
        except TimeoutError:
            await self.send_create(self.responses.on_answer_overdue())
        except ValueError:
            self.unreadable_frames += 1
        return None

    async def _take_note(self, event: wire.ServerEvent | wire.Other) -> bool:
        """Keep the responses in order; false for a tool call that was seen before."""
        responses = self.responses
        match event:
            case wire.ResponseCreated():
                responses.on_created(event.response.id)
            case wire.ResponseDone():
                await self.send_create(responses.on_done(event.response.id))
            case wire.SpeechStarted():
                responses.on_speech_started()
            case wire.SpeechStopped():
                self._answer_due_s = asyncio.get_running_loop().time() + OWN_ANSWER_S
                await self.send_create(responses.on_speech_stopped())
            case wire.ItemAdded(item=wire.Item(id=str(item_id))):
                responses.on_item_added(item_id)
            case wire.Error(error=wire.ErrorDetails(event_id=str(event_id), code=code)):
                active_response = code == messages.ACTIVE_RESPONSE
                await self.send_create(responses.on_refused(event_id, active_response=active_response))
            case wire.OutputItemDone() if call := messages.tool_call(event):
                return responses.on_tool_call(call.call_id, call.response_id)
            case _:
                pass
        return True

    def _drop_report(self) -> SessionProblem:
        lost_ms, self._reported_ms = self._backlog.dropped_ms - self._reported_ms, self._backlog.dropped_ms
        text = f"{lost_ms} ms of caller audio dropped: OpenAI was too slow to take it"
        return SessionProblem(text, code="caller_audio_dropped", severity="harmless")

    async def close(self) -> None:
        """End the session at once or, with a mute server, within the limit; more than once is fine."""
        self._closing = True
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._close_s):  # the library's own limit does not cover a full write buffer
                    await self._socket.close()
        finally:
            self._socket.transport.abort()

    def _lost(self, error: ConnectionClosed) -> SessionLost:
        return SessionLost(self._mask(str(connect.failure(error))))
