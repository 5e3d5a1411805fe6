"""Two legs, one task group: carries audio and performs what the flow decides."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from app.audio import silent_like
from app.call.actions import Action, AnswerTool, Beside, Clear, End, Play, Reconnect, RunTool, Wake
from app.call.agent_leg import AgentLeg
from app.call.call_journal import Journal
from app.call.caller_leg import CallerFrames
from app.call.dialling import Dialling, OpenSession, ReopenSession
from app.call.events import CallEvent, Kind
from app.call.flow import CallFlow
from app.call.memory import Memory
from app.call.socket import StreamGone, StreamSocket
from app.call.status import EndReason
from app.call.time_limits import TimeLimits
from app.conf.models import AgentConf
from app.errors import MediaProtocolError, ToolError
from app.realtime.events import ToolCall
from app.timing import Deadlines
from app.twilio import media_protocol
from app.twilio.media_protocol import Ignored, MarkReached, Media, Started

RunToolCall = Callable[[ToolCall], Awaitable[str]]


class Bridge:
    """One stream and the sessions of its agent, carried until a leg ends. `now_ms` counts from the stream's start."""

    def __init__(
        self,
        *,
        socket: StreamSocket,
        stream_sid: str,
        agent: AgentConf,
        open_session: OpenSession,
        reopen_session: ReopenSession,
        run_tool: RunToolCall,
        flow: CallFlow,
        journal: Journal,
        now_ms: Callable[[], float],
        deadlines: Deadlines,
        session_ready: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._stream_sid = stream_sid
        self._time_limits = TimeLimits(agent, flow, goodbye_ms=deadlines.ms(deadlines.goodbye_s))
        self._run_tool = run_tool
        self._flow = flow
        self._journal = journal
        self._memory = Memory()
        self._now_ms = now_ms
        self._deadlines = deadlines
        self._session_ready = session_ready
        self._agent = AgentLeg(
            agent=agent,
            dialling=Dialling(
                open_session,
                reopen_session,
                memory=self._memory,
                note=self._note,
                now_ms=now_ms,
                deadlines=deadlines,
            ),
            flow=flow,
            memory=self._memory,
            perform=self._perform,
            note=self._note,
            end=self.end,
            now_ms=now_ms,
            deadlines=deadlines,
        )
        self.deaf = False
        """Whether the agent hears silence instead of the caller."""
        self._live = False
        self._frames = CallerFrames()
        self._nudge = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._ended = asyncio.Event()
        self._end_reason = EndReason.ERROR

    def end(self, reason: EndReason) -> None:
        """End the call; whoever says so first is believed."""
        if not self._ended.is_set():
            self._end_reason = reason
            self._ended.set()

    @property
    def ready(self) -> bool:
        """Whether there is an agent that can be asked for something; while its session is replaced, that waits."""
        return self._live and not self._ended.is_set()

    async def perform(self, actions: Sequence[Action]) -> bool:
        """Do what somebody outside decided; False where there is no agent to do it with."""
        if self.ready:
            await self._perform(actions)
            return True
        return False

    async def run(self) -> EndReason:
        """Carry the call until a leg ends it. No task and no session outlives this; the socket does."""
        try:
            async with self._tasks as tasks:
                for work in (self._caller_leg(), self._agent.run(self._on_ready), self._watch()):
                    tasks.create_task(work)
                await self._ended.wait()
                raise _Over
        except* _Over:
            pass
        finally:
            if self._socket.ignored:
                self._frames.oddities["ignored"] = self._socket.ignored
            if oddities := self._frames.oddities:
                self._note(Kind.STREAM_ODDITIES, **oddities)
        return self._end_reason

    def _on_ready(self) -> None:
        self._live = True
        self._session_ready()

    # -- the caller leg

    async def _caller_leg(self) -> None:
        while True:
            try:
                event = media_protocol.decode(await self._socket.receive())
            except StreamGone:
                self.end(EndReason.STREAM_LOST)
                return
            except MediaProtocolError:
                self._frames.oddities["broken"] += 1
                continue
            if type(event) is Media:
                if self._frames.is_next(event):
                    self._journal.recorder.caller(event.at_ms, event.payload, self._now_ms())
                    await self._agent.hear(silent_like(event.payload) if self.deaf else event.payload)
            elif isinstance(event, Ignored | Started):
                self._frames.oddities["unexpected"] += 1
            else:
                if type(event) is MarkReached:
                    self._journal.recorder.mark(event.name, self._now_ms())
                await self._perform(self._flow.on_caller(event, self._now_ms()))

    # -- tools

    async def _tool(self, call: ToolCall) -> None:
        began_ms = self._now_ms()
        try:
            kind, output = Kind.TOOL_ANSWERED, await self._run_tool(call)
        except ToolError as error:
            kind, output = Kind.TOOL_FAILED, msgspec.json.encode({"error": str(error)}).decode()
        self._flow.on_tool_done(call.call_id, self._now_ms())
        await self._answer(AnswerTool(call, output), kind, int(self._now_ms() - began_ms))

    async def _answer(self, answer: AnswerTool, kind: Kind = Kind.TOOL_ANSWERED, took_ms: int = 0) -> None:
        call = answer.call
        self._note(kind, call_id=call.call_id, name=call.name, output=answer.output, took_ms=took_ms)
        await self._agent.ask(answer)

    # -- both

    async def _watch(self) -> None:
        """See to what time alone brings about: a dead stream, a silence, a call too long, a goodbye never confirmed."""
        loop = asyncio.get_running_loop()
        frames, last_frame_s = self._frames.count, loop.time()
        while True:
            await self._tick()
            if frames != self._frames.count:
                frames, last_frame_s = self._frames.count, loop.time()
            if loop.time() - last_frame_s > self._deadlines.media_idle_s:
                self.end(EndReason.STREAM_LOST)
            if self._live and (silent_ms := self._frames.one_way_ms(self._now_ms())):
                self._note(Kind.STREAM_ONE_WAY, silent_ms=silent_ms)
            await self._perform(self._time_limits.on_time(self._now_ms(), ready=self._live))
            await self._perform(self._flow.on_time(self._now_ms()))

    async def _tick(self) -> None:
        """Let time pass, less of it when the flow asked for it."""
        try:
            async with asyncio.timeout(self._deadlines.tick_s):
                await self._nudge.wait()
                self._nudge.clear()
        except TimeoutError:
            return

    async def _perform(self, actions: Sequence[Action]) -> None:
        try:
            for action in actions:
                await self._do(action)
        except StreamGone:
            self.end(EndReason.STREAM_LOST)

    async def _do(self, action: Action) -> None:
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
                self._record(action)
            case RunTool(call):
                self._tasks.create_task(self._tool(call))
            case Beside(work):
                self._tasks.create_task(work())
            case AnswerTool():
                await self._answer(action)
            case Reconnect(reason):
                self._agent.reconnect(reason)
            case Wake(after_ms):
                asyncio.get_running_loop().call_later(after_ms / self._deadlines.ms(1.0), self._nudge.set)
            case End(reason):
                self.end(reason)
            case _:
                await self._agent.ask(action)

    def _note(self, kind: Kind, **data: Any) -> None:
        self._record(CallEvent(kind, int(self._now_ms()), data))

    def _record(self, event: CallEvent) -> None:
        self._journal.add(event)
        self._memory.add(event)
        self._time_limits.on_event(event)


class _Over(Exception):  # not an error: it ends the task group
    pass
