"""Two legs, one task group: carries audio and performs what the flow decides."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from app.call.actions import (
    Action,
    AnswerTool,
    Beside,
    Clear,
    DenyApproval,
    End,
    Instruct,
    Play,
    Respond,
    RunTool,
    Say,
    TellModel,
    Truncate,
)
from app.call.call_journal import Journal
from app.call.events import CallEvent, Kind
from app.call.flow import CallFlow
from app.call.socket import StreamGone, StreamSocket
from app.call.status import EndReason
from app.conf.models import AgentConf
from app.errors import MediaProtocolError, SessionLost, SessionUnavailable, ToolError
from app.realtime.events import ToolCall
from app.realtime.session import RealtimeSession, RealtimeSessionSender
from app.timing import Deadlines
from app.twilio import media_protocol
from app.twilio.media_protocol import Ignored, MarkReached, Media, Started

HELD_FRAMES = 250
"""Five seconds of caller audio wait for a session that is not ready yet."""

RESYNC_CHUNKS = 1000
"""A chunk number further behind than this is no late frame but a new count."""

OpenSession = Callable[[], Awaitable[RealtimeSession]]
RunToolCall = Callable[[ToolCall], Awaitable[str]]


class Bridge:
    """One stream and one session, carried until a leg ends. `now_ms` counts from the stream's start."""

    def __init__(
        self,
        *,
        socket: StreamSocket,
        stream_sid: str,
        agent: AgentConf,
        open_session: OpenSession,
        run_tool: RunToolCall,
        flow: CallFlow,
        journal: Journal,
        now_ms: Callable[[], float],
        deadlines: Deadlines,
        session_ready: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._stream_sid = stream_sid
        self._agent = agent
        self._open_session = open_session
        self._run_tool = run_tool
        self._flow = flow
        self._journal = journal
        self._now_ms = now_ms
        self._deadlines = deadlines
        self._session_ready = session_ready
        self._sender: RealtimeSessionSender | None = None
        self._hears = False  # whether caller audio goes to the session, or is held until it is ready
        self._held: deque[str] = deque(maxlen=HELD_FRAMES)
        self._tasks = asyncio.TaskGroup()
        self._ended = asyncio.Event()
        self._end_reason = EndReason.ERROR
        self._frames = 0
        self._last_chunk = 0
        self._oddities: Counter[str] = Counter()

    def end(self, reason: EndReason) -> None:
        """End the call; whoever says so first is believed."""
        if not self._ended.is_set():
            self._end_reason = reason
            self._ended.set()

    @property
    def ready(self) -> bool:
        """Whether there is a session that can be asked for something."""
        return self._sender is not None and not self._ended.is_set()

    async def perform(self, actions: Sequence[Action]) -> bool:
        """Do what somebody outside decided; False where there is no session to do it with."""
        if self.ready:
            with self._ending():
                await self._perform(actions)
                return True
        return False

    async def run(self) -> EndReason:
        """Carry the call until a leg ends it. No task and no session outlives this; the socket does."""
        try:
            async with self._tasks as tasks:
                for work in (self._caller_leg(), self._agent_leg(), self._watch()):
                    tasks.create_task(work)
                await self._ended.wait()
                raise _Over
        except* _Over:
            pass
        finally:
            if self._socket.ignored:
                self._oddities["ignored"] = self._socket.ignored
            if self._oddities:
                self._note(Kind.STREAM_ODDITIES, **self._oddities)
            if self._sender:
                await self._sender.close()
        return self._end_reason

    # -- the caller leg

    async def _caller_leg(self) -> None:
        with self._ending():
            while True:
                text = await self._socket.receive()
                try:
                    event = media_protocol.decode(text)
                except MediaProtocolError:
                    self._oddities["broken"] += 1
                    continue
                if type(event) is Media:
                    await self._on_media(event)
                elif isinstance(event, Ignored | Started):
                    self._oddities["unexpected"] += 1
                else:
                    if type(event) is MarkReached:
                        self._journal.recorder.mark(event.name, self._now_ms())
                    await self._perform(self._flow.on_caller(event, self._now_ms()))

    async def _on_media(self, media: Media) -> None:
        self._frames += 1
        behind = self._last_chunk - media.chunk
        if media.chunk and 0 <= behind < RESYNC_CHUNKS:
            self._oddities["late_or_doubled"] += 1
            return
        if media.chunk and self._last_chunk and behind < -1:
            self._oddities["gaps"] += 1
        self._last_chunk = media.chunk
        self._journal.recorder.caller(media.at_ms, media.payload, self._now_ms())
        if self._sender and self._hears:
            await self._sender.send_audio_delta(media.payload)
        else:
            self._held.append(media.payload)

    # -- the agent leg

    async def _agent_leg(self) -> None:
        with self._ending():
            try:
                async with asyncio.timeout(self._deadlines.session_s):
                    self._sender, receiver = await self._open_session()
            except (SessionUnavailable, TimeoutError) as error:
                told = {"code": getattr(error, "code", None), "message": str(error) or "no session in time"}
                self._note(Kind.SESSION_ERROR, **told, severity="fatal")
                self.end(EndReason.MODEL_UNAVAILABLE)
                return
            self._session_ready()
            self._note(Kind.SESSION_READY)
            if self._agent.speaks_first:
                await self._greet(self._sender)
            while self._held:
                await self._sender.send_audio_delta(self._held.popleft())
            self._hears = True
            async for event in receiver:
                await self._perform(self._flow.on_agent(event, self._now_ms()))
            self.end(EndReason.MODEL_LOST)

    async def _greet(self, sender: RealtimeSessionSender) -> None:
        if self._agent.greeting:
            await sender.say(self._agent.greeting)
        else:
            await sender.start_response()

    async def _tool(self, call: ToolCall) -> None:
        began_ms = self._now_ms()
        with self._ending():
            try:
                kind, output = Kind.TOOL_ANSWERED, await self._run_tool(call)
            except ToolError as error:
                kind, output = Kind.TOOL_FAILED, msgspec.json.encode({"error": str(error)}).decode()
            took_ms = int(self._now_ms() - began_ms)
            self._flow.on_tool_done(call.call_id)
            self._note(kind, call_id=call.call_id, name=call.name, output=output, took_ms=took_ms)
            await self._answer(call, output)

    async def _answer(self, call: ToolCall, output: str) -> None:
        if self._sender:
            await self._sender.send_tool_response(call.call_id, call.name, output)

    # -- both

    async def _watch(self) -> None:
        """End what time alone ends: a stream that went dead, a call that lasts too long, a goodbye never confirmed."""
        loop = asyncio.get_running_loop()
        over_s = loop.time() + self._agent.max_call_seconds / self._deadlines.speed
        frames, last_frame_s = self._frames, loop.time()
        with self._ending():
            while True:
                await asyncio.sleep(self._deadlines.tick_s)
                if frames != self._frames:
                    frames, last_frame_s = self._frames, loop.time()
                if loop.time() - last_frame_s > self._deadlines.media_idle_s:
                    self.end(EndReason.STREAM_LOST)
                if loop.time() > over_s:
                    self.end(EndReason.MAX_DURATION)
                await self._perform(self._flow.on_time(self._now_ms()))

    async def _perform(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Play(audio, mark):
                    if ahead := self._journal.recorder.agent(mark, audio, self._now_ms()):
                        await self._socket.send(media_protocol.mark(self._stream_sid, ahead))
                    await self._socket.send(media_protocol.media(self._stream_sid, audio))
                    await self._socket.send(media_protocol.mark(self._stream_sid, mark))
                case Clear():
                    self._journal.recorder.clear(self._now_ms())
                    await self._socket.send(media_protocol.clear(self._stream_sid))
                case CallEvent():
                    self._journal.add(action)
                case RunTool(call):
                    self._tasks.create_task(self._tool(call))
                case Beside(work):
                    self._tasks.create_task(work())
                case End(reason):
                    self.end(reason)
                case _ if self._sender:
                    await self._ask(self._sender, action)

    async def _ask(self, sender: RealtimeSessionSender, action: Action) -> None:
        match action:
            case Truncate(item_id, heard_ms):
                await sender.truncate(item_id, heard_ms)
            case TellModel(text, role, respond):
                await sender.send_text(text, role=role, respond=respond)
            case Instruct(instructions):
                await sender.update(instructions=instructions)
            case DenyApproval(request_id):
                await sender.answer_approval(request_id, approve=False, reason="Nobody can approve this in a call.")
            case Respond():
                await sender.start_response()
            case Say(text):
                await sender.say(text)
            case AnswerTool(call, output):
                self._note(Kind.TOOL_ANSWERED, call_id=call.call_id, name=call.name, output=output, took_ms=0)
                await self._answer(call, output)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Whoever loses a peer ends the call."""
        try:
            yield
        except StreamGone:
            self.end(EndReason.STREAM_LOST)
        except SessionLost as error:
            self._note(Kind.SESSION_ERROR, message=str(error), severity="fatal")
            self.end(EndReason.MODEL_LOST)

    def _note(self, kind: Kind, **data: Any) -> None:
        self._journal.add(CallEvent(kind, int(self._now_ms()), data))


class _Over(Exception):  # not an error: it ends the task group
    pass
