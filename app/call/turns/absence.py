"""While the caller is elsewhere: nothing is said to nobody, and what would make the model speak waits."""

from app.call.actions import (
    Action,
    AnswerTool,
    Cancel,
    Clear,
    ForModel,
    Greet,
    Respond,
    Say,
    TellModel,
)
from app.call.turns.answers import Answers
from app.call.turns.voice import Voice

_MAKES_IT_SPEAK = (AnswerTool, Greet, Respond, Say, TellModel)


class Absence:
    """Sees the parts of one call's flow through the time between two streams.

    What was not heard when the stream ended was never heard, and the model is told so. A goodbye that is wanted
    stays wanted.
    """

    def __init__(self, *, answers: Answers, voice: Voice) -> None:
        self._answers = answers
        self._voice = voice
        self._held: list[ForModel] = []
        self.away = False
        """Whether the caller is away."""

    def begin(self, at_ms: float) -> list[Action]:
        """The caller is away from now on."""
        self.away = self._voice.nobody_listens = True
        cut = self._voice.interrupt(at_ms, self._answers.response_id)
        stop: list[Action] = [Cancel()] if self._answers.under_way else []
        return [action for action in cut if not isinstance(action, Clear)] + stop

    def end(self, at_ms: float) -> list[ForModel]:
        """The caller is back: what the model is to be asked for now."""
        self.away = self._voice.nobody_listens = False
        self._answers.on_sign_of_life(at_ms)
        held, self._held = self._held, []
        return held

    def holds(self, action: ForModel) -> bool:
        """Whether that waits until the caller is back."""
        if not self.away or not isinstance(action, _MAKES_IT_SPEAK):
            return False
        self._held.append(action)
        return True
