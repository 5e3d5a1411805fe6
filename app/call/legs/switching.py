"""Another agent takes over the call: prepared beside the one there is, and told what has been said."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from app.call.actions import Action, TellModel
from app.call.elsewhere.away import CUT_IN
from app.call.events import Kind
from app.call.legs.colleague import Colleague
from app.call.legs.dialling import ReopenSession
from app.call.legs.followers import Followers
from app.call.legs.heir import Heir
from app.call.tools.tool_calls import Asked
from app.conf.models import AgentConf, RecordingPolicy
from app.errors import ConfError, SessionLost, ToolError

MOST_SWITCHES = 10
"""So often in one call: agents that pass a caller on for ever help nobody."""
WORDS_MS = 1500
"""What the caller said last may take so long to be written down; then the other agent goes on without it."""
PATIENCE_MS = 30_000
"""Who has not stopped talking by then goes on with the agent they have."""

HANDED_OVER = "{name} has taken over the call."
TAKEN_OVER = (
    "You have just taken over this call: until now the caller talked to {before}, and all that was said above was said "
    "there. The caller is still on the line and is waiting for you. Do not greet them as if the call had just begun, "
    "and do not ask for what is known already. Say in one short sentence, in the language of this conversation, who "
    "takes care of them now, and go on with what they need."
)
FAILED = "The call was not handed over to {name}: the caller is still with you. Tell them, and help them yourself."
_GONE = "There is no agent {name!r} any more."
_SAME = "You are {name} already."
_BUSY = "The call is being handed over already."
_TOO_OFTEN = "This call has been handed over as often as it may be."
_AWAY = "{name} cannot be reached."
_NO_MOMENT = "Not done: you and the caller have gone on talking. Call the tool again if it is still wanted."

_log = structlog.get_logger(__name__)


class Switching:
    """One call's changes of the agent, whether the agent or a key wants them."""

    def __init__(
        self,
        name: str,
        recording: RecordingPolicy,
        followers: Followers,
        *,
        find: Callable[[str], Colleague],
        sessions_of: Callable[[AgentConf], ReopenSession],
        when_heard: Callable[[], Awaitable[bool]],
        note: Callable[..., None],
        now_ms: Callable[[], float],
        tick_s: float,
    ) -> None:
        """How the call is recorded stays as it is, whoever goes on. `find` raises `ConfError`."""
        self._name = name
        self._recording = recording
        self._find = find
        self._sessions_of = sessions_of
        self._when_heard = when_heard
        self._followers = followers
        self._bridge = followers.bridge
        self._flow = followers.flow
        self._note = note
        self._now_ms = now_ms
        self._tick_s = tick_s
        self._times = 0
        self._busy = False

    async def run(self, asked: Asked) -> str:
        """The agent's tool: answers when the other one is there, who speaks in answer to that."""
        name = asked.arguments["agent"]
        heard = asyncio.ensure_future(self._when_heard())
        try:
            await self._hand_over(name, heard, respond=False)
        finally:
            heard.cancel()
        return HANDED_OVER.format(name=name)

    async def to(self, name: str) -> None:
        """The caller wants that agent, at once; the one there is tells them if it fails."""
        try:
            await self._hand_over(name)
        except Exception as error:  # a tool's run, though a key asked for it: its failure is never the call's end
            _log.warning("agent_not_switched", reason=repr(error), exc_info=not isinstance(error, ToolError))
            await self._bridge.perform([TellModel(FAILED.format(name=name), "system")])

    async def _hand_over(self, name: str, heard: Awaitable[bool] | None = None, *, respond: bool = True) -> None:
        """Raises `ToolError`, and then everything is as it was."""
        colleague = self._found(name)
        reopen = self._sessions_of(colleague.agent)
        self._busy = True
        try:
            async with self._bridge.agent.heir(reopen) as heir:
                if heard and not await heard:
                    raise ToolError(CUT_IN)
                await self._wait_for_moment(heir)
                await self._bridge.perform(self._change(colleague, heir, reopen, respond=respond))
        except SessionLost:
            raise ToolError(_AWAY.format(name=name)) from None
        finally:
            self._busy = False

    def _found(self, name: str) -> Colleague:
        if self._busy:
            raise ToolError(_BUSY)
        if name == self._name:
            raise ToolError(_SAME.format(name=name))
        if self._times >= MOST_SWITCHES:
            raise ToolError(_TOO_OFTEN)
        try:
            found = self._find(name)
        except ConfError as error:
            _log.warning("agent_not_found", reason=str(error))
            raise ToolError(_GONE.format(name=name)) from None
        return replace(found, agent=found.agent.model_copy(update={"recording": self._recording}))

    async def _wait_for_moment(self, heir: Heir) -> None:
        """Return when the other session knows everything and may go on, with nothing between; a silence is a matter
        of time, and no event tells of it."""
        since_ms = self._now_ms()
        while (waited_ms := self._now_ms() - since_ms) < PATIENCE_MS:
            hasty = waited_ms >= WORDS_MS
            if self._is_moment(heir, hasty=hasty) and await heir.catch_up() and self._is_moment(heir, hasty=hasty):
                return
            await asyncio.sleep(self._tick_s)
        raise ToolError(_NO_MOMENT)

    def _is_moment(self, heir: Heir, *, hasty: bool) -> bool:
        away = self._bridge.caller.leaving
        may = self._bridge.agent.steady and self._flow.sessions.may_hand_over and not away
        return may and (hasty or heir.all_written)

    def _change(self, colleague: Colleague, heir: Heir, reopen: ReopenSession, *, respond: bool) -> list[Action]:
        """Nothing waits in here: no frame and no event comes between."""
        before, self._name = self._name, colleague.name
        self._times += 1
        actions = self._followers.follow(colleague, self._now_ms())
        self._bridge.agent.hand_over(heir, colleague.agent, reopen)
        self._note(Kind.AGENT_SWITCHED, from_agent=before, agent=colleague.name, agent_version=colleague.version)
        if colleague.missing:
            self._note(Kind.VARIABLES_MISSING, names=list(colleague.missing))
        _log.info("agent_switched", before=before, now=colleague.name)
        told = TellModel(TAKEN_OVER.format(before=before), "system", respond=respond)
        return [*actions, *(self._flow.quiet.ask(told, self._now_ms()) if respond else [told])]
