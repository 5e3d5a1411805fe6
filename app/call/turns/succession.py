"""From one session to the next: what ends with a session, what goes on, and what the next one is asked for."""

from app.call.actions import Action, Greet
from app.call.tools.open_tools import OpenTools
from app.call.turns.answers import Answers
from app.call.turns.caller_turn import CallerTurn
from app.call.turns.goodbye import Goodbye
from app.call.turns.manner import Manner
from app.call.turns.resuming import Resuming
from app.call.turns.voice import Voice


class Succession:
    """Sees the parts of one call's flow through the change of their session."""

    def __init__(
        self,
        *,
        answers: Answers,
        caller: CallerTurn,
        goodbye: Goodbye,
        resuming: Resuming,
        tools: OpenTools,
        voice: Voice,
        speaks_first: bool,
    ) -> None:
        self._answers = answers
        self._caller = caller
        self._goodbye = goodbye
        self._resuming = resuming
        self._tools = tools
        self._voice = voice
        self._speaks_first = speaks_first

    def begin(self, at_ms: float) -> list[Action]:
        """There is a session, the call's first or one that goes on: what it is asked for."""
        self._answers.on_sign_of_life(at_ms)
        if asked := self._asked():
            self._answers.on_asked(at_ms)
            return asked
        return self._resuming.on_session(at_ms)

    def _asked(self) -> list[Action]:
        if self._goodbye.wanted:
            return self._goodbye.on_session()
        if self._speaks_first and not self._answers.has_spoken:
            return [Greet()]
        return [self._resuming.ask()] if self._answers.owed and not self._tools.ours else []

    def lose(self, at_ms: float) -> list[Action]:
        """The session is gone, and another will go on. What it said so far is heard to the end."""
        if self._answers.under_way and self._answers.spoke and not self._voice.midway:
            self._goodbye.on_response_done(spoke=True, heard_by_ms=max(at_ms, self._voice.plays_until_ms))
        actions = self._voice.leave(at_ms)
        if self._answers.under_way and self._answers.spoke:
            self._resuming.words = self._voice.last_words
        self._resuming.midway = self._caller.speaking and not self._answers.on_hold
        self._tools.on_session_lost()
        self._answers.on_session_lost()
        return actions + self._caller.leave(at_ms)

    def replace(self, at_ms: float) -> list[Action]:
        """Another session goes on from here, at a moment that suited us."""
        self._answers.on_sign_of_life(at_ms)
        return self._voice.leave(at_ms)

    def hand_over(self, to: Manner, at_ms: float) -> list[Action]:
        """Another agent goes on from here, in a session of its own."""
        self._tools.on_session_lost()
        self._tools.use(to.tools)
        self._caller.use(to.barge_in, own_gating=to.own_gating, shielded=to.greeting_shielded)
        self._answers.by_itself = to.answers_by_itself
        self._answers.owed = False  # what the caller waited for is the other agent's to say, once it is asked
        return self.replace(at_ms)

    @property
    def may_hand_over(self) -> bool:
        """Whether nothing is said or heard, or done by the provider, and the call is not about to end."""
        heard = not (self._voice.unheard or self._voice.midway)
        busy = self._answers.under_way or self._caller.speaking or self._tools.providers
        return heard and not busy and not self._goodbye.wanted

    @property
    def has_gap(self) -> bool:
        """Whether nothing is under way that a session must end itself."""
        return self.may_speak and not self._tools.ours

    @property
    def may_speak(self) -> bool:
        """Whether words would come between nothing: nobody speaks, and no answer is on its way."""
        waiting = self._answers.owed or self._goodbye.wanted
        return not waiting and not self._answers.under_way and not self._caller.speaking

    @property
    def is_silent(self) -> bool:
        """The same, and nobody is heard."""
        return self.has_gap and not self._voice.unheard
