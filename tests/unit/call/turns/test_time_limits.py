"""What time alone brings about in a call."""

from typing import Any

from app.call.actions import Action, AnswerTool, End, Greet, Play, TellModel
from app.call.events import CallEvent, Kind
from app.call.status import EndReason
from app.call.turns.flow import CallFlow
from app.call.turns.time_limits import ARE_YOU_THERE, HERE_AFTER_ALL, SILENT_GOODBYE, TIME_IS_UP, TimeLimits
from app.conf.models import AgentConf
from app.realtime.events import (
    AudioDone,
    IdleTimeout,
    McpCallProgress,
    RealtimeInEvent,
    ResponseDone,
    ResponseStarted,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)
from app.twilio.media_protocol import Dtmf, MarkReached
from tests.unit.call.turns.test_flow import END_CALL, audio

SILENCE = {"reprompt_seconds": 5, "reprompts": 1}


class Call:
    """A flow and its time limits, looked at every quarter of a second as a call does."""

    def __init__(self, **agent: Any) -> None:
        conf = AgentConf(**{"silence": SILENCE} | agent)
        self.flow = CallFlow(speaks_first=conf.speaks_first, hang_up_tools={"end_call"}, goodbye_ms=10_000)
        self.limits = TimeLimits(conf, self.flow, goodbye_ms=10_000)
        self.at_ms = 0
        self.done: list[Action] = []
        self._answers = 0
        self.take(self.flow.sessions.begin(0))

    def take(self, actions: list[Action]) -> None:
        for action in actions:
            self.done.append(action)
            if isinstance(action, CallEvent):
                self.limits.on_event(action)

    def let_pass(self, ms: int) -> None:
        for _ in range(ms // 250):
            self.at_ms += 250
            self.take(self.limits.on_time(self.at_ms, ready=True))
            self.take(self.flow.on_time(self.at_ms))

    def tell(self, *events: RealtimeInEvent) -> None:
        for event in events:
            self.take(self.flow.on_agent(event, self.at_ms))

    def answer(self) -> None:
        """The agent says something, and it is heard."""
        self._answers += 1
        name = str(self._answers)
        self.tell(ResponseStarted(f"r{name}"), audio(f"item_{name}", 400), AudioDone(f"item_{name}", f"r{name}"))
        self.tell(ResponseDone(f"r{name}"))
        self.hear_out()

    def hear_out(self) -> None:
        """The caller has heard everything."""
        last = [action.mark for action in self.done if isinstance(action, Play)][-1]
        self.take(self.flow.on_caller(MarkReached(last), self.at_ms))

    def speak(self) -> None:
        """The caller says something, and the agent answers."""
        self.tell(SpeechStarted(item_id="u1"))
        self.let_pass(500)
        self.tell(SpeechStopped(item_id="u1"))
        self.answer()

    @property
    def asked(self) -> list[str]:
        return [action.text for action in self.done if isinstance(action, TellModel)]

    @property
    def ended(self) -> list[End]:
        return [action for action in self.done if isinstance(action, End)]

    def noted(self, kind: Kind) -> list[dict[str, Any]]:
        return [action.data for action in self.done if isinstance(action, CallEvent) and action.kind is kind]


def test_a_silent_caller_is_asked_and_the_call_ends_when_the_goodbye_was_heard():
    call = Call()
    assert call.done == [Greet()]
    call.answer()
    call.let_pass(5250)
    assert call.asked == [ARE_YOU_THERE]
    call.answer()
    call.let_pass(5250)
    assert call.asked == [ARE_YOU_THERE, SILENT_GOODBYE]
    assert call.ended == []
    call.answer()
    assert call.ended == [End(EndReason.SILENCE)]
    assert call.noted(Kind.CALLER_SILENT) == [{"reprompt": 1}]
    assert call.noted(Kind.LIMIT_REACHED) == [{"limit": "silence"}]


def test_a_caller_who_says_nothing_to_an_agent_that_waits_is_asked_as_well():
    call = Call(speaks_first=False)
    call.let_pass(5250)
    assert call.asked == [ARE_YOU_THERE]


def test_a_caller_who_speaks_during_the_goodbye_stays_and_the_model_learns_it():
    call = Call(silence={"reprompt_seconds": 5, "reprompts": 0})
    call.answer()
    call.let_pass(5250)
    assert call.asked == [SILENT_GOODBYE]
    call.speak()
    call.let_pass(250)
    assert call.asked == [SILENT_GOODBYE, HERE_AFTER_ALL]
    call.let_pass(4500)
    assert call.ended == []


def test_a_key_pressed_during_the_goodbye_keeps_the_call_too():
    call = Call(silence={"reprompt_seconds": 5, "reprompts": 0})
    call.answer()
    call.let_pass(5250)
    call.take(call.flow.on_caller(Dtmf("5"), call.at_ms))
    call.let_pass(3000)
    call.answer()
    assert call.ended == []


def test_nobody_is_asked_while_a_tool_runs_an_answer_is_due_or_the_agent_is_still_heard():
    call = Call()
    call.answer()
    call.tell(ToolCall("c1", "find", "{}"))
    call.let_pass(30_000)
    call.flow.on_tool_done("c1", call.at_ms)
    call.let_pass(7000)
    call.tell(ResponseStarted("long"), audio("long", 400), AudioDone("long", "long"), ResponseDone("long"))
    call.let_pass(7000)  # its mark does not come back
    assert call.asked == []


def test_nobody_is_asked_while_a_server_of_the_providers_runs_a_tool():
    call = Call()
    call.answer()
    call.tell(McpCallProgress("mcp_1", "in_progress"))
    call.let_pass(7000)
    assert call.asked == []
    call.tell(McpCallProgress("mcp_1", "completed"))
    call.let_pass(5250)
    assert call.asked == [ARE_YOU_THERE]


def test_where_nobody_listens_for_turns_or_the_operator_wants_none_there_is_no_silence():
    for agent in ({"turn_detection": {"type": "none"}}, {"silence": None}):
        call = Call(**agent)
        call.answer()
        call.let_pass(60_000)
        assert call.asked == []


def test_the_providers_own_question_counts_and_is_not_doubled():
    call = Call(turn_detection={"type": "server_vad", "idle_timeout_ms": 6000})
    call.answer()
    call.let_pass(6000)
    call.tell(IdleTimeout(item_id="u1"))
    call.answer()
    assert call.asked == []
    call.let_pass(5250)
    assert call.asked == [SILENT_GOODBYE]


def test_the_time_that_a_caller_spent_elsewhere_is_no_silence():
    call = Call()
    call.answer()
    call.let_pass(3000)
    call.at_ms += 30_000
    call.take([CallEvent(Kind.STREAM_RETURNED, call.at_ms)])
    call.let_pass(4500)
    assert call.asked == []
    call.let_pass(1000)
    assert call.asked == [ARE_YOU_THERE]


def test_a_call_that_lasts_too_long_is_wound_up_said_goodbye_and_ended():
    call = Call(max_call_seconds=40, silence=None)
    call.answer()
    call.let_pass(30_000)
    [notice] = call.asked
    assert "about 10 seconds" in notice
    call.let_pass(10_000)
    assert call.asked == [notice, TIME_IS_UP]
    call.speak()  # it does not help
    assert call.ended == [End(EndReason.MAX_DURATION)]
    assert call.noted(Kind.LIMIT_REACHED) == [{"limit": "max_call_seconds"}]


def test_with_a_model_that_is_mute_the_call_still_ends():
    call = Call(max_call_seconds=20, silence=None)
    call.let_pass(30_000)
    assert call.ended[0] == End(EndReason.MAX_DURATION)


def test_an_agent_that_is_hanging_up_is_not_told_to_say_goodbye():
    call = Call(max_call_seconds=20, silence=None)
    call.let_pass(15_000)
    call.tell(ResponseStarted("r9"), END_CALL, audio("bye", 400))
    call.let_pass(5500)
    assert TIME_IS_UP not in call.asked
    call.tell(AudioDone("bye", "r9"), ResponseDone("r9"))
    call.hear_out()
    assert call.ended == [End(EndReason.AGENT_HANGUP)]
    assert not [action for action in call.done if isinstance(action, AnswerTool)]


def test_before_there_is_an_agent_the_time_ends_the_call_without_words():
    limits = TimeLimits(AgentConf(max_call_seconds=10), CallFlow(), goodbye_ms=10_000)
    assert limits.on_time(8000, ready=False) == []
    assert limits.on_time(10_000, ready=False)[-1] == End(EndReason.MAX_DURATION)
