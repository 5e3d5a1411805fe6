"""Calls between their webhook and their stream.

A session to the model is opened when the webhook arrives, while Twilio is still connecting the stream. Each
session has one host task that opens it, keeps it, and closes it: whatever happens, nothing leaks.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import structlog

from app.conf.models import AgentConf
from app.errors import SessionUnavailable
from app.realtime.session import RealtimeSession

REMEMBERED_ANSWERS = 4096
"""So many answers are kept for webhooks that come again."""

OpenSession = Callable[[AgentConf], Awaitable[RealtimeSession]]

_log = structlog.stdlib.get_logger(__name__)


class Guest:
    """A call's session on its way: opened for the agent as it was at that moment."""

    def __init__(self, agent: AgentConf, agent_version: int) -> None:
        self.agent = agent
        self.agent_version = agent_version
        self._outcome: asyncio.Future[RealtimeSession | Exception] = asyncio.get_running_loop().create_future()
        self._limit: asyncio.Timeout | None = None
        self._claimed = False
        self._host: asyncio.Task[None] | None = None

    async def session(self) -> RealtimeSession:
        """The session as soon as it is open; raises what kept it from opening. Its host closes it, not you."""
        outcome = await asyncio.shield(self._outcome)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def claim(self) -> bool:
        """Take it, for as long as it is needed; False when its time is just up."""
        if self._limit is not None:
            if self._limit.expired():
                return False
            self._limit.reschedule(None)
        self._claimed = True
        return True

    def leave(self) -> None:
        """It is not needed any more."""
        if self._host is not None:
            self._host.cancel()

    def be_hosted(self, host: asyncio.Task[None]) -> None:
        """Remember who keeps the session."""
        self._host = host

    async def stay(self, open_session: OpenSession, claim_s: float) -> None:
        """The host's work: open the session and keep it until `leave`, or for `claim_s` when nobody claims it."""
        session: RealtimeSession | None = None
        try:
            async with asyncio.timeout(None if self._claimed else claim_s) as self._limit:
                session = await self._open(open_session)
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            _log.info("session_unclaimed", after_s=claim_s)
        finally:
            if not self._outcome.done():
                self._outcome.set_result(SessionUnavailable("the session was given up before it opened"))
            if session is not None:
                await session[0].close()

    async def _open(self, open_session: OpenSession) -> RealtimeSession | None:
        try:
            session = await open_session(self.agent)
        except Exception as error:  # the edge of a call: whoever claims the session hears of it
            self._outcome.set_result(error)
            return None
        self._outcome.set_result(session)
        return session


class Lobby:
    """Remembers what each call was answered, and keeps its session until the stream comes for it.

    Enter it for as long as calls are taken; leaving it closes every session.
    """

    def __init__(self, open_session: OpenSession, *, claim_s: float) -> None:
        self._open_session = open_session
        self._claim_s = claim_s
        self._answers: OrderedDict[tuple[str, int], str] = OrderedDict()
        self._waiting: dict[str, Guest] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._hosts: set[asyncio.Task[None]] = set()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for host in self._hosts:
            host.cancel()
        await self._group.__aexit__(kind, error, traceback)

    @property
    def waiting(self) -> int:
        """How many sessions wait for their stream."""
        return len(self._waiting)

    def expects(self, call_sid: str) -> bool:
        """Whether that call was answered, and its stream is still to come."""
        return call_sid in self._waiting

    async def wait_empty(self) -> None:
        """Return when no session waits for its stream."""
        await self._empty.wait()

    def answer(self, call_sid: str, attempt: int = 0) -> str | None:
        """The answer this call had at that attempt; a webhook that comes again gets the same."""
        return self._answers.get((call_sid, attempt))

    def expect(
        self,
        call_sid: str,
        agent: AgentConf,
        agent_version: int,
        *,
        answer: str,
        attempt: int = 0,
        speaking_s: float = 0.0,
    ) -> None:
        """A stream will come for this call: remember its answer and open its session ahead.

        The stream comes later by what the caller is told first.
        """
        self._answers[call_sid, attempt] = answer
        if len(self._answers) > REMEMBERED_ANSWERS:
            self._answers.popitem(last=False)
        self.dismiss(call_sid)
        self._waiting[call_sid] = guest = Guest(agent, agent_version)
        self._empty.clear()
        self._receive(call_sid, guest, self._claim_s + speaking_s)

    def dismiss(self, call_sid: str) -> None:
        """No stream will come for this call: close its session."""
        if guest := self._take(call_sid):
            guest.leave()

    @asynccontextmanager
    async def claim(self, call_sid: str, agent: AgentConf, agent_version: int) -> AsyncIterator[Guest]:
        """The call's guest, handed out once; where none waits (another replica had the webhook) a new one."""
        guest = self._take(call_sid)
        if guest is None or not guest.claim():
            guest = Guest(agent, agent_version)
            guest.claim()
            self._receive(call_sid, guest, self._claim_s)
        try:
            yield guest
        finally:
            guest.leave()

    def _take(self, call_sid: str) -> Guest | None:
        guest = self._waiting.pop(call_sid, None)
        if not self._waiting:
            self._empty.set()
        return guest

    def _receive(self, call_sid: str, guest: Guest, claim_s: float) -> None:
        host = self._group.create_task(self._keep(call_sid, guest, claim_s), name=f"session-host-{call_sid}")
        self._hosts.add(host)
        host.add_done_callback(self._hosts.discard)
        guest.be_hosted(host)

    async def _keep(self, call_sid: str, guest: Guest, claim_s: float) -> None:
        try:
            await guest.stay(self._open_session, claim_s)
        except Exception:  # the edge of a call: one session's trouble at closing is nobody else's
            _log.exception("session_close_failed")
        finally:
            if self._waiting.get(call_sid) is guest:
                self._take(call_sid)
