"""What the model is told when a call goes on in another session."""

from dataclasses import dataclass

from app.call.actions import Action, Respond, TellModel

GO_ON = (
    "Your line to the caller broke for a moment while you were speaking. The caller has heard you say: {heard!r}\n"
    "Go on from exactly there without repeating any of it and without mentioning the break."
)
ASK_AGAIN = (
    "Your line to the caller broke for a moment, and what they said last did not reach you. "
    "Ask them in one short sentence to say it again."
)
BEGINNING_LOST = "Your line to the caller broke for a moment. The beginning of what they say next may be missing."
STILL_SPEAKING_MS = 2500
"""A caller who was cut off in mid-sentence is heard again within this, or had finished."""


@dataclass(slots=True)
class Resuming:
    """What was going on when a session was lost, until another one has taken it up."""

    words: str = ""
    """What the agent was saying, as far as it was sent."""
    unread: bool = False
    """Whether the caller said something whose words we do not know."""
    midway: bool = False
    """Whether the caller was speaking."""
    _ask_at_ms: float | None = None

    def on_session(self, at_ms: float) -> list[Action]:
        """There is a new session, and nobody owes anything."""
        if not self.midway:
            return []
        self.midway, self._ask_at_ms = False, at_ms + STILL_SPEAKING_MS
        return [TellModel(BEGINNING_LOST, "system", respond=False, lasting=False)]

    def ask(self) -> Action:
        """What the model is asked for where an answer is owed."""
        if self.words:
            return TellModel(GO_ON.format(heard=self.words), "system", lasting=False)
        return TellModel(ASK_AGAIN, "system", lasting=False) if self.unread else Respond()

    def on_spoken(self) -> None:
        """The agent is being heard again."""
        self.words, self.unread = "", False
        self._ask_at_ms = None

    def on_caller_started(self) -> None:
        """The caller is being heard."""
        self.words = ""
        self._ask_at_ms = None

    def on_time(self, at_ms: float) -> list[Action]:
        """The caller had finished after all, and waits."""
        if self._ask_at_ms is None or at_ms < self._ask_at_ms:
            return []
        self._ask_at_ms = None
        return [TellModel(ASK_AGAIN, "system", lasting=False)]
