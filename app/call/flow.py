"""Who speaks when: events of both legs in, actions out. Barge-in, the goodbye and the change of sessions meet here."""

from collections.abc import Collection
from typing import Any

from app.call.actions import (
    Action,
    Cancel,
    DenyApproval,
    End,
    Greet,
    Play,
    Reconnect,
    Respond,
    RunTool,
    Say,
    TellModel,
    Wake,
)
from app.call.answers import Answers
from app.call.barge_in import BargeIn
from app.call.events import CallEvent, Kind
from app.call.goodbye import Goodbye
from app.call.latency import Latency
from app.call.notes import note
from app.call.resuming import Resuming
from app.call.status import EndReason
from app.call.voice import Voice
from app.realtime.events import (
    AgentTranscript,
    ApprovalRequested,
    AudioDelta,
    AudioDone,
    CallerTranscript,
    McpCallProgress,
    RealtimeInEvent,
    ResponseDone,
    ResponseStarted,
    SessionProblem,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)
from app.twilio.media_protocol import Dtmf, MarkReached, MediaEvent, Stopped

APOLOGY = "Sorry, something went wrong on my side. Could you say that again, please?"


class CallFlow:
    """Decides what a call does next. Told the time in milliseconds since the stream's start; never asks a clock.

    With `own_gating` the provider interrupts nothing by itself: we stop the answer under way.
    """

    def __init__(
        self,
        *,
        barge_in: bool = True,
        least_barge_in_ms: int = 0,
        own_gating: bool = False,
        speaks_first: bool = False,
        greeting_shielded: bool = False,
        answers_by_itself: bool = True,
        hang_up_tools: Collection[str] = (),
        goodbye_ms: float = 10_000,
        apology: str = APOLOGY,
    ) -> None:
        self._barge_in = BargeIn(allowed=barge_in, least_ms=least_barge_in_ms)
        self._own_gating = own_gating
        self._speaks_first = speaks_first
        self._shielded = greeting_shielded and speaks_first
        self._hang_up_tools = frozenset(hang_up_tools)
        self._goodbye = Goodbye(within_ms=goodbye_ms)
        self._answers = Answers(apology=apology, by_itself=answers_by_itself)
        self._latency = Latency()
        self._voice = Voice()
        self._resuming = Resuming()
        self._open_tools: dict[str, str] = {}
        self._provider_tools: set[str] = set()  # run by the provider, which says nothing meanwhile
        self._response_id: str | None = None  # the response under way
        self._response_spoke = False
        self._has_spoken = False
        self._caller_item_id: str | None = None  # of the turn the caller is speaking
        self._unanswered = False  # the caller spoke into an answer that went on: the provider may leave it at that

    # -- the session

    def on_session(self, at_ms: float) -> list[Action]:
        """There is a session, the call's first or one that goes on: what it is asked for."""
        self._answers.on_sign_of_life(at_ms)
        asked = self._ask_session(at_ms)
        if asked:
            self._answers.on_asked(at_ms)
            return asked
        return self._resuming.on_session(at_ms)

    def _ask_session(self, at_ms: float) -> list[Action]:
        if self._speaks_first and not self._has_spoken:
            return [Greet()]
        if goodbye := self._goodbye.on_session():
            return goodbye
        return [self._resuming.ask()] if self._answers.owed and not self._open_tools else []

    def on_session_lost(self, at_ms: float) -> list[Action]:
        """The session is gone, and another will go on. What it said so far is heard to the end."""
        actions = self._voice.leave(at_ms)
        if self._response_id is not None:
            self._answers.on_asked(at_ms)
            if self._response_spoke:
                self._resuming.words = self._voice.last_words
        self._response_id = None
        self._provider_tools.clear()
        if self._caller_item_id is not None:
            self._resuming.midway = True
            actions += self._end_caller_turn(self._caller_item_id, at_ms)
        self._answers.on_session_lost()
        return actions + self._when_all_heard(at_ms)

    def on_session_replaced(self, at_ms: float) -> list[Action]:
        """Another session goes on from here, at a moment that suited us."""
        self._answers.on_sign_of_life(at_ms)
        return self._voice.leave(at_ms)

    @property
    def has_gap(self) -> bool:
        """Whether nothing is under way that a session must end itself."""
        waiting = self._open_tools or self._answers.owed or self._goodbye.wanted
        return not waiting and self._response_id is None and self._caller_item_id is None

    @property
    def is_silent(self) -> bool:
        """The same, and nobody is heard."""
        return self.has_gap and not self._voice.unheard

    def say_last(self, words: str, then: Action, at_ms: float) -> list[Action]:
        """Let the agent say these words next; `then` follows when the caller has heard them, or they never came."""
        self._goodbye.order(then, at_ms, behind_answer=self._response_id is not None)
        self._answers.on_asked(at_ms)
        return [Say(words)]

    # -- the agent leg

    def on_agent(self, event: RealtimeInEvent, at_ms: float) -> list[Action]:
        """What an event of the session leads to."""
        self._answers.on_sign_of_life(at_ms)
        match event:
            case AudioDelta():
                return self._on_audio(event, at_ms)
            case AudioDone(item_id):
                return self._voice.on_audio_done(item_id, at_ms) + self._when_all_heard(at_ms)
            case SpeechStarted(item_id=item_id):
                return self._on_speech_started(item_id, at_ms)
            case SpeechStopped(item_id=item_id):
                return self._on_speech_stopped(item_id, at_ms)
            case ResponseStarted(response_id):
                self._on_response_started(response_id)
                return []
            case ResponseDone():
                return self._on_response_done(event, at_ms)
            case ToolCall():
                return self._on_tool_call(event, at_ms)
            case AgentTranscript():
                return self._voice.on_words(event, at_ms)
            case _:
                return self._on_other(event, at_ms)

    def _on_other(self, event: RealtimeInEvent, at_ms: float) -> list[Action]:
        """What is no speech."""
        match event:
            case SessionProblem():
                return self._on_problem(event, at_ms)
            case ApprovalRequested(request_id):
                return [DenyApproval(request_id), *note(event, at_ms)]
            case McpCallProgress(item_id, "in_progress"):
                self._provider_tools.add(item_id)
            case McpCallProgress(item_id):
                self._provider_tools.discard(item_id)
            case CallerTranscript(final=True):
                self._resuming.unread = False
        return [*note(event, at_ms)]

    def _on_audio(self, delta: AudioDelta, at_ms: float) -> list[Action]:
        if self._voice.is_cut(delta):
            return self._voice.on_late_audio(delta.item_id)
        self._latency.on_delta(at_ms)
        actions = self._voice.on_audio(delta, at_ms)
        if any(isinstance(action, Play) for action in actions):
            self._response_spoke = self._has_spoken = True
            self._answers.on_spoken()
            self._resuming.on_spoken()
            self._latency.on_frame(delta.item_id, at_ms)
        return actions

    def _on_speech_started(self, item_id: str, at_ms: float) -> list[Action]:
        self._caller_item_id = item_id
        self._answers.on_caller_started()
        self._resuming.on_caller_started()
        started: list[Action] = [_event(Kind.CALLER_SPEECH_STARTED, at_ms, item_id=item_id)]
        if self._barge_in.on_started(at_ms, shielded=self._shielded):
            return self._interrupt(at_ms) + started
        wake_ms = self._barge_in.wake_in_ms(at_ms)
        return started if wake_ms is None else [*started, Wake(wake_ms)]

    def _on_speech_stopped(self, item_id: str, at_ms: float) -> list[Action]:
        too_short = self._barge_in.on_stopped(at_ms)
        self._unanswered = self._own_gating and self._response_id is not None and not too_short
        if self._response_id is None or not self._own_gating:
            self._answers.on_caller_stopped(at_ms)
        self._latency.on_caller_stopped(at_ms)
        self._resuming.unread = True
        return self._end_caller_turn(item_id, at_ms)

    def _end_caller_turn(self, item_id: str, at_ms: float) -> list[Action]:
        self._caller_item_id = None
        return [_event(Kind.CALLER_SPEECH_ENDED, at_ms, item_id=item_id)]

    def _interrupt(self, at_ms: float) -> list[Action]:
        actions = self._voice.interrupt(at_ms, self._response_id)
        if self._own_gating and self._response_id is not None:
            actions.append(Cancel())
        return actions + self._goodbye.revoke()

    def _on_response_started(self, response_id: str) -> None:
        self._response_id, self._response_spoke = response_id, False
        self._unanswered = False
        self._voice.on_response(response_id)
        self._answers.on_begun()

    def _on_response_done(self, done: ResponseDone, at_ms: float) -> list[Action]:
        actions: list[Action] = []
        if done.response_id == self._response_id:
            self._response_id = None
            actions = self._voice.end_item(at_ms)
        actions.append(_event(Kind.RESPONSE_DONE, at_ms, status=done.status, reason=done.reason, usage=done.usage))
        actions += self._answers.on_response_done(done, spoke=self._response_spoke, at_ms=at_ms)
        if self._unanswered and self._response_id is None:
            self._unanswered = False
            self._answers.on_asked(at_ms)
            actions.append(Respond())
        heard_by_ms = max(at_ms, self._voice.plays_until_ms)
        actions += self._goodbye.on_response_done(spoke=self._response_spoke, heard_by_ms=heard_by_ms)
        return actions + self._when_all_heard(at_ms)

    def _on_problem(self, problem: SessionProblem, at_ms: float) -> list[Action]:
        told = {"code": problem.code, "message": problem.message, "severity": problem.severity}
        noted = _event(Kind.SESSION_ERROR, at_ms, **told, item_id=problem.item_id)
        match problem.severity:
            case "fatal":
                return [noted, End(EndReason.MODEL_LOST)]
            case "over":
                return [noted, Reconnect(problem.code or "over")]
            case _:
                return [noted]

    def _on_tool_call(self, call: ToolCall, at_ms: float) -> list[Action]:
        called = _event(Kind.TOOL_CALLED, at_ms, call_id=call.call_id, name=call.name, arguments=call.arguments)
        if call.name in self._hang_up_tools:
            return [called, *self._goodbye.want(call, at_ms)]
        self._open_tools[call.call_id] = call.name
        return [called, RunTool(call)]

    def on_tool_done(self, call_id: str, at_ms: float) -> None:
        """A tool that was to be run has its output."""
        self._open_tools.pop(call_id, None)
        if not self._open_tools:
            self._answers.on_asked(at_ms)

    def _when_all_heard(self, at_ms: float) -> list[Action]:
        """The agent has been heard to the end of what it said: its stretch is over, perhaps the call as well."""
        if self._voice.unheard:
            return []
        if self._response_id is None and self._has_spoken:
            self._shielded = False
        return self._voice.stop_if_heard(at_ms) + self._goodbye.on_all_heard()

    # -- the caller leg and the clock

    def on_caller(self, event: MediaEvent, at_ms: float) -> list[Action]:
        """What a message of the stream leads to; caller audio does not come this way."""
        match event:
            case MarkReached(name):
                return self._on_mark(name, at_ms)
            case Dtmf(digit):
                self._answers.on_asked(at_ms)
                return [
                    _event(Kind.CALLER_DTMF, at_ms, digit=digit),
                    TellModel(f"The caller pressed the key {digit} on the phone."),
                ]
            case Stopped():
                return [End(EndReason.CALLER_HANGUP)]
            case _:
                return []

    def _on_mark(self, name: str, at_ms: float) -> list[Action]:
        if not self._voice.reached(name, at_ms):
            return []
        return [*self._latency.on_mark(at_ms), *self._when_all_heard(at_ms)]

    def on_time(self, at_ms: float) -> list[Action]:
        """What the passing of time alone leads to."""
        if leaving := self._goodbye.on_time(at_ms):
            return leaving
        interrupted = self._interrupt(at_ms) if self._barge_in.on_time(at_ms) else []
        asked = self._resuming.on_time(at_ms)
        if asked:
            self._answers.on_asked(at_ms)
        due = self._response_id is not None or (self._answers.owed and not self._open_tools)
        late = self._answers.on_time(at_ms, self._waiting_for(), due=due and not self._provider_tools)
        return interrupted + asked + late

    def _waiting_for(self) -> str:
        if self._open_tools:
            return f"tool {', '.join(self._open_tools.values())}"
        return "the model's audio" if self._response_id is not None else "the model to answer"


def _event(kind: Kind, at_ms: float, **data: Any) -> CallEvent:
    return CallEvent(kind, int(at_ms), data)
