"""The caller's time to speak: whether it interrupts the agent, and whether anybody will answer it."""

from app.call.actions import Action, Wake
from app.call.events import CallEvent, Kind
from app.call.turns.barge_in import BargeIn


class CallerTurn:
    """The turn that the caller is in, if any.

    With `own_gating` the provider interrupts nothing by itself. It may then leave a turn without an answer that the
    caller spoke into one which went on.
    """

    def __init__(self, barge_in: BargeIn, *, own_gating: bool) -> None:
        self.own_gating = own_gating
        self.shielded = False
        """Whether nothing interrupts the agent now."""
        self.unanswered = False
        self._barge_in = barge_in
        self._item_id: str | None = None

    def use(self, barge_in: BargeIn, *, own_gating: bool, shielded: bool) -> None:
        """Another agent listens, from between two turns on."""
        self._barge_in, self.own_gating, self.shielded = barge_in, own_gating, shielded
        self.unanswered = False

    @property
    def speaking(self) -> bool:
        """Whether the caller is speaking."""
        return self._item_id is not None

    def start(self, item_id: str, at_ms: float) -> tuple[bool, list[Action]]:
        """The caller starts to speak; whether that interrupts the agent at once."""
        self._item_id = item_id
        interrupts = self._barge_in.on_started(at_ms, shielded=self.shielded)
        actions: list[Action] = [_event(Kind.CALLER_SPEECH_STARTED, item_id, at_ms)]
        if (wake_ms := self._barge_in.wake_in_ms(at_ms)) is not None:
            actions.append(Wake(wake_ms))
        return interrupts, actions

    def stop(self, item_id: str, at_ms: float, *, into_answer: bool) -> list[Action]:
        """The caller stops, perhaps while an answer is under way."""
        too_short = self._barge_in.on_stopped(at_ms)
        self.unanswered = self.own_gating and into_answer and not too_short
        self._item_id = None
        return [_event(Kind.CALLER_SPEECH_ENDED, item_id, at_ms)]

    def leave(self, at_ms: float) -> list[Action]:
        """The session that heard it is gone."""
        item_id, self._item_id = self._item_id, None
        self.unanswered = False
        return [] if item_id is None else [_event(Kind.CALLER_SPEECH_ENDED, item_id, at_ms)]

    def on_time(self, at_ms: float) -> bool:
        """Whether speech that went on has become an interruption."""
        return self._barge_in.on_time(at_ms)


def _event(kind: Kind, item_id: str, at_ms: float) -> CallEvent:
    return CallEvent(kind, int(at_ms), {"item_id": item_id})
