"""What time alone brings about in a call: silences that are asked about, and its end when it has lasted long enough."""

from app.call.actions import Action, End, TellModel
from app.call.events import CallEvent, Kind
from app.call.status import EndReason
from app.call.turns.call_length import CallLength
from app.call.turns.flow import CallFlow
from app.call.turns.silence import Silence
from app.conf.models import AgentConf, NoTurnDetection, ServerVad

ARE_YOU_THERE = (
    "Nothing has been heard of the caller for a while. Ask in one short sentence, in the language of this "
    "conversation, whether they are still there."
)
SILENT_GOODBYE = (
    "The caller does not answer any more, and the call ends now. Say in one short, friendly sentence, in the language "
    "of this conversation, that you cannot hear them and that they are welcome to call again; then say goodbye. "
    "Ask nothing."
)
WRAP_UP = (
    "This call may last about {seconds} seconds more, then it ends. Do not mention this unless it matters. Start "
    "nothing new: finish what you are doing for the caller, and come to an end."
)
TIME_IS_UP = (
    "The time of this call is up, and it ends now. Say in one short, friendly sentence, in the language of this "
    "conversation, that you have to end the call here, and say goodbye. Ask nothing."
)
HERE_AFTER_ALL = "The caller is there after all: the call does not end. Go on with them."
_OF_THE_CALLER = frozenset({Kind.CALLER_SPEECH_STARTED, Kind.CALLER_TYPING})


class TimeLimits:
    """One call's. Where nobody listens for turns, nobody can tell a silence."""

    def __init__(self, agent: AgentConf, flow: CallFlow, *, goodbye_ms: float) -> None:
        self._flow = flow
        self._length = CallLength(most_ms=agent.max_call_seconds * 1000, goodbye_ms=goodbye_ms)
        self._silence = _silence(agent)
        self._stays = False

    def use(self, agent: AgentConf) -> None:
        """Another agent goes on: its silences count. How long the call may last was settled when it began."""
        self._silence = _silence(agent)
        self._stays = False

    def on_event(self, event: CallEvent) -> None:
        """What happened in the call, as its journal is told."""
        if self._silence is None:
            return
        if event.kind in _OF_THE_CALLER:
            self._silence.on_caller()
            self._stays = self._flow.quiet.stay() or self._stays
        elif event.kind is Kind.CALLER_IDLE:
            self._silence.on_provider_asks()
        elif event.kind is Kind.STREAM_RETURNED:
            self._silence.on_time(event.at_ms, quiet=False)  # while the caller was elsewhere, nobody looked

    def on_time(self, at_ms: float, *, ready: bool) -> list[Action]:
        """What is due at that moment; before the agent is `ready` there is nobody to say it."""
        return self._on_length(at_ms, ready=ready) or (self._on_silence(at_ms) if ready else [])

    def _on_length(self, at_ms: float, *, ready: bool) -> list[Action]:
        due = self._length.on_time(at_ms, leaving=self._flow.quiet.leaving)
        if due == "wrap_up" and ready:
            return [_told(WRAP_UP.format(seconds=round(self._length.notice_ms / 1000)))]
        if due == "leave":
            reached = _event(Kind.LIMIT_REACHED, at_ms, limit="max_call_seconds")
            end = End(EndReason.MAX_DURATION)
            return [reached, *(self._flow.say_last(_once(TIME_IS_UP), end, at_ms) if ready else [end])]
        return [End(EndReason.MAX_DURATION)] if due == "end" else []

    def _on_silence(self, at_ms: float) -> list[Action]:
        if self._silence is None:
            return []
        if self._stays:
            self._stays = False
            return [_told(HERE_AFTER_ALL)]
        match self._silence.on_time(at_ms, quiet=self._flow.quiet.now):
            case "ask":
                asked = _event(Kind.CALLER_SILENT, at_ms, reprompt=self._silence.asked)
                return [asked, *self._flow.quiet.ask(_once(ARE_YOU_THERE), at_ms)]
            case "leave":
                reached = _event(Kind.LIMIT_REACHED, at_ms, limit="silence")
                end = End(EndReason.SILENCE)
                return [reached, *self._flow.say_last(_once(SILENT_GOODBYE), end, at_ms, firm=False)]
            case _:
                return []


def _silence(agent: AgentConf) -> Silence | None:
    turns = agent.turn_detection
    if agent.silence is None or isinstance(turns, NoTurnDetection):
        return None
    return Silence(agent.silence, asks_after_ms=turns.idle_timeout_ms if isinstance(turns, ServerVad) else None)


def _once(text: str) -> TellModel:
    return TellModel(text, "system", lasting=False)


def _told(text: str) -> TellModel:
    return TellModel(text, "system", respond=False)


def _event(kind: Kind, at_ms: float, **data: object) -> CallEvent:
    return CallEvent(kind, int(at_ms), data)
