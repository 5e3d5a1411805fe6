"""Who speaks when."""

from hypothesis import given
from hypothesis import strategies as st

from app.audio import from_base64, silence, to_base64
from app.call.actions import AnswerTool, Clear, End, Play, Reconnect, Respond, RunTool, Say, TellModel, Truncate
from app.call.events import CallEvent, Kind
from app.call.status import EndReason
from app.call.turns.flow import APOLOGY, CallFlow
from app.call.turns.goodbye import ALREADY, INTERRUPTED, WANTED
from app.realtime.events import (
    AgentTranscript,
    AudioDelta,
    AudioDone,
    CallerTranscript,
    ResponseDone,
    ResponseStarted,
    SessionProblem,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    Unknown,
)
from app.twilio.media_protocol import Dtmf, Ignored, MarkReached, Stopped

END_CALL = ToolCall("call_1", "end_call", "{}", "resp_1")


def audio(item: str, ms: int, response: str = "resp_1") -> AudioDelta:
    return AudioDelta(to_base64(silence(ms)), item, response)


def deeds(actions: list) -> list:
    return [action for action in actions if not isinstance(action, CallEvent)]


def kinds(actions: list) -> list:
    return [action.kind for action in actions if isinstance(action, CallEvent)]


def play(flow: CallFlow, delta: AudioDelta, at_ms: float = 0) -> Play:
    [played] = deeds(flow.on_agent(delta, at_ms))
    assert isinstance(played, Play)
    return played


def test_barge_in_clears_and_truncates_the_reply_where_the_caller_stopped_hearing_it():
    flow = CallFlow()
    first = play(flow, audio("item_1", 400))
    play(flow, audio("item_1", 400), at_ms=5)
    flow.on_caller(MarkReached(first.mark), at_ms=400)

    actions = flow.on_agent(SpeechStarted(), at_ms=550)

    assert deeds(actions) == [Clear(), Truncate("item_1", heard_ms=550)]


def test_barge_in_works_long_after_the_answer_was_generated():
    flow = CallFlow()
    flow.on_agent(ResponseStarted("resp_1"), 0)
    play(flow, audio("item_1", 5000))
    flow.on_agent(AudioDone("item_1"), 1)
    flow.on_agent(ResponseDone("resp_1"), 2)

    assert deeds(flow.on_agent(SpeechStarted(), 3000)) == [Clear(), Truncate("item_1", 3000)]


def test_with_nothing_unheard_nothing_is_sent():
    flow = CallFlow()
    played = play(flow, audio("item_1", 400))
    flow.on_agent(AudioDone("item_1"), 1)
    flow.on_caller(MarkReached(played.mark), 410)

    assert deeds(flow.on_agent(SpeechStarted(), 500)) == []
    assert deeds(CallFlow().on_agent(SpeechStarted(), 0)) == []


def test_late_audio_of_a_cut_item_is_dropped():
    flow = CallFlow()
    play(flow, audio("item_1", 400))
    flow.on_agent(SpeechStarted(), 100)

    assert flow.on_agent(audio("item_1", 400), 110) == []
    assert flow.on_agent(AudioDone("item_1"), 111) == []


def test_a_later_item_of_a_cut_answer_is_dropped_and_cut_once_at_nothing():
    flow = CallFlow()
    flow.on_agent(ResponseStarted("resp_1"), 0)
    play(flow, audio("item_1", 400))
    flow.on_agent(SpeechStarted(), 100)

    assert flow.on_agent(audio("item_2", 400), 110) == [Truncate("item_2", 0)]
    assert flow.on_agent(audio("item_2", 400), 120) == []


def test_an_item_heard_so_far_but_still_coming_is_truncated_when_its_late_audio_comes():
    flow = CallFlow()
    flow.on_agent(ResponseStarted("resp_1"), 0)
    played = play(flow, audio("item_1", 400))
    flow.on_caller(MarkReached(played.mark), 400)

    assert deeds(flow.on_agent(SpeechStarted(), 600)) == []
    assert flow.on_agent(audio("item_1", 200), 610) == [Truncate("item_1", 400)]


def test_the_next_answer_plays_after_a_barge_in():
    flow = CallFlow()
    flow.on_agent(ResponseStarted("resp_1"), 0)
    play(flow, audio("item_1", 400))
    flow.on_agent(SpeechStarted(), 100)
    flow.on_agent(ResponseDone("resp_1", "cancelled"), 120)
    flow.on_agent(ResponseStarted("resp_2"), 900)

    answer = flow.on_agent(audio("item_2", 400, "resp_2"), 1000)
    assert [type(action) for action in deeds(answer)] == [Play]
    assert [action.at_ms for action in answer if isinstance(action, CallEvent)] == [1000]


def test_where_the_caller_may_not_interrupt_the_agent_goes_on():
    flow = CallFlow(barge_in=False)
    play(flow, audio("item_1", 400))

    assert deeds(flow.on_agent(SpeechStarted(), 100)) == []
    assert play(flow, audio("item_1", 400), 110)


def test_audio_without_item_ids_is_cleared_but_never_truncated():
    flow = CallFlow()
    play(flow, AudioDelta(to_base64(silence(400))))

    assert deeds(flow.on_agent(SpeechStarted(), 100)) == [Clear()]


def test_the_tail_of_an_item_is_sent_when_it_ends():
    flow = CallFlow()
    assert deeds(flow.on_agent(AudioDelta(to_base64(b"\x01" * 100), "item_1"), 0)) == []
    [tail] = deeds(flow.on_agent(AudioDone("item_1"), 1))

    assert from_base64(tail.audio) == b"\x01" * 100 + b"\xff" * 60
    assert deeds(flow.on_agent(SpeechStarted(), 0)) == [Clear(), Truncate("item_1", 0)]


def test_broken_audio_is_noted_and_the_call_goes_on():
    flow = CallFlow()
    [problem] = flow.on_agent(AudioDelta("not base64", "item_1"), 0)
    assert problem.kind is Kind.SESSION_ERROR
    assert play(flow, audio("item_1", 20))


def test_the_agents_speech_begins_and_ends_once_by_what_is_heard():
    flow = CallFlow()
    heard = [
        *flow.on_agent(audio("item_1", 400), 0),
        *flow.on_agent(audio("item_1", 400), 5),
        *flow.on_agent(AudioDone("item_1"), 6),
        *flow.on_agent(ResponseDone("resp_1"), 7),
        *flow.on_caller(MarkReached("m1"), 400),
    ]
    assert kinds(heard) == [Kind.AGENT_SPEECH_STARTED, Kind.RESPONSE_DONE]
    assert kinds(flow.on_caller(MarkReached("m2"), 800)) == [Kind.AGENT_SPEECH_ENDED]


def test_an_interruption_tells_what_was_said_and_what_was_heard():
    flow = CallFlow()
    play(flow, audio("item_1", 1000))
    flow.on_agent(AgentTranscript("one two ", "item_1"), 1)
    flow.on_agent(AgentTranscript("three four", "item_1"), 2)

    [cut] = [action for action in flow.on_agent(SpeechStarted(), 500) if getattr(action, "kind", "").endswith("ted")][
        :1
    ]

    assert cut.kind is Kind.AGENT_INTERRUPTED
    assert cut.data == {
        "item_id": "item_1", "heard_ms": 500, "sent_ms": 1000, "said": "one two three four", "heard": "one two",
    }  # fmt: skip


def test_pieces_of_what_is_said_are_told_but_not_kept():
    flow = CallFlow()
    [piece] = flow.on_agent(AgentTranscript("Hel", "item_1"), 0)
    [whole] = flow.on_agent(AgentTranscript("Hello", "item_1", final=True), 1)
    [hint] = flow.on_agent(CallerTranscript("Hi", "item_2"), 2)
    assert [event.fleeting for event in (piece, whole, hint)] == [True, False, True]


def test_tools_are_run_and_digits_told():
    flow = CallFlow()
    lookup = ToolCall("call_9", "lookup_table", "{}")

    assert deeds(flow.on_agent(lookup, 0)) == [RunTool(lookup)]
    assert deeds(flow.on_caller(Dtmf("#"), 0)) == [TellModel("The caller typed # on the phone.")]


def test_what_has_no_meaning_for_the_call_changes_nothing():
    flow = CallFlow()
    assert flow.on_agent(Unknown("rate_limits.updated"), 0) == []
    assert flow.on_caller(Ignored("connected"), 0) == []


def test_transcripts_and_speech_are_noted():
    flow = CallFlow()
    noted = [
        *flow.on_agent(SpeechStarted(item_id="item_u"), 0),
        *flow.on_agent(SpeechStopped(item_id="item_u"), 900),
        *flow.on_agent(CallerTranscript("Hello?", "item_u", final=True), 950),
        *flow.on_agent(AgentTranscript("Hi!", "item_a", final=True), 999),
    ]
    assert kinds(noted) == [
        Kind.CALLER_SPEECH_STARTED, Kind.CALLER_SPEECH_ENDED, Kind.CALLER_TRANSCRIPT, Kind.AGENT_TRANSCRIPT,
    ]  # fmt: skip


def test_only_a_fatal_problem_ends_the_call():
    flow = CallFlow()
    assert deeds(flow.on_agent(SessionProblem("race", "response_cancel_not_active", "harmless"), 0)) == []
    assert deeds(flow.on_agent(SessionProblem("old", "session_expired", "over"), 0)) == [Reconnect("session_expired")]
    assert deeds(flow.on_agent(SessionProblem("no", "invalid_api_key", "fatal"), 0)) == [End(EndReason.MODEL_LOST)]


def test_a_hang_up_of_the_caller_ends_the_call():
    assert CallFlow().on_caller(Stopped(), 0) == [End(EndReason.CALLER_HANGUP)]


class TestGoodbye:
    def flow(self) -> CallFlow:
        flow = CallFlow(hang_up_tools={"end_call"}, goodbye_ms=10_000)
        flow.on_agent(ResponseStarted("resp_1"), 0)
        return flow

    def test_the_line_closes_when_the_goodbyes_mark_has_come_back(self):
        flow = self.flow()
        played = play(flow, audio("item_1", 2000))
        flow.on_agent(AudioDone("item_1"), 1)
        flow.on_agent(END_CALL, 2)

        assert deeds(flow.on_agent(ResponseDone("resp_1"), 3)) == []
        assert deeds(flow.on_caller(MarkReached(played.mark), 2000)) == [End(EndReason.AGENT_HANGUP)]

    def test_a_goodbye_that_was_heard_before_its_answer_is_done_ends_the_call_then(self):
        flow = self.flow()
        played = play(flow, audio("item_1", 20))
        flow.on_agent(AudioDone("item_1"), 1)
        flow.on_agent(END_CALL, 2)
        assert deeds(flow.on_caller(MarkReached(played.mark), 20)) == []

        assert deeds(flow.on_agent(ResponseDone("resp_1"), 30)) == [End(EndReason.AGENT_HANGUP)]

    def test_an_agent_that_said_nothing_is_asked_for_a_goodbye_first(self):
        flow = self.flow()
        flow.on_agent(END_CALL, 2)
        assert deeds(flow.on_agent(ResponseDone("resp_1"), 3)) == [AnswerTool(END_CALL, WANTED)]

        flow.on_agent(ResponseStarted("resp_2"), 10)
        played = play(flow, audio("item_2", 800, "resp_2"), 20)
        flow.on_agent(AudioDone("item_2"), 21)
        assert deeds(flow.on_agent(ResponseDone("resp_2"), 22)) == []
        assert deeds(flow.on_caller(MarkReached(played.mark), 830)) == [End(EndReason.AGENT_HANGUP)]

    def test_a_caller_who_speaks_into_the_goodbye_keeps_the_line(self):
        flow = self.flow()
        play(flow, audio("item_1", 2000))
        flow.on_agent(END_CALL, 2)
        flow.on_agent(ResponseDone("resp_1"), 3)

        assert AnswerTool(END_CALL, INTERRUPTED) in flow.on_agent(SpeechStarted(), 500)
        assert flow.on_time(60_000) == []

    def test_a_caller_who_speaks_before_the_goodbye_came_keeps_the_line(self):
        flow = self.flow()
        flow.on_agent(END_CALL, 2)
        flow.on_agent(ResponseDone("resp_1"), 3)
        flow.on_agent(ResponseStarted("resp_2"), 10)
        flow.on_agent(SpeechStarted(), 20)

        assert deeds(flow.on_agent(ResponseDone("resp_2", "cancelled"), 30)) == []
        assert flow.on_time(60_000) == []

    def test_a_mark_that_never_comes_back_holds_the_line_two_seconds_longer(self):
        flow = self.flow()
        play(flow, audio("item_1", 3000))
        flow.on_agent(END_CALL, 2)
        flow.on_agent(ResponseDone("resp_1"), 3)

        assert flow.on_time(4900) == []
        assert flow.on_time(5000) == [End(EndReason.AGENT_HANGUP)]

    def test_a_model_that_never_says_goodbye_is_hung_up_on(self):
        flow = self.flow()
        flow.on_agent(END_CALL, 2)

        assert flow.on_time(10_002) == [End(EndReason.AGENT_HANGUP)]

    def test_a_second_wish_to_hang_up_is_answered_and_changes_nothing(self):
        flow = self.flow()
        again = ToolCall("call_2", "end_call", "{}", "resp_1")
        flow.on_agent(END_CALL, 2)

        assert deeds(flow.on_agent(again, 3)) == [AnswerTool(again, ALREADY)]
        assert flow.on_time(10_002) == [End(EndReason.AGENT_HANGUP)]


class TestFailedAnswers:
    def fail(self, flow: CallFlow, response: str, **how) -> list:
        flow.on_agent(ResponseStarted(response), 0)
        return deeds(flow.on_agent(ResponseDone(response, **{"status": "failed", **how}), 1))

    def test_one_is_tried_again_the_next_apologised_for_and_a_session_that_only_fails_is_replaced_once(self):
        flow = CallFlow()
        assert self.fail(flow, "resp_1") == [Respond()]
        assert self.fail(flow, "resp_2", status="incomplete") == [Say(APOLOGY)]
        assert self.fail(flow, "resp_3") == [Reconnect("failing")]
        flow.on_session_lost(10)
        assert deeds(flow.sessions.begin(20)) == [Respond()]
        assert self.fail(flow, "resp_4") == [End(EndReason.MODEL_LOST)]

    def test_an_answer_that_was_heard_starts_the_count_anew(self):
        flow = CallFlow()
        self.fail(flow, "resp_1")
        play(flow, audio("item_2", 400, "resp_2"))
        flow.on_agent(SpeechStarted(), 100)
        assert self.fail(flow, "resp_3") == [Respond()]

    def test_what_no_try_can_mend_ends_the_call_at_once(self):
        assert self.fail(CallFlow(), "resp_1", retryable=False) == [End(EndReason.MODEL_LOST)]

    def test_one_that_spoke_before_it_broke_off_is_left_alone(self):
        flow = CallFlow()
        flow.on_agent(ResponseStarted("resp_1"), 0)
        play(flow, audio("item_1", 400))
        assert deeds(flow.on_agent(ResponseDone("resp_1", "incomplete", "max_output_tokens"), 9)) == []

    def test_an_answer_the_caller_cut_is_no_failure(self):
        assert self.fail(CallFlow(), "resp_1", status="cancelled", reason="turn_detected") == []


class TestWaiting:
    def late(self, flow: CallFlow) -> list:
        flow.on_agent(SpeechStopped(), 1000)
        assert flow.on_time(5999) == []
        return [event.data for event in flow.on_time(6000)]

    def test_a_late_answer_is_written_down_once_with_what_it_waits_for(self):
        flow = CallFlow()
        assert self.late(flow) == [{"waiting_for": "the model to answer"}]
        assert flow.on_time(8999) == []

    def test_a_response_that_brings_no_audio_is_named(self):
        flow = CallFlow()
        flow.on_agent(ResponseStarted("resp_1"), 900)
        assert self.late(flow) == [{"waiting_for": "the model's audio"}]

    def test_a_slow_tool_is_named_until_it_is_done(self):
        flow = CallFlow()
        flow.on_agent(ToolCall("call_1", "lookup_table", "{}"), 900)
        assert self.late(flow) == [{"waiting_for": "tool lookup_table"}]
        flow.on_tool_done("call_1", 950)
        assert self.late(flow) == [{"waiting_for": "the model to answer"}]

    def test_nobody_waits_who_is_answered_or_speaks_again(self):
        flow = CallFlow()
        flow.on_agent(SpeechStopped(), 0)
        play(flow, audio("item_1", 20), 100)
        assert flow.on_time(9000) == []
        flow.on_agent(SpeechStopped(), 9000)
        flow.on_agent(SpeechStarted(), 9500)
        assert flow.on_time(99_000) == []

    def test_an_answers_latency_is_told_once_when_its_first_mark_is_back(self):
        flow = CallFlow()
        flow.on_agent(SpeechStopped(), 1000)
        flow.on_agent(AudioDelta(to_base64(bytes(80)), "item_1"), 1300)
        first = play(flow, audio("item_1", 100), 1310)
        second = play(flow, audio("item_1", 100), 1320)

        [latency] = flow.on_caller(MarkReached(first.mark), 1450)
        figures = {"first_delta_ms": 300, "first_frame_ms": 310, "first_mark_ms": 450}
        assert latency == CallEvent(Kind.ANSWER_LATENCY, 1450, {"item_id": "item_1", "latency": figures})
        assert flow.on_caller(MarkReached(second.mark), 1550) == []


deltas = st.tuples(st.just("delta"), st.sampled_from(["a", "b", "c"]), st.integers(0, 3000))
speeches = st.tuples(st.just("speech"), st.none(), st.none())
marks = st.tuples(st.just("mark"), st.none(), st.integers(1, 40))
dones = st.tuples(st.just("done"), st.sampled_from(["a", "b", "c"]), st.none())


@given(st.lists(st.one_of(deltas, deltas, speeches, marks, dones), max_size=60), st.integers(0, 400))
def test_whatever_happens_the_model_is_never_told_more_than_was_received_and_an_item_is_cut_once(steps, pace_ms):
    flow, received, cut, now = CallFlow(), {}, {}, 0
    for step, item, value in steps:
        now += pace_ms
        match step:
            case "delta":
                received[item] = received.get(item, 0) + value
                actions = flow.on_agent(AudioDelta(to_base64(bytes(value)), item, f"resp_{item}"), now)
            case "done":
                actions = flow.on_agent(AudioDone(item, f"resp_{item}"), now)
            case "speech":
                actions = flow.on_agent(SpeechStarted(), now)
            case _:
                actions = flow.on_caller(MarkReached(f"m{value}"), now)
        for action in actions:
            match action:
                case Truncate(cut_item, heard_ms):
                    assert cut_item not in cut
                    cut[cut_item] = heard_ms
                    assert 0 <= heard_ms <= received[cut_item] / 8
                case Play(played):
                    assert len(from_base64(played)) % 160 == 0
                    assert item not in cut
