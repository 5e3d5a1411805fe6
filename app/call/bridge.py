"""Two legs, one task group: carries audio and performs what the flow decides."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import msgspec

from app.audio import silent_like
from app.call.actions import Action, AnswerTool, Beside, Clear, End, ForModel, Play, Reconnect, RunTool, Wake
from app.call.events import CallEvent, Kind
from app.call.journal.call_journal import Journal
from app.call.legs.agent_leg import AgentLeg
from app.call.legs.caller_leg import CallerLeg
from app.call.legs.dialling import Dialling, OpenSession, ReopenSession
from app.call.legs.memory import Memory
from app.call.money.budget import Budget
from app.call.socket import StreamGone, StreamSocket
from app.call.status import EndReason
from app.call.turns.flow import CallFlow
from app.call.turns.hold_watch import HoldWatch
from app.call.turns.time_limits import TimeLimits
from app.conf.models import AgentConf
from app.errors import ToolError
from app.realtime.events import ToolCall
from app.timing import Deadlines

RunToolCall = Callable[[ToolCall], Awaitable[str]]


class Bridge:
    """A caller's streams and an agent's sessions, until a leg ends. `now_ms` counts from the first stream's start."""

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
        self._time_limits = TimeLimits(agent, flow, goodbye_ms=deadlines.ms(deadlines.goodbye_s))
        self._budget = Budget(agent.budget, flow)
        self._hold = HoldWatch(agent, flow)
        self._run_tool = run_tool
        self._flow = flow
        self._journal = journal
        self._memory = Memory()
        self._now_ms = now_ms
        self._deadlines = deadlines
        self._session_ready = session_ready
        self.agent = AgentLeg(
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
        """Whoever lets another agent take over tells it."""
        self.caller = CallerLeg(
            socket,
            stream_sid,
            flow=flow,
            recorder=journal.recorder,
            hear=self._hear,
            perform=self._perform,
            returned=self._on_return,
            note=self._note,
            end=self.end,
            now_ms=now_ms,
        )
        """Whoever sends the caller elsewhere tells it."""
        self.deaf = False
        """Whether the agent hears silence instead of the caller."""
        self._live = False
        self._nudge = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._ended = asyncio.Event()
        self._end_reason = EndReason.ERROR

    def use(self, agent: AgentConf) -> None:
        """Another agent goes on: its limits hold."""
        self._time_limits.use(agent)
        self._budget.use(agent.budget)
        self._hold.use(agent)

    def end(self, reason: EndReason) -> None:
        """End the call; whoever says so first is believed."""
        if not self._ended.is_set():
            self._end_reason = reason
            self._ended.set()

    @property
    def over(self) -> bool:
        """Whether the call has been ended."""
        return self._ended.is_set()

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

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do that beside the audio, for as long as the call lasts."""
        if self._ended.is_set():
            work.close()
        else:
            self._tasks.create_task(work)

    async def run(self) -> EndReason:
        """Carry the call until a leg ends it. No task and no session outlives this; the socket does."""
        try:
            async with self._tasks as tasks:
                for work in (self.caller.run(), self.agent.run(self._on_ready), self._watch()):
                    tasks.create_task(work)
                await self._ended.wait()
                raise _Over
        except* _Over:
            pass
        finally:
            if oddities := self.caller.oddities:
                self._note(Kind.STREAM_ODDITIES, **oddities)
        return self._end_reason

    def _on_ready(self) -> None:
        self._live = True
        self._session_ready()

    # -- the caller leg

    async def _hear(self, frame: str) -> None:
        await self.agent.hear(silent_like(frame) if self.deaf or self._flow.deaf else frame)

    async def _on_return(self) -> None:
        """The caller is back: what waited for that is asked of the model."""
        for action in self._flow.absence.end(self._now_ms()):
            await self.agent.ask(action)

    async def _ask(self, action: ForModel) -> None:
        if not self._flow.absence.holds(action):
            await self.agent.ask(action)

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
        await self._ask(answer)

    # -- both

    async def _watch(self) -> None:
        """See to what time alone brings about: a dead stream, a silence, a call too long, a goodbye never confirmed."""
        loop = asyncio.get_running_loop()
        frames = self.caller.frames
        count, last_frame_s = frames.count, loop.time()
        while True:
            await self._tick()
            if self.caller.away or count != frames.count:
                count, last_frame_s = frames.count, loop.time()
            if self.caller.away:
                continue
            if loop.time() - last_frame_s > self._deadlines.media_idle_s:
                await self._on_idle()
            if self._live and (silent_ms := frames.one_way_ms(self._now_ms())):
                self._note(Kind.STREAM_ONE_WAY, silent_ms=silent_ms)
            for watch in (self._time_limits, self._budget, self._hold):
                await self._perform(watch.on_time(self._now_ms(), ready=self._live))
            await self._perform(self._flow.on_time(self._now_ms()))

    async def _on_idle(self) -> None:
        if self.caller.leaving:
            await self.caller.give_up()
        else:
            self.end(EndReason.STREAM_LOST)

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
                await self.caller.play(audio, mark)
            case Clear():
                await self.caller.clear()
            case CallEvent():
                self._record(action)
            case RunTool(call):
                self.beside(self._tool(call))
            case Beside(work):
                self.beside(work())
            case AnswerTool():
                await self._answer(action)
            case Reconnect(reason):
                self.agent.reconnect(reason)
            case Wake(after_ms):
                asyncio.get_running_loop().call_later(after_ms / self._deadlines.ms(1.0), self._nudge.set)
            case End(reason):
                self.end(reason)
            case _:
                await self._ask(action)

    def _note(self, kind: Kind, **data: Any) -> None:
        self._record(CallEvent(kind, int(self._now_ms()), data))

    def _record(self, event: CallEvent) -> None:
        self._journal.add(event)
        self._memory.add(event)
        self._time_limits.on_event(event)
        self._hold.on_event(event)


class _Over(Exception):  # not an error: it ends the task group
    pass
