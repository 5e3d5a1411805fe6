"""Who speaks when: events of both legs in, actions out. Barge-in, the goodbye and the change of sessions meet here."""

from collections.abc import Collection
from typing import Any

from app.call.actions import (
    Action,
    Cancel,
    End,
    Play,
    Reconnect,
    Respond,
    RunTool,
    Say,
    TellModel,
)
from app.call.events import CallEvent, Kind
from app.call.money.spending import Spending
from app.call.notes import note, problem
from app.call.status import EndReason
from app.call.tools.open_tools import OpenTools
from app.call.turns.absence import Absence
from app.call.turns.answers import Answers
from app.call.turns.barge_in import BargeIn
from app.call.turns.caller_turn import CallerTurn
from app.call.turns.goodbye import ELSEWHERE, Goodbye
from app.call.turns.hush import Hush
from app.call.turns.keypad import Keypad, KeyWorks
from app.call.turns.latency import Latency
from app.call.turns.manner import Manner
from app.call.turns.quiet import Quiet
from app.call.turns.resuming import Resuming
from app.call.turns.succession import Succession
from app.call.turns.voice import Voice
from app.call.turns.waiting import Waiting
from app.conf.models import KeypadConf
from app.realtime.events import (
    AgentTranscript,
    ApprovalRequested,
    AudioDelta,
    AudioDone,
    CallerTranscript,
    McpCallProgress,
    McpListProgress,
    RealtimeInEvent,
    ResponseDone,
    ResponseStarted,
    SessionProblem,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)
from app.twilio.media_protocol import Dtmf, MarkReached, MediaEvent, Stopped

PAUSE_MS = 1500
"""So long nothing is heard after an answer of a provider that does not tell when its answers end."""
APOLOGY = "Sorry, something went wrong on my side. Could you say that again, please?"


class CallFlow:
    """Decides what a call does next. Told the time in milliseconds since the stream's start; never asks a clock."""

    def __init__(
        self,
        *,
        barge_in: bool = True,
        least_barge_in_ms: int = 0,
        own_gating: bool = False,
        speaks_first: bool = False,
        greeting_shielded: bool = False,
        answers_by_itself: bool = True,
        half_duplex: bool = False,
        hang_up_tools: Collection[str] = (),
        tools: OpenTools | None = None,
        goodbye_ms: float = 10_000,
        apology: str = APOLOGY,
        spending: Spending | None = None,
        keypad: KeypadConf | None = None,
        key_works: KeyWorks = KeyWorks(),  # noqa: B008 (a frozen value)
    ) -> None:
        self._caller = CallerTurn(BargeIn(allowed=barge_in, least_ms=least_barge_in_ms), own_gating=own_gating)
        self._caller.shielded = greeting_shielded and speaks_first
        self._half_duplex = half_duplex
        self._hang_up_tools = frozenset(hang_up_tools)
        self._goodbye = Goodbye(within_ms=goodbye_ms)
        self._answers = Answers(apology=apology, by_itself=answers_by_itself)
        self._latency = Latency()
        self._voice = Voice()
        self._resuming = Resuming()
        self._tools = tools or OpenTools()
        self._heard_ms = 0.0  # when the caller had last heard everything
        self.sessions = Succession(
            answers=self._answers,
            caller=self._caller,
            goodbye=self._goodbye,
            resuming=self._resuming,
            tools=self._tools,
            voice=self._voice,
            speaks_first=speaks_first,
        )
        """What a change of the session leads to."""
        self.hush = Hush(answers=self._answers, tools=self._tools, voice=self._voice)
        """Who waits until the agent has been heard."""
        self.absence = Absence(answers=self._answers, voice=self._voice)
        """What a change of the stream leads to."""
        self.quiet = Quiet(self.sessions, answers=self._answers, goodbye=self._goodbye, tools=self._tools)
        self.waiting = Waiting(answers=self._answers, caller=self._caller)
        """What being put on hold leads to."""
        self.spending = spending or Spending()
        """What the call costs."""
        self.keypad = Keypad(
            keypad or KeypadConf(),
            answers=self._answers,
            goodbye=self._goodbye,
            hush=self.hush,
            voice=self._voice,
            say_last=self.say_last,
            works=key_works,
        )
        """What the caller's keys lead to."""

    @property
    def deaf(self) -> bool:
        """Whether the agent must not hear the caller now, as it would only hear itself."""
        return self._half_duplex and self._voice.unheard

    def on_session_lost(self, at_ms: float) -> list[Action]:
        """The session is gone, and another will go on."""
        return self.sessions.lose(at_ms) + self._when_all_heard(at_ms)

    def hand_over(self, to: Manner, at_ms: float) -> list[Action]:
        """Another agent goes on from here, in a session of its own."""
        self._half_duplex = to.half_duplex
        self._hang_up_tools = to.hang_up_tools
        self.keypad.use(to.keypad)
        return self.sessions.hand_over(to, at_ms)

    def say_last(self, words: str | TellModel, then: Action, at_ms: float, *, firm: bool = True) -> list[Action]:
        """Let the agent say these words next; `then` follows when the caller has heard them, or they never came."""
        say = Say(words) if isinstance(words, str) else words
        self._goodbye.order(say, then, at_ms, behind_answer=self._answers.under_way, firm=firm)
        return self._asked(at_ms, say)

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
            case ApprovalRequested():
                return self._tools.on_approval(event, at_ms)
            case McpCallProgress() | McpListProgress():
                return [*note(event, at_ms), *self._tools.on_progress(event, at_ms)]
            case CallerTranscript(final=True):
                self._resuming.unread = False
        return [*note(event, at_ms), *self.spending.beside(event, at_ms)]

    def _on_problem(self, told: SessionProblem, at_ms: float) -> list[Action]:
        match told.severity:
            case "fatal":
                return [problem(told, at_ms), End(EndReason.MODEL_LOST)]
            case "over":
                return [problem(told, at_ms), Reconnect(told.code or "over")]
            case _:
                return [problem(told, at_ms)]

    def _on_audio(self, delta: AudioDelta, at_ms: float) -> list[Action]:
        if self._voice.is_cut(delta):
            return self._voice.on_late_audio(delta.item_id)
        self._latency.on_delta(at_ms)
        actions = self._voice.on_audio(delta, at_ms)
        if any(isinstance(action, Play) for action in actions):
            self._answers.on_spoken()
            self._resuming.on_spoken()
            self._latency.on_frame(delta.item_id, at_ms)
        return actions

    def _on_speech_started(self, item_id: str, at_ms: float) -> list[Action]:
        self._answers.on_caller_started()
        self._resuming.on_caller_started()
        self._tools.on_caller_turn()
        interrupts, started = self._caller.start(item_id, at_ms)
        return self._interrupt(at_ms) + started if interrupts else started

    def _on_speech_stopped(self, item_id: str, at_ms: float) -> list[Action]:
        stopped = self._caller.stop(item_id, at_ms, into_answer=self._answers.under_way and not self._answers.on_hold)
        if not self._answers.under_way or not self._caller.own_gating:
            self._answers.on_caller_stopped(at_ms)
        self._latency.on_caller_stopped(at_ms)
        self._resuming.unread = True
        return stopped

    def _interrupt(self, at_ms: float) -> list[Action]:
        actions = self._voice.interrupt(at_ms, self._answers.response_id)
        self.hush.cut()
        if self._caller.own_gating and self._answers.under_way:
            actions.append(Cancel())
        return actions + self._goodbye.revoke()

    def _on_response_started(self, response_id: str) -> None:
        self._caller.unanswered = False
        self._tools.on_response_started()
        self._voice.on_response(response_id)
        self._answers.on_response_started(response_id)

    def _on_response_done(self, done: ResponseDone, at_ms: float) -> list[Action]:
        ends_it = done.response_id == self._answers.response_id
        actions = self._voice.end_item(at_ms) if ends_it else []
        actions += self.spending.answer(done, at_ms)
        actions += self._answers.on_response_done(done, at_ms)
        if self._caller.unanswered and not self._answers.under_way:
            self._caller.unanswered = False
            actions += self._asked(at_ms, Respond())
        return actions + self._end_answer(at_ms) + self._when_all_heard(at_ms)

    def _asked(self, at_ms: float, *actions: Action) -> list[Action]:
        """The model is asked to speak."""
        self._answers.on_asked(at_ms)
        return [*actions]

    def _end_answer(self, at_ms: float) -> list[Action]:
        """An answer is complete: perhaps it was the goodbye, or that must still be asked for."""
        heard_by_ms = max(at_ms, self._voice.plays_until_ms)
        leaving = self._goodbye.on_response_done(spoke=self._answers.spoke, heard_by_ms=heard_by_ms)
        return leaving + self._tools.on_answer_end(at_ms, spoke=self._answers.spoke)

    def _guess_answer_end(self, at_ms: float) -> list[Action]:
        """Where the provider does not tell of it, words that a pause follows are an answer."""
        if self._voice.unheard or at_ms < self._heard_ms + PAUSE_MS or not self._answers.may_have_ended:
            return []
        actions = self._end_answer(at_ms) + self._goodbye.on_all_heard()
        self._answers.on_guessed_end()
        return actions

    def _on_tool_call(self, call: ToolCall, at_ms: float) -> list[Action]:
        if not self._tools.is_new(call):
            return []
        called = _event(Kind.TOOL_CALLED, at_ms, call_id=call.call_id, name=call.name, arguments=call.arguments)
        if call.name in self._hang_up_tools:
            wanted = self._goodbye.want(call, at_ms)
            if not self._answers.ends_told:
                self._answers.on_guessed_end()
                wanted += self._end_answer(at_ms)
            return [called, *wanted]
        self._tools.begin(call)
        ended = [] if self._answers.ends_told else self._tools.on_answer_end(at_ms, spoke=self._answers.spoke)
        return [called, RunTool(call), *ended]

    def on_tool_done(self, call_id: str, at_ms: float) -> None:
        """A tool that was to be run has its output."""
        self._tools.done(call_id)
        if not self._tools.ours:
            self._answers.on_asked(at_ms)

    def _when_all_heard(self, at_ms: float) -> list[Action]:
        """The agent has been heard to the end of what it said: its stretch is over, perhaps the call as well."""
        if self._voice.unheard:
            return []
        self._heard_ms = at_ms
        stays = self._goodbye.revoke(ELSEWHERE) if self.hush.on_all_heard() else []  # who waited takes the call on
        if not self._answers.under_way and self._answers.has_spoken:
            self._caller.shielded = False
        return self._voice.stop_if_heard(at_ms) + stays + self._goodbye.on_all_heard()

    # -- the caller leg and the clock

    def on_caller(self, event: MediaEvent, at_ms: float) -> list[Action]:
        """What a message of the stream leads to; caller audio does not come this way."""
        match event:
            case MarkReached(name):
                return self._on_mark(name, at_ms)
            case Dtmf(digit):
                self._tools.on_caller_turn()
                return self.keypad.on_key(digit, at_ms)
            case Stopped():
                return [*self.keypad.leave(), End(EndReason.CALLER_HANGUP)]
            case _:
                return []

    def _on_mark(self, name: str, at_ms: float) -> list[Action]:
        if not self._voice.reached(name, at_ms):
            return []
        return [*self._latency.on_mark(at_ms), *self._when_all_heard(at_ms)]

    def on_time(self, at_ms: float) -> list[Action]:
        """What the passing of time alone leads to."""
        if self.absence.away:
            return []
        if leaving := self._goodbye.on_time(at_ms):
            return leaving
        interrupted = self._interrupt(at_ms) if self._caller.on_time(at_ms) else []
        asked = self._resuming.on_time(at_ms)
        if asked:
            self._answers.on_asked(at_ms)
        asked += self._tools.on_time(at_ms, silent=self.sessions.may_speak)
        late = self._answers.on_time(at_ms, self._tools)
        return interrupted + asked + self._guess_answer_end(at_ms) + late + self.keypad.on_time(at_ms)


def _event(kind: Kind, at_ms: float, **data: Any) -> CallEvent:
    return CallEvent(kind, int(at_ms), data)
