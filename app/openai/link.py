"""One configured socket to OpenAI, shared by the two ends that a call holds."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from app.errors import SessionLost
from app.openai import client_events, connect, messages, overrides
from app.openai.backlog import Backlog
from app.openai.exchange import Exchange
from app.openai.metering import Meter
from app.openai.responses import Create, Responses
from app.openai.session_config import answers_by_itself
from app.openai.types import events as wire
from app.openai.types.session import OpenaiRealtimeSessionConfig
from app.realtime.events import (
    RealtimeInEvent,
    ResponseDone,
    SessionCreated,
    SessionExpiring,
    SessionProblem,
    SessionStatusChanged,
)
from app.realtime.history import HistoryItem, ToolAnswered, ToolAsked
from app.realtime.status import SessionStatus, may_move
from app.timing import Deadlines

CONGESTED_BYTES = 16 << 10
"""With this much unsent (about a second of audio) the server is too slow, and caller audio waits with us."""
BACKLOG_MS = 4000
OWN_ANSWER_S = 0.5
"""The server starts its answer within this after the caller stopped, or it does not answer."""
RESTORED = "restored"
"""Stands for the response that asked for a tool in a session that is gone."""
_ENDS = {"over": SessionStatus.EXPIRED, "fatal": SessionStatus.ERROR}
CREATE_S = 3.0
"""The server begins or refuses a response within this, or our create is lost."""


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
        self.exchange = Exchange(Responses(server_answers=answers_by_itself(config)))
        self.status = SessionStatus.ACTIVE
        self.unreadable_frames = 0
        self._told_status = SessionStatus.CONNECTING
        self._socket = socket
        self._mask = mask
        self._meter = Meter(config)
        self._close_s = deadlines.close_s
        self._closing = False
        self._backlog = Backlog(BACKLOG_MS)
        self._reported_ms = 0
        self._now_s = asyncio.get_running_loop().time
        self._answer_due_s = self._create_due_s = 0.0
        self._expiring_due_s = self._expiring_at(deadlines.expiring_s)
        self._in_audio = False  # while audio streams in, the next frame is near and no deadline is watched

    def _expiring_at(self, lead_s: float) -> float | None:
        """When to say that the session ends soon; `None` where its end is unknown or past."""
        left_s = (self._expires_at_s or 0.0) - time.time()
        return self._now_s() + max(0.0, left_s - lead_s) if left_s > 0 else None

    @property
    def _expires_at_s(self) -> float | None:
        expires_at_s = self.granted.get("expires_at")
        return float(expires_at_s) if isinstance(expires_at_s, int | float) else None

    # -- out

    def require_open(self) -> None:
        """Raise `SessionLost` where nothing can be sent any more, even if nothing is to be sent right now."""
        if self._closing:
            raise SessionLost("the session has been closed")
        if self._socket.state is not State.OPEN:
            raise SessionLost("the session with OpenAI is over")

    async def send(self, event: str) -> None:
        """Send one event; raises `SessionLost`."""
        try:
            await self._socket.send(event)
        except ConnectionClosed as error:
            raise self._lost(error) from None

    async def send_create(self, create: Create | None) -> None:
        """Send the create that `Responses` asks for, if any."""
        if create is None:
            return
        self._create_due_s = self._now_s() + CREATE_S
        wanted = create.overrides and overrides.for_response(create.overrides, has_spoken=self.exchange.has_spoken)
        await self.send(client_events.response_create(create.event_id, wanted))

    async def restore(self, history: Sequence[HistoryItem]) -> None:
        """Fill the new conversation with what another session held; there is no other way to resume one."""
        try:
            await self.remember(history)
        except BaseException:  # whoever cancels us must not leave a paid socket behind
            self._socket.transport.abort()
            raise

    async def remember(self, history: Sequence[HistoryItem]) -> None:
        """Add what was said and done elsewhere; tools that were asked for there can be answered here."""
        answered = {item.call_id for item in history if isinstance(item, ToolAnswered)}
        for item in history:
            await self.send(client_events.remembered(self.exchange.new_item(), item))
            if isinstance(item, ToolAsked) and item.call_id not in answered:
                self.exchange.responses.on_tool_call(item.call_id, RESTORED)
            elif isinstance(item, ToolAnswered):
                self.exchange.responses.on_answered_elsewhere(item.call_id)

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
        return client_events.append(audio)

    def _is_congested(self) -> bool:
        return self._socket.transport.get_write_buffer_size() > CONGESTED_BYTES

    # -- in

    async def events(self) -> AsyncIterator[RealtimeInEvent]:
        """What the server says; ends after `close`, else raises `SessionLost`."""
        if self._told_status is SessionStatus.CONNECTING:
            self._told_status = SessionStatus.ACTIVE
            yield SessionStatusChanged(SessionStatus.ACTIVE, SessionStatus.CONNECTING)
            yield SessionCreated(str(self.granted.get("id", "")), self._expires_at_s)
        try:
            while True:
                event = await self._next_event()
                if isinstance(event, wire.AudioDelta):
                    self._in_audio = True
                    yield messages.neutral(event)
                    continue
                self._in_audio = False
                for told in await (self._on_time() if event is None else self._on_event(event)):
                    yield told
                if self.status is not self._told_status:
                    yield self._status_change()
                if self._backlog.dropped_ms > self._reported_ms and not self._backlog:
                    yield self._drop_report()
        except SessionLost:
            if self.status is not self._told_status:
                yield self._status_change()
            if not self._closing:
                raise

    async def _next_event(self) -> wire.ServerEvent | wire.Other | None:
        """The next event; `None` for a frame that is none, and when something else is due first."""
        try:
            if self._in_audio:
                frame = await self._socket.recv(decode=False)
            else:
                async with asyncio.timeout_at(min(self._dues_s(), default=None)):
                    frame = await self._socket.recv(decode=False)
            return messages.decode(frame)
        except ConnectionClosed as error:
            raise self._lost(error) from None
        except TimeoutError:
            pass
        except ValueError:
            self.unreadable_frames += 1
        return None

    def _dues_s(self) -> list[float]:
        dues_s = [] if self._expiring_due_s is None else [self._expiring_due_s]
        if self.exchange.responses.answer_expected:
            dues_s.append(self._answer_due_s)
        if self.exchange.responses.create_in_flight:
            dues_s.append(self._create_due_s)
        return dues_s

    async def _on_time(self) -> list[RealtimeInEvent]:
        """What the passing of time alone leads to."""
        told: list[RealtimeInEvent] = []
        now_s, responses = self._now_s(), self.exchange.responses
        if responses.answer_expected and now_s >= self._answer_due_s:
            await self.send_create(responses.on_answer_overdue())
        if responses.create_in_flight and now_s >= self._create_due_s:
            told.append(ResponseDone(status="failed", reason="response_not_started"))
            await self.send_create(responses.on_create_overdue())
        if self._expiring_due_s is not None and now_s >= self._expiring_due_s:
            self._expiring_due_s = None
            told.append(SessionExpiring((self._expires_at_s or 0.0) - time.time()))
        return told

    async def _on_event(self, event: wire.ServerEvent | wire.Other) -> list[RealtimeInEvent]:
        """What the call is told of it, after whatever it lets us send is on its way."""
        if isinstance(event, wire.SpeechStopped):
            self._answer_due_s = self._now_s() + OWN_ANSWER_S
        elif isinstance(event, wire.Error) and (end := _ENDS.get(messages.severity(event.error))):
            self._move(end)
        told, create = self.exchange.on_event(event)
        await self.send_create(create)
        return [*map(self._meter.read, told)]

    def _drop_report(self) -> SessionProblem:
        lost_ms, self._reported_ms = self._backlog.dropped_ms - self._reported_ms, self._backlog.dropped_ms
        text = f"{lost_ms} ms of caller audio dropped: OpenAI was too slow to take it"
        return SessionProblem(text, code="caller_audio_dropped", severity="harmless")

    # -- the end

    async def close(self) -> None:
        """End the session at once or, with a mute server, within the limit; more than once is fine."""
        self._closing = True
        self._move(SessionStatus.DISCONNECTED)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._close_s):  # the library's own limit does not cover a full write buffer
                    await self._socket.close()
        finally:
            self._socket.transport.abort()

    def _lost(self, error: ConnectionClosed) -> SessionLost:
        if self._closing:
            return SessionLost("the session has been closed")
        self._move(_status_after(error))
        return SessionLost(self._mask(str(connect.failure(error))))

    def _move(self, to: SessionStatus) -> None:
        if may_move(self.status, to):
            self.status = to

    def _status_change(self) -> SessionStatusChanged:
        before, self._told_status = self._told_status, self.status
        return SessionStatusChanged(self.status, before)


def _status_after(error: ConnectionClosed) -> SessionStatus:
    """What it means for a session that the server ended it."""
    close = error.rcvd
    if close is None:
        return SessionStatus.DISCONNECTED
    if "maximum duration" in close.reason or messages.EXPIRED in close.reason:
        return SessionStatus.EXPIRED
    return SessionStatus.ERROR if 3000 <= close.code < 5000 else SessionStatus.DISCONNECTED
