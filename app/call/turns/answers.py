"""Whether the caller gets an answer: failed ones are tried again, late ones written down, lost ones not waited for."""

from app.call.actions import Action, End, Reconnect, Respond, Say
from app.call.events import CallEvent, Kind
from app.call.status import EndReason
from app.call.tools.open_tools import OpenTools
from app.realtime.events import ResponseDone

LATE_MS = 5000
"""Silence after the caller stopped is never longer than this without the journal saying why."""
STALLED_MS = 8000
"""A session that is silent for so long while an answer is due is dead."""
MOST_FAILURES = 3
"""In a row; with one more the call is given up."""
_FAILED = frozenset({"failed", "incomplete"})


class Answers:
    """Follows the answers of one call.

    A failed one is tried again, the next apologised for. Where that fails too, another session is tried, as one may be
    stuck that fails at everything; then the call is given up. What was heard of an answer starts the count anew.
    """

    def __init__(self, *, apology: str, by_itself: bool = True) -> None:
        self.owed = False
        """Whether the model has been asked for an answer, by the caller or by us, that has not begun."""
        self.response_id: str | None = None
        """The answer under way."""
        self.spoke = False
        """Whether the latest answer was heard."""
        self.has_spoken = False
        """Whether any was."""
        self.on_hold = False
        """Whether whatever is heard of the caller is not to be answered."""
        self.ends_told = False
        """Whether the provider tells when an answer begins and ends."""
        self.by_itself = by_itself
        """Whether the provider answers the caller without being asked."""
        self._apology = apology
        self._failures = 0
        self._due_ms: float | None = None
        self._alive_ms: float | None = None

    def on_sign_of_life(self, at_ms: float) -> None:
        """The session is there."""
        self._alive_ms = at_ms

    @property
    def under_way(self) -> bool:
        """Whether the model is answering."""
        return self.response_id is not None

    @property
    def may_have_ended(self) -> bool:
        """Whether something was said of which nobody tells us when it is over."""
        return self.spoke and not self.ends_told

    def on_guessed_end(self) -> None:
        """What was said so far was an answer; the next one has not been heard."""
        self.spoke = False

    def on_session_lost(self) -> None:
        """There is nobody to wait for; what was being answered is owed again."""
        self.owed = self.owed or self.under_way
        self.response_id = self._alive_ms = None

    def on_asked(self, at_ms: float) -> None:
        """The model was asked to speak."""
        self.owed = True
        if self._alive_ms is not None:
            self._alive_ms = at_ms

    def on_caller_stopped(self, at_ms: float) -> None:
        """The caller waits for an answer from now on."""
        if self.on_hold:
            return
        self._due_ms = at_ms + LATE_MS
        self.owed = self.by_itself

    def on_caller_started(self) -> None:
        """The caller speaks, so nobody waits."""
        self._due_ms = None
        self.owed = False

    def on_response_started(self, response_id: str) -> None:
        """What was asked for is on its way."""
        self.response_id = response_id
        self.ends_told = True
        self.spoke = self.owed = False

    def on_spoken(self) -> None:
        """The agent is being heard."""
        self._due_ms = None
        self._failures = 0
        self.owed = False
        self.spoke = self.has_spoken = True

    def on_response_done(self, done: ResponseDone, at_ms: float) -> list[Action]:
        """What follows an answer that ended like this."""
        if done.response_id == self.response_id:
            self.response_id = None
        if done.status not in _FAILED or self.spoke:
            return []
        self._failures += 1
        if self._failures > MOST_FAILURES or not done.retryable:
            return [End(EndReason.MODEL_LOST)]
        self.on_asked(at_ms)
        return [(Respond(), Say(self._apology), Reconnect("failing"))[self._failures - 1]]

    def on_time(self, at_ms: float, tools: OpenTools) -> list[Action]:
        """Write down, once, that an answer is late and what it waits for; give up a session that only keeps silent."""
        actions: list[Action] = []
        if self._due_ms is not None and at_ms >= self._due_ms:
            self._due_ms = None
            actions.append(CallEvent(Kind.ANSWER_LATE, int(at_ms), {"waiting_for": self._waiting_for(tools)}))
        due = (self.under_way or (self.owed and not tools.ours)) and not tools.providers
        if due and self._alive_ms is not None and at_ms >= self._alive_ms + STALLED_MS:
            self._alive_ms = None
            actions.append(Reconnect("stalled"))
        return actions

    def _waiting_for(self, tools: OpenTools) -> str:
        if tools.ours:
            return f"tool {tools.names}"
        return "the model's audio" if self.under_way else "the model to answer"
