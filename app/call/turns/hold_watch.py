"""Being put on hold, and taken back: seen by what is in a call's journal, acted upon at the next look at the time."""

from app.call.actions import Action
from app.call.events import CallEvent, Kind
from app.call.turns.flow import CallFlow
from app.call.turns.hold import Hold
from app.conf.models import AgentConf

_OF_ANOTHER_SESSION = frozenset({Kind.MODEL_RECONNECTED, Kind.SESSION_ROLLED_OVER, Kind.AGENT_SWITCHED})


class HoldWatch:
    """One call's. Where nothing is written down, nobody can tell music from words."""

    def __init__(self, agent: AgentConf, flow: CallFlow) -> None:
        self._hold = _hold(agent)
        self._flow = flow
        self._another_session = False

    def use(self, agent: AgentConf) -> None:
        """Another agent goes on."""
        on_hold = self._hold is not None and self._hold.on
        self._hold = _hold(agent)
        if self._hold:
            self._hold.on = on_hold
        elif on_hold:
            self._flow.waiting.give_up()

    def on_event(self, event: CallEvent) -> None:
        """What happened in the call, as its journal is told."""
        if self._hold is None or event.fleeting:
            return
        item_id = event.data.get("item_id", "")
        match event.kind:
            case Kind.CALLER_SPEECH_STARTED:
                self._hold.on_started(event.at_ms)
            case Kind.CALLER_SPEECH_ENDED:
                self._hold.on_stopped(item_id, event.at_ms)
            case Kind.CALLER_TRANSCRIPT:
                self._hold.on_read(item_id, event.data["text"])
            case Kind.SESSION_ERROR if item_id:
                self._hold.on_unreadable(item_id)
            case kind if kind in _OF_ANOTHER_SESSION:
                self._hold.forget()
                self._another_session = self._hold.on

    def on_time(self, at_ms: float, *, ready: bool) -> list[Action]:
        """What is due at that moment; before the agent is `ready` nobody hears anything."""
        if self._hold is None or not ready:
            return []
        match self._hold.on_time(at_ms):
            case "hold":
                return [CallEvent(Kind.CALLER_ON_HOLD, int(at_ms)), *self._flow.waiting.begin()]
            case "back":
                return [CallEvent(Kind.CALLER_BACK, int(at_ms)), *self._flow.waiting.end(at_ms)]
        if self._another_session:
            self._another_session = False
            return self._flow.waiting.by_itself
        return []


def _hold(agent: AgentConf) -> Hold | None:
    told = agent.transcription and agent.turn_detection.create_response
    return Hold(agent.hold) if agent.hold and told else None
