"""Waiting for a caller who has put us on hold."""

from app.call.actions import Action, Listen, Respond
from app.call.turns.answers import Answers
from app.call.turns.caller_turn import CallerTurn


class Waiting:
    """Nobody is answered meanwhile but those who are asked for by us: questions into a silence, an operator's words."""

    def __init__(self, *, answers: Answers, caller: CallerTurn) -> None:
        self._answers = answers
        self._caller = caller

    @property
    def by_itself(self) -> list[Action]:
        """What the session is told about answering, as things are."""
        return [Listen(answers=not self._answers.on_hold)]

    def begin(self) -> list[Action]:
        """We are on hold from now on."""
        self._answers.on_hold = True
        return self.by_itself

    def give_up(self) -> None:
        """Nobody looks any more whether the caller is back."""
        self._answers.on_hold = False

    def end(self, at_ms: float) -> list[Action]:
        """The caller is back and has said something: they are answered, unless they are still speaking."""
        self._answers.on_hold = False
        if self._caller.speaking or self._answers.under_way:
            return self.by_itself
        self._answers.on_asked(at_ms)
        return [*self.by_itself, Respond()]
