"""Hanging up: the agent wants to, and the caller shall hear its goodbye first."""

from app.call.actions import Action, AnswerTool, End
from app.call.status import EndReason
from app.realtime.events import ToolCall

WANTED = "Say goodbye now. The call ends as soon as the caller has heard it."
INTERRUPTED = "The call goes on: the caller spoke before the goodbye was over."
ALREADY = "The call is ending already."
MARK_GRACE_MS = 2000
"""The last mark may be so late; then we hang up without it."""


class Goodbye:
    """Nothing at first; from the agent's wish to hang up until the line may close, or the caller speaks again."""

    def __init__(self, *, within_ms: float) -> None:
        self._within_ms = within_ms
        self._call: ToolCall | None = None
        self._until_ms = 0.0
        self._asked_for = False
        self._said = False

    def want(self, call: ToolCall, at_ms: float) -> list[Action]:
        """The agent wants to hang up."""
        if self._call:
            return [AnswerTool(call, ALREADY)]
        self._call, self._until_ms = call, at_ms + self._within_ms
        self._asked_for = self._said = False
        return []

    def on_response_done(self, *, spoke: bool, heard_by_ms: float) -> list[Action]:
        """An answer is complete: if it spoke, that was the goodbye; if not, the agent is asked for one, once."""
        if self._call is None or self._said:
            return []
        if spoke or self._asked_for:
            self._said, self._until_ms = True, heard_by_ms + MARK_GRACE_MS
            return []
        self._asked_for = True
        return [AnswerTool(self._call, WANTED)]

    def revoke(self) -> list[Action]:
        """The caller speaks: the call goes on, and the agent's wish gets its one answer."""
        call, self._call = self._call, None
        return [AnswerTool(call, INTERRUPTED)] if call and not self._asked_for else []

    def on_all_heard(self) -> list[Action]:
        """The caller has heard everything that was sent."""
        return [End(EndReason.AGENT_HANGUP)] if self._call and self._said else []

    def on_time(self, at_ms: float) -> list[Action]:
        """A goodbye that never came, or whose mark never came back, does not hold the line for ever."""
        return [End(EndReason.AGENT_HANGUP)] if self._call and at_ms >= self._until_ms else []
