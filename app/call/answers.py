"""Whether the caller gets an answer: failed ones are tried again, late ones are written down."""

from app.call.actions import Action, End, Respond, Say
from app.call.events import CallEvent, Kind
from app.call.status import EndReason
from app.realtime.events import ResponseDone

LATE_MS = 5000
"""Silence after the caller stopped is never longer than this without the journal saying why."""
_FAILED = frozenset({"failed", "incomplete"})


class Answers:
    """Follows the answers of one call; a failed one is retried, then apologised for, then the call is given up."""

    def __init__(self, *, apology: str) -> None:
        self._apology = apology
        self._failures = 0
        self._due_ms: float | None = None

    def on_caller_stopped(self, at_ms: float) -> None:
        """The caller waits for an answer from now on."""
        self._due_ms = at_ms + LATE_MS

    def on_caller_started(self) -> None:
        """The caller speaks, so nobody waits."""
        self._due_ms = None

    def on_spoken(self) -> None:
        """The agent is being heard."""
        self._due_ms = None
        self._failures = 0

    def on_response_done(self, done: ResponseDone, *, spoke: bool) -> list[Action]:
        """What follows an answer that ended like this."""
        if done.status not in _FAILED or spoke:
            return []
        self._failures += 1
        if self._failures > 2 or not done.retryable:
            return [End(EndReason.MODEL_LOST)]
        return [Respond()] if self._failures == 1 else [Say(self._apology)]

    def on_time(self, at_ms: float, waiting_for: str) -> list[Action]:
        """Write down, once, that an answer is late and what it waits for."""
        if self._due_ms is None or at_ms < self._due_ms:
            return []
        self._due_ms = None
        return [CallEvent(Kind.ANSWER_LATE, int(at_ms), {"waiting_for": waiting_for})]
