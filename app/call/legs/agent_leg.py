"""The agent leg: the session that hears the caller now, and the one that takes its place when it is lost or old."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from app.audio import FRAME_MS
from app.call.actions import Action, AnswerTool, ForModel, Instruct, TellModel
from app.call.events import Kind
from app.call.legs.asking import OF_ONE_SESSION, ask
from app.call.legs.caller_audio import CallerAudio
from app.call.legs.dialling import Dialling, ReopenSession
from app.call.legs.heir import Heir
from app.call.legs.memory import Memory
from app.call.legs.redial import Rollover
from app.call.notes import note
from app.call.status import EndReason
from app.call.turns.flow import CallFlow
from app.conf.models import AgentConf
from app.errors import SessionLost
from app.realtime.events import SessionCreated, SessionExpiring, SessionStatusChanged
from app.realtime.session import RealtimeSession
from app.realtime.status import SessionStatus
from app.timing import Deadlines


class AgentLeg:
    """One call's sessions, one after the other. Enter `run` once; what is asked between two sessions waits."""

    def __init__(
        self,
        *,
        agent: AgentConf,
        dialling: Dialling,
        flow: CallFlow,
        memory: Memory,
        perform: Callable[[Sequence[Action]], Awaitable[None]],
        note: Callable[..., None],
        end: Callable[[EndReason], None],
        now_ms: Callable[[], float],
        deadlines: Deadlines,
    ) -> None:
        self._greeting = agent.greeting
        self._dialling = dialling
        self._flow = flow
        self._memory = memory
        self._perform = perform
        self._note = note
        self._end = end
        self._now_ms = now_ms
        self._deadlines = deadlines
        self._session: RealtimeSession | None = None
        self._audio = CallerAudio()
        self._waiting: list[ForModel] = []
        self._instructions: Instruct | None = None
        self._rollover = Rollover(every_ms=agent.rollover_minutes * 60_000)
        self._lost = asyncio.Event()
        self._why = ""
        self._hopeless = False
        self._tasks = asyncio.TaskGroup()

    # -- what the call does with it

    async def run(self, ready: Callable[[], None]) -> None:
        """Carry sessions until none can be had any more."""
        session = await self._dialling.first()
        if session is None:
            self._end(EndReason.MODEL_UNAVAILABLE)
            return
        try:
            async with self._tasks:
                ready()
                self._note(Kind.SESSION_READY)
                await self._take(session)
                self._tasks.create_task(self._renew(), name="session-renewal")
                while await self._next():
                    pass
                self._end(EndReason.MODEL_LOST)
        finally:
            if self._session:
                await self._session[0].close()

    async def hear(self, frame: str) -> None:
        """The caller's next frame."""
        session = self._session
        try:  # fifty times a second: no context manager here
            await self._audio.send(frame)
        except SessionLost as error:
            self._on_loss(session, error)

    async def ask(self, action: ForModel) -> None:
        """Let the model do something; while there is no session, whatever makes sense in the next one waits."""
        if isinstance(action, Instruct):
            self._instructions = action
        bound = isinstance(action, (*OF_ONE_SESSION, Instruct))
        while (session := self._session) is not None:
            with self._losing(session):
                await ask(session[0], action, greeting=self._greeting)
            if session is self._session:
                self._remember(action)
            if bound or session is self._session:
                return  # else another session took over meanwhile, and does not know of it
        if not bound:
            self._waiting.append(action)

    @property
    def may_reconnect(self) -> bool:
        """Whether the call would go on in another session, if this one were lost now."""
        return self._dialling.may_again

    def reconnect(self, why: str) -> None:
        """The session is there, but of no more use."""
        self._lose(self._session, why)

    def _remember(self, action: ForModel) -> None:
        """What the session knows now, the next one must be told."""
        match action:
            case AnswerTool(call):
                self._memory.given(call.call_id)
            case TellModel(text, role, lasting=True):
                self._memory.told(text, role)

    # -- one session

    async def _take(self, session: RealtimeSession) -> None:
        """Go on in that session: what waits first, then what is due, then the caller's audio."""
        self._begin(session)
        waiting, self._waiting = self._waiting, []
        due = self._flow.sessions.begin(self._now_ms())
        for action in [*self._standing(), *(each for each in waiting if each not in due)]:
            await self.ask(action)
        await self._perform(due)
        with self._losing(session):
            if session is self._session:
                await self._audio.release(session[0])
                self._note_lost_audio()

    def _note_lost_audio(self) -> None:
        if lost := self._audio.take_given_up():
            text = f"{lost * FRAME_MS} ms of caller audio dropped: there was no session for too long"
            self._note(Kind.SESSION_ERROR, code="caller_audio_dropped", message=text, severity="harmless")

    def _begin(self, session: RealtimeSession) -> None:
        self._session = session
        self._rollover.on_session(self._now_ms())
        self._tasks.create_task(self._read(session), name="session-reader")

    async def _read(self, session: RealtimeSession) -> None:
        """Hear a session out; what one says that is not the call's any more concerns nobody."""
        _, receiver = session
        with self._losing(session):
            async for event in receiver:
                if session is not self._session:
                    if isinstance(event, SessionStatusChanged):
                        await self._perform(note(event, self._now_ms()))
                    await self._perform(self._flow.spending.beside(event, self._now_ms()))
                    continue
                if isinstance(event, SessionCreated | SessionExpiring):
                    self._note_expiry(event)
                await self._perform(self._flow.on_agent(event, self._now_ms()))
            self._lose(session, "closed")

    def _note_expiry(self, event: SessionCreated | SessionExpiring) -> None:
        if isinstance(event, SessionExpiring):
            self._rollover.by(self._now_ms())
        elif event.expires_at_s is not None:
            left_ms = self._deadlines.ms(event.expires_at_s - time.time())
            self._rollover.on_expiry(self._now_ms(), left_ms, self._deadlines.ms(self._deadlines.rollover_s))

    @contextmanager
    def _losing(self, session: RealtimeSession | None) -> Iterator[None]:
        """Whoever finds the session gone says so."""
        try:
            yield
        except SessionLost as error:
            self._on_loss(session, error)

    def _on_loss(self, session: RealtimeSession | None, error: SessionLost) -> None:
        if session is not None and session is self._session:
            self._note(Kind.SESSION_ERROR, message=str(error), severity="over")
            self._hopeless = session[0].status is SessionStatus.ERROR
            self._lose(session, str(error))

    def _lose(self, session: RealtimeSession | None, why: str) -> None:
        if session is None or session is not self._session:
            return
        self._session = None
        self._audio.hold()
        self._why = why
        self._lost.set()
        self._retire(session)

    def _retire(self, session: RealtimeSession) -> None:
        self._tasks.create_task(session[0].close(), name="session-closer")

    # -- the next session

    async def _next(self) -> bool:
        """Wait until the session is lost, and go on in another; False when there is none."""
        await self._lost.wait()
        self._lost.clear()
        lost_ms = self._now_ms()
        await self._perform(self._flow.on_session_lost(lost_ms))
        if self._hopeless or (session := await self._dialling.again(lost_ms, self._why)) is None:
            return False
        await self._take(session)
        return True

    # -- a session that takes the place of one that is there

    @asynccontextmanager
    async def heir(self, reopen: ReopenSession | None = None) -> AsyncIterator[Heir]:
        """One beside it, which is closed unless it took over; raises `SessionLost` where none can be had."""
        known = self._memory.settled
        if (session := await self._dialling.beside(known, reopen)) is None:
            raise SessionLost("no session could be opened")
        try:
            yield Heir(session, known, self._memory)
        finally:
            if session is not self._session:
                await session[0].close()

    @property
    def steady(self) -> bool:
        """Whether there is a session, and it hears the caller."""
        return self._session is not None and self._audio.flows

    def hand_over(self, heir: Heir, agent: AgentConf, reopen: ReopenSession) -> None:
        """Another agent goes on in that session, from the next frame and event on; those that follow are its own."""
        self._greeting = self._instructions = None  # it greets nobody anew, and was told nothing yet
        self._rollover = Rollover(every_ms=agent.rollover_minutes * 60_000)
        self._dialling.use(reopen)
        self._succeed(heir)

    async def _renew(self) -> None:
        """Replace the session before it gets too old, as often as the call lasts."""
        while True:
            await asyncio.sleep(self._deadlines.tick_s)
            if self._session and self._rollover.is_due(self._now_ms()):
                await self._roll_over(self._session)

    async def _roll_over(self, old: RealtimeSession) -> None:
        """Open and prepare the next session beside the old one, and change at a silence."""
        try:
            async with self.heir() as heir:
                # a silence is a matter of time, and no event tells of it
                while old is self._session and not await self._change(old, heir):  # noqa: ASYNC110
                    await asyncio.sleep(self._deadlines.tick_s)
        except SessionLost:
            self._rollover.on_failed(self._now_ms())

    async def _change(self, old: RealtimeSession, heir: Heir) -> bool:
        """Let the prepared session go on, if this moment suits."""
        if not (self._is_moment() and await heir.catch_up() and old is self._session and self._is_moment()):
            return False
        # from here on nothing waits: no frame and no event comes between
        actions = self._flow.sessions.replace(self._now_ms())
        self._succeed(heir)
        self._note(Kind.SESSION_ROLLED_OVER)
        for action in self._standing():
            await self.ask(action)
        await self._perform(actions)
        return True

    def _succeed(self, heir: Heir) -> None:
        old = self._session
        self._begin(heir.session)
        self._audio.turn(heir.session[0])
        if old:
            self._retire(old)

    def _standing(self) -> list[ForModel]:
        """What holds for every session of the call."""
        return [self._instructions] if self._instructions else []

    def _is_moment(self) -> bool:
        if self._rollover.is_urgent(self._now_ms()):
            return self._flow.sessions.has_gap
        return self._flow.sessions.is_silent and self._memory.settled == self._memory.items
