"""Leaving: somebody wants the call to end or to go elsewhere, and the caller shall hear the last words first."""

from app.call.actions import Action, AnswerTool, End, Respond, Say, TellModel
from app.call.status import EndReason
from app.realtime.events import ToolCall

WANTED = "Say goodbye now. The call ends as soon as the caller has heard it."
ELSEWHERE = "Not done: the caller is being put through or handed over. The call goes on."
INTERRUPTED = "The call goes on: the caller spoke before the goodbye was over."
ALREADY = "The call is ending already."
MARK_GRACE_MS = 2000
"""The last mark may be so late; then we hang up without it."""


class Goodbye:
    """Nothing at first; from the wish to leave until the line may close, or the caller speaks again.

    The agent wants to hang up with what it has just said. An operator's order names other words and perhaps another
    end; unless it is not `firm`, it holds whatever the caller says.
    """

    def __init__(self, *, within_ms: float) -> None:
        self._within_ms = within_ms
        self._then: Action | None = None
        self._call: ToolCall | None = None  # the agent's wish; an order has none
        self._order: Say | TellModel | None = None  # the words of an order
        self._firm = True  # whether an order holds whatever the caller says
        self._until_ms = 0.0
        self._behind = False  # the answer under way comes first, and is not the goodbye
        self._asked_for = False
        self._said = False

    def want(self, call: ToolCall, at_ms: float) -> list[Action]:
        """The agent wants to hang up."""
        if self._then:
            return [AnswerTool(call, ALREADY)]
        self._begin(End(EndReason.AGENT_HANGUP), at_ms)
        self._call, self._behind = call, False
        return []

    def order(
        self, words: Say | TellModel, then: Action, at_ms: float, *, behind_answer: bool, firm: bool = True
    ) -> None:
        """Somebody outside wants it: `then` follows when the next answer has been heard, or never came."""
        self._begin(then, at_ms)
        self._call, self._order, self._behind, self._firm = None, words, behind_answer, firm

    def on_response_done(self, *, spoke: bool, heard_by_ms: float) -> list[Action]:
        """An answer is complete: if it spoke, that was the goodbye; if not, the agent is asked for one, once."""
        if self._then is None or self._said:
            return []
        if self._behind:
            self._behind = False
            return []
        if spoke or self._asked_for:
            self._said, self._until_ms = True, heard_by_ms + MARK_GRACE_MS
            return []
        if self._call is None:
            return []
        self._asked_for = True
        return [AnswerTool(self._call, WANTED)]

    def revoke(self, why: str = INTERRUPTED) -> list[Action]:
        """The caller speaks, or goes elsewhere: the call goes on, and the agent's wish gets its one answer."""
        if self._call is None:
            return []
        call, self._call, self._then = self._call, None, None
        return [] if self._asked_for else [AnswerTool(call, why)]

    def take_back(self) -> bool:
        """The call goes on, unless what ends it holds; whether that changes anything."""
        if self._then is None or self._call or self._firm:
            return False
        self._then = self._order = None
        return True

    @property
    def wanted(self) -> bool:
        """Whether the call is about to end or to go elsewhere."""
        return self._then is not None

    def on_session(self) -> list[Action]:
        """Another session goes on: if the goodbye was still to come, it is asked for there."""
        if self._then is None or self._said:
            return []
        self._behind = False
        if self._call is None:
            return [self._order] if self._order else []
        if self._asked_for:
            return [Respond()]
        self._asked_for = True
        return [AnswerTool(self._call, WANTED)]

    def on_all_heard(self) -> list[Action]:
        """The caller has heard everything that was sent."""
        return self._leave() if self._said else []

    def on_time(self, at_ms: float) -> list[Action]:
        """A goodbye that never came, or whose mark never came back, does not hold the line for ever."""
        return self._leave() if at_ms >= self._until_ms else []

    def _begin(self, then: Action, at_ms: float) -> None:
        self._then, self._until_ms = then, at_ms + self._within_ms
        self._asked_for = self._said = False

    def _leave(self) -> list[Action]:
        then, self._then, self._call = self._then, None, None
        return [then] if then else []
