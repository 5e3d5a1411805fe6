"""The caller's keys: gathered into what was typed and told to the model, or doing at once what the key map says."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from app.call.actions import Action, Beside, Cancel, End, TellModel, Wake
from app.call.events import CallEvent, Kind
from app.call.status import EndReason
from app.call.turns.answers import Answers
from app.call.turns.goodbye import Goodbye
from app.call.turns.hush import Hush
from app.call.turns.voice import Voice
from app.conf.models import KeyEnds, KeypadConf, KeySwitches, KeyTells, KeyTransfers

TYPED = "The caller typed {keys} on the phone."
FINISH = "#"
_REMOVED = {"digit": "?"}
MOST_KEYS = 64
"""An input that gets so long is complete."""
PUT_THROUGH = "The caller pressed the key for {target}: put them through to {target} now, with your tool for that."
HAND_OVER = (
    "The caller pressed the key for {target}: hand the conversation over to {target} now, with your tool for that."
)

Work = Callable[[str], Coroutine[Any, Any, None]]
"""Does it to the call, given the target's name; whatever goes wrong is told to the caller and stays there."""


class SayLast(Protocol):
    """`CallFlow.say_last`."""

    def __call__(self, words: str, then: Action, at_ms: float) -> list[Action]: ...


@dataclass(frozen=True, slots=True)
class KeyWorks:
    """What keys do to the call itself; where there is nothing for it, the model is told to do it."""

    transfer: Work | None = None
    """To a destination of the agent's transfer tool."""
    switch_agent: Work | None = None
    kept: Callable[[str], str] = str
    """What may be written down of keys that belong together."""


class Keypad:
    """One call's keys, told in their order. Only the first key of an input may do something by itself.

    The journal gets keys when it is settled what they were: digits that turn out to be secret are never in it.
    """

    def __init__(
        self,
        conf: KeypadConf,
        *,
        answers: Answers,
        goodbye: Goodbye,
        hush: Hush,
        voice: Voice,
        say_last: SayLast,
        works: KeyWorks,
    ) -> None:
        self.works = works
        """Whoever changes the call itself puts it here."""
        self._conf = conf
        self._answers = answers
        self._goodbye = goodbye
        self._hush = hush
        self._voice = voice
        self._say_last = say_last
        self._typed: list[CallEvent] = []
        self._settled_ms = 0.0  # when the input is complete, unless another key comes
        self._diverted: Callable[[str], None] | None = None

    def use(self, conf: KeypadConf) -> None:
        """Another agent's key map holds from here on."""
        self._conf = conf

    def on_key(self, key: str, at_ms: float) -> list[Action]:
        """What the key leads to."""
        pressed = CallEvent(Kind.CALLER_TYPING, int(at_ms), fleeting=True)
        return [pressed, *self._on_key(key, at_ms)]

    def _on_key(self, key: str, at_ms: float) -> list[Action]:
        if self._diverted:
            self._diverted(key)
            return []
        self._typed.append(_event(Kind.CALLER_DTMF, at_ms, digit=key))
        if len(self._typed) == 1 and key in self._conf.keys:
            return [*self._settle(), *self._act(key, at_ms)]
        if key == FINISH or len(self._typed) == MOST_KEYS:
            return self._complete(at_ms)
        self._settled_ms = at_ms + self._conf.pause_ms
        return [Wake(self._conf.pause_ms)]

    def on_time(self, at_ms: float) -> list[Action]:
        """What a pause after the last key leads to."""
        return self._complete(at_ms) if self._typed and at_ms >= self._settled_ms else []

    def leave(self) -> Sequence[Action]:
        """The caller is gone: what is left was typed."""
        return self._settle()

    @property
    def prompting(self) -> bool:
        """Whether the caller still hears the agent, and may not know yet what to type."""
        return self._voice.unheard

    def divert(self, to: Callable[[str], None]) -> None:
        """Give the keys to somebody else, those first that nobody was told of yet, until `restore`."""
        self._diverted = to
        typed, self._typed = self._typed, []
        for event in typed:
            to(event.data["digit"])

    def restore(self) -> None:
        """They are ours again."""
        self._diverted = None

    # -- an input

    def _complete(self, at_ms: float) -> list[Action]:
        """Nothing more belongs to what was typed."""
        keys = "".join(event.data["digit"] for event in self._typed)
        settled = self._settle()
        if not self._conf.tell_model:
            return [*settled]
        self._answers.on_asked(at_ms)
        return [*settled, TellModel(TYPED.format(keys=keys.removesuffix(FINISH) or FINISH))]

    def _settle(self) -> list[CallEvent]:
        """What the journal gets of the input: all of its keys, or none where it has something to be removed."""
        typed, self._typed = self._typed, []
        keys = "".join(event.data["digit"] for event in typed)
        return typed if self.works.kept(keys) == keys else [replace(event, data=_REMOVED) for event in typed]

    # -- the key map

    def _act(self, key: str, at_ms: float) -> list[Action]:
        """Whatever is being said, the key comes first."""
        act = self._conf.keys[key]
        told = act.model_dump(include={"action", "destination", "agent"})
        return [_event(Kind.KEY_ACTION, at_ms, key=key, **told), *self._interrupt(at_ms), *self._do(act, at_ms)]

    def _do(self, act: KeyTransfers | KeySwitches | KeyEnds | KeyTells, at_ms: float) -> list[Action]:
        match act:
            case KeyTransfers(destination=target):
                return self._work(self.works.transfer, target, PUT_THROUGH, at_ms)
            case KeySwitches(agent=target):
                return self._work(self.works.switch_agent, target, HAND_OVER, at_ms)
            case KeyEnds(message=words):
                return self._say_last(words, End(EndReason.AGENT_HANGUP), at_ms)
            case KeyTells(text=text):
                self._answers.on_asked(at_ms)
                return [TellModel(text)]

    def _work(self, work: Work | None, target: str, otherwise: str, at_ms: float) -> list[Action]:
        if work:
            return [Beside(partial(work, target))]
        self._answers.on_asked(at_ms)
        return [TellModel(otherwise.format(target=target), "system")]

    def _interrupt(self, at_ms: float) -> list[Action]:
        """Silence at once. No speech tells the provider to stop, so we do."""
        cut = self._voice.interrupt(at_ms, self._answers.response_id)
        self._hush.cut()
        return cut + ([Cancel()] if self._answers.under_way else []) + self._goodbye.revoke()


def _event(kind: Kind, at_ms: float, **data: Any) -> CallEvent:
    return CallEvent(kind, int(at_ms), data)
