"""Who speaks when: events of both legs in, actions out. Barge-in and the goodbye live here."""

from collections.abc import Collection
from typing import Any

from app.audio import base64_size, ms_of
from app.call.actions import Action, Clear, DenyApproval, End, Play, RunTool, Say, TellModel, Truncate
from app.call.answers import Answers
from app.call.events import CallEvent, Kind
from app.call.framing import Framer
from app.call.goodbye import Goodbye
from app.call.latency import Latency
from app.call.notes import note, words
from app.call.playback import Cut, Playback
from app.call.status import EndReason
from app.call.transcript import heard_words
from app.realtime.events import (
    AgentTranscript,
    ApprovalRequested,
    AudioDelta,
    AudioDone,
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
    """Decides what a call does next. Told the time in milliseconds since the stream's start; never asks a clock."""

    def __init__(
        self,
        *,
        barge_in: bool = True,
        hang_up_tools: Collection[str] = (),
        goodbye_ms: float = 10_000,
        apology: str = APOLOGY,
    ) -> None:
        self._barge_in = barge_in
        self._hang_up_tools = frozenset(hang_up_tools)
        self._goodbye = Goodbye(within_ms=goodbye_ms)
        self._answers = Answers(apology=apology)
        self._latency = Latency()
        self._open_tools: dict[str, str] = {}
        self._playback = Playback()
        self._framer = Framer()
        self._item_id: str | None = None  # the item whose audio is coming in
        self._response_id: str | None = None  # the response under way
        self._response_spoke = False
        self._cut_items: dict[str, bool] = {}  # muted item: whether the model knows where it was cut
        self._cut_responses: set[str] = set()
        self._said: dict[str, str] = {}
        self._agent_speaking = False

    # -- the agent leg

    def on_agent(self, event: RealtimeInEvent, at_ms: float) -> list[Action]:
        """What an event of the session leads to."""
        match event:
            case AudioDelta():
                return self._on_audio(event, at_ms)
            case AudioDone(item_id):
                return self._on_audio_done(item_id, at_ms)
            case SpeechStarted(item_id=item_id):
                return self._on_speech_started(item_id, at_ms)
            case SpeechStopped(item_id=item_id):
                return self._on_speech_stopped(item_id, at_ms)
            case ResponseStarted(response_id):
                self._response_id, self._response_spoke = response_id, False
                return []
            case ResponseDone():
                return self._on_response_done(event, at_ms)
            case ToolCall():
                return self._on_tool_call(event, at_ms)
            case AgentTranscript():
                return self._on_agent_transcript(event, at_ms)
            case SessionProblem():
                return self._on_problem(event, at_ms)
            case ApprovalRequested(request_id):
                return [DenyApproval(request_id), *note(event, at_ms)]
            case _:
                return [*note(event, at_ms)]

    def _on_audio(self, delta: AudioDelta, at_ms: float) -> list[Action]:
        item_id = delta.item_id
        if item_id in self._cut_items or delta.response_id in self._cut_responses:
            return self._on_late_audio(item_id)
        self._latency.on_delta(at_ms)
        actions = self._flush(at_ms) if item_id != self._item_id else []
        self._item_id = item_id
        try:
            audio = self._framer.push(delta.audio)
        except ValueError:
            return [*actions, _event(Kind.SESSION_ERROR, at_ms, code="broken_audio", message="a delta is not base64")]
        if audio:
            actions += self._play(item_id, audio, ms_of(base64_size(audio)), at_ms)
        return actions

    def _on_late_audio(self, item_id: str) -> list[Action]:
        """Audio of an answer that was cut is dropped; the model learns once that it was never heard."""
        if self._cut_items.get(item_id):
            return []
        self._cut_items[item_id] = True
        return [Truncate(item_id, self._playback.sent_ms(item_id))] if item_id else []

    def _on_audio_done(self, item_id: str, at_ms: float) -> list[Action]:
        if item_id in self._cut_items:
            return []
        actions: list[Action] = []
        if item_id == self._item_id:
            actions = self._flush(at_ms)
            self._item_id = None
        self._playback.finish(item_id)
        return actions + self._when_all_heard(at_ms)

    def _on_agent_transcript(self, said: AgentTranscript, at_ms: float) -> list[Action]:
        before = "" if said.final else self._said.get(said.item_id, "")
        self._said[said.item_id] = before + said.text
        return [words(Kind.AGENT_TRANSCRIPT, at_ms, said.item_id, said.text, final=said.final)]

    def _flush(self, at_ms: float) -> list[Action]:
        """Send what is left of the current item, filled up to a whole frame."""
        audio, real_bytes = self._framer.flush()
        if not audio or self._item_id is None:
            return []
        real_ms = ms_of(real_bytes)
        return self._play(self._item_id, audio, real_ms, at_ms, padding_ms=ms_of(base64_size(audio)) - real_ms)

    def _play(self, item_id: str, audio: str, ms: int, at_ms: float, padding_ms: int = 0) -> list[Action]:
        queued = self._playback.queue(item_id, ms, at_ms, padding_ms=padding_ms)
        play = Play(audio, queued.mark)
        self._response_spoke = True
        self._answers.on_spoken()
        self._latency.on_frame(item_id, at_ms)
        if self._agent_speaking:
            return [play]
        self._agent_speaking = True
        return [play, _event(Kind.AGENT_SPEECH_STARTED, queued.plays_from_ms, item_id=item_id)]

    def _on_speech_started(self, item_id: str, at_ms: float) -> list[Action]:
        self._answers.on_caller_started()
        actions: list[Action] = [_event(Kind.CALLER_SPEECH_STARTED, at_ms, item_id=item_id)]
        return self._interrupt(at_ms) + actions if self._barge_in else actions

    def _on_speech_stopped(self, item_id: str, at_ms: float) -> list[Action]:
        self._answers.on_caller_stopped(at_ms)
        self._latency.on_caller_stopped(at_ms)
        return [_event(Kind.CALLER_SPEECH_ENDED, at_ms, item_id=item_id)]

    def _interrupt(self, at_ms: float) -> list[Action]:
        """The caller speaks over the agent: silence at once, and the model learns what was heard."""
        unheard = self._playback.unheard
        cuts = self._playback.interrupt(at_ms)
        self._mute()
        actions: list[Action] = [Clear()] if unheard else []
        for cut in cuts:
            self._cut_items[cut.item_id] = True
            if cut.item_id:
                actions.append(Truncate(cut.item_id, cut.heard_ms))
        actions += [self._interrupted(cut, at_ms) for cut in cuts]
        return actions + self._stop_speaking(at_ms) + self._goodbye.revoke()

    def _interrupted(self, cut: Cut, at_ms: float) -> CallEvent:
        said, sent_ms = self._said.get(cut.item_id, ""), self._playback.sent_ms(cut.item_id)
        return _event(
            Kind.AGENT_INTERRUPTED,
            at_ms,
            item_id=cut.item_id,
            heard_ms=cut.heard_ms,
            sent_ms=sent_ms,
            said=said,
            heard=heard_words(said, cut.heard_ms, sent_ms),
        )

    def _mute(self) -> None:
        """Whatever still comes of the answer under way is late: the provider ends it by itself."""
        if self._response_id is not None:
            self._cut_responses.add(self._response_id)
        self._framer.drop()
        self._item_id = None

    def _on_response_done(self, done: ResponseDone, at_ms: float) -> list[Action]:
        actions: list[Action] = []
        if done.response_id == self._response_id:
            self._response_id = None
            actions = self._flush(at_ms)
            self._item_id = None
        actions.append(_event(Kind.RESPONSE_DONE, at_ms, status=done.status, reason=done.reason, usage=done.usage))
        actions += self._answers.on_response_done(done, spoke=self._response_spoke)
        heard_by_ms = max(at_ms, self._playback.plays_until_ms)
        actions += self._goodbye.on_response_done(spoke=self._response_spoke, heard_by_ms=heard_by_ms)
        return actions + self._when_all_heard(at_ms)

    def _on_problem(self, problem: SessionProblem, at_ms: float) -> list[Action]:
        told = {"code": problem.code, "message": problem.message, "severity": problem.severity}
        noted = _event(Kind.SESSION_ERROR, at_ms, **told, item_id=problem.item_id)
        return [noted, End(EndReason.MODEL_LOST)] if problem.severity == "fatal" else [noted]

    def _on_tool_call(self, call: ToolCall, at_ms: float) -> list[Action]:
        called = _event(Kind.TOOL_CALLED, at_ms, call_id=call.call_id, name=call.name, arguments=call.arguments)
        if call.name in self._hang_up_tools:
            return [called, *self._goodbye.want(call, at_ms)]
        self._open_tools[call.call_id] = call.name
        return [called, RunTool(call)]

    def on_tool_done(self, call_id: str) -> None:
        """A tool that was to be run has its output."""
        self._open_tools.pop(call_id, None)

    def _when_all_heard(self, at_ms: float) -> list[Action]:
        """The agent has been heard to the end of what it said: its stretch is over, perhaps the call as well."""
        if self._playback.unheard:
            return []
        actions = [] if self._item_id else self._stop_speaking(at_ms)
        return actions + self._goodbye.on_all_heard()

    def _stop_speaking(self, at_ms: float) -> list[Action]:
        was_speaking, self._agent_speaking = self._agent_speaking, False
        return [_event(Kind.AGENT_SPEECH_ENDED, at_ms)] if was_speaking else []

    # -- the caller leg and the clock

    def on_caller(self, event: MediaEvent, at_ms: float) -> list[Action]:
        """What a message of the stream leads to; caller audio does not come this way."""
        match event:
            case MarkReached(name):
                return self._on_mark(name, at_ms)
            case Dtmf(digit):
                return [
                    _event(Kind.CALLER_DTMF, at_ms, digit=digit),
                    TellModel(f"The caller pressed the key {digit} on the phone."),
                ]
            case Stopped():
                return [End(EndReason.CALLER_HANGUP)]
            case _:
                return []

    def _on_mark(self, name: str, at_ms: float) -> list[Action]:
        if not self._playback.reached(name, at_ms):
            return []
        return [*self._latency.on_mark(at_ms), *self._when_all_heard(at_ms)]

    def say_last(self, words: str, then: Action, at_ms: float) -> list[Action]:
        """What an operator's last words lead to: the agent says them, and `then` follows once they have been heard."""
        self._goodbye.order(then, at_ms, behind_answer=self._response_id is not None)
        return [Say(words)]

    def on_time(self, at_ms: float) -> list[Action]:
        """What the passing of time alone leads to."""
        return self._goodbye.on_time(at_ms) + self._answers.on_time(at_ms, self._waiting_for())

    def _waiting_for(self) -> str:
        if self._open_tools:
            return f"tool {', '.join(self._open_tools.values())}"
        return "the model's audio" if self._response_id is not None else "the model to answer"


def _event(kind: Kind, at_ms: float, **data: Any) -> CallEvent:
    return CallEvent(kind, int(at_ms), data)
