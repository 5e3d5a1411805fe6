"""The moments in a call when nothing goes on, and what may be done with them."""

from app.call.actions import Action
from app.call.tools.open_tools import OpenTools
from app.call.turns.answers import Answers
from app.call.turns.goodbye import Goodbye
from app.call.turns.succession import Succession


class Quiet:
    """What those who watch the time need to know of one call's flow, and how they speak up in it."""

    def __init__(self, sessions: Succession, *, answers: Answers, goodbye: Goodbye, tools: OpenTools) -> None:
        self._sessions = sessions
        self._answers = answers
        self._goodbye = goodbye
        self._tools = tools

    @property
    def now(self) -> bool:
        """Whether nobody speaks or is heard, no answer is due or under way, and no tool runs."""
        return self._sessions.is_silent and not self._tools.providers

    @property
    def leaving(self) -> bool:
        """Whether the call is about to end or to go elsewhere."""
        return self._goodbye.wanted

    def ask(self, action: Action, at_ms: float) -> list[Action]:
        """Have the model asked for words that nobody waits for."""
        self._answers.on_asked(at_ms)
        return [action]

    def stay(self) -> bool:
        """The caller is there after all; whether that keeps the call from ending."""
        return self._goodbye.take_back()
