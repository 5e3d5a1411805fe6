"""Waiting until the caller has heard what the agent is saying."""

from collections.abc import Callable

from app.call.tools.open_tools import OpenTools
from app.call.turns.answers import Answers
from app.call.turns.voice import Voice


class Hush:
    """Tells whoever waits, once: True when all was heard, False when the caller cut in."""

    def __init__(self, *, answers: Answers, tools: OpenTools, voice: Voice) -> None:
        self._answers = answers
        self._tools = tools
        self._voice = voice
        self._waiting: list[Callable[[bool], None]] = []

    def wait(self, told: Callable[[bool], None]) -> None:
        """Tell that one; at once where nothing is being said."""
        self._waiting.append(told)
        self.on_all_heard()

    def on_all_heard(self) -> bool:
        """Everything that was sent has been heard, perhaps more is to come: whether anybody was told that all was."""
        heard = not (self._voice.unheard or self._voice.midway)
        if not heard or self._answers.under_way or self._answers.owed or self._tools.has_words:
            return False
        return self._tell(heard=True)

    def plays_ms(self, at_ms: float) -> float:
        """How much longer what was sent is being played, by our reckoning."""
        return max(self._voice.plays_until_ms - at_ms, 0.0) if self._voice.unheard else 0.0

    def cut(self) -> None:
        """The caller has interrupted."""
        self._tell(heard=False)

    def _tell(self, *, heard: bool) -> bool:
        waiting, self._waiting = self._waiting, []
        for told in waiting:
            told(heard)
        return bool(waiting)
