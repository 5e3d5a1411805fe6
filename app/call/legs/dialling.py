"""Opening a call's sessions: the first, and those that go on with the conversation."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from app.call.events import Kind
from app.call.legs.memory import Memory, newest
from app.call.legs.redial import Redials
from app.errors import SessionUnavailable
from app.realtime.history import HistoryItem
from app.realtime.session import RealtimeSession
from app.timing import Deadlines

OpenSession = Callable[[], Awaitable[RealtimeSession]]
"""The call's first session, which was perhaps opened before."""
ReopenSession = Callable[[Sequence[HistoryItem]], Awaitable[RealtimeSession]]
"""Another one, which goes on with that conversation."""


class Dialling:
    """Where one call gets its sessions from; what fails is in its journal."""

    def __init__(
        self,
        open_session: OpenSession,
        reopen_session: ReopenSession,
        *,
        memory: Memory,
        note: Callable[..., None],
        now_ms: Callable[[], float],
        deadlines: Deadlines,
    ) -> None:
        self._open = open_session
        self._reopen = reopen_session
        self._memory = memory
        self._note = note
        self._now_ms = now_ms
        self._deadlines = deadlines
        self._redials = Redials()
        self._hopeless = False

    async def first(self) -> RealtimeSession | None:
        """The call's first session; None when there is none in time."""
        return await self._within(self._open(), "fatal")

    @property
    def may_again(self) -> bool:
        """Whether another one would be tried for, if this one were lost now."""
        return self._redials.may(self._now_ms())

    async def again(self, lost_ms: float, why: str) -> RealtimeSession | None:
        """Another one instead of the one that was lost then; None when there is none to be had."""
        while (pause_ms := self._redials.next_pause_ms(self._now_ms())) is not None:
            await asyncio.sleep(pause_ms / self._deadlines.ms(1.0))
            session = await self.beside(self._memory.items)
            if session:
                attempt, gap_ms = self._redials.tries, int(self._now_ms() - lost_ms)
                self._note(Kind.MODEL_RECONNECTED, attempt=attempt, gap_ms=gap_ms, reason=why)
                self._redials.on_connected()
                return session
            if self._hopeless:
                break
        return None

    async def beside(self, known: Sequence[HistoryItem], reopen: ReopenSession | None = None) -> RealtimeSession | None:
        """One that knows this conversation, beside the one there is; perhaps of another agent."""
        return await self._within((reopen or self._reopen)(newest(known)), "retryable")

    def use(self, reopen: ReopenSession) -> None:
        """Another agent goes on: from here on the sessions are its own."""
        self._reopen = reopen

    async def _within(self, opening: Awaitable[RealtimeSession], severity: str) -> RealtimeSession | None:
        try:
            async with asyncio.timeout(self._deadlines.session_s):
                return await opening
        except (SessionUnavailable, TimeoutError) as error:
            self._hopeless = isinstance(error, SessionUnavailable) and not error.retryable
            told = {"code": getattr(error, "code", None), "message": str(error) or "no session in time"}
            self._note(Kind.SESSION_ERROR, **told, severity=severity)
            return None
