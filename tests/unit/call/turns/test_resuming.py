"""How a call goes on in another session."""

from app.call.actions import AnswerTool, Clear, Greet, Reconnect, Respond, RunTool, Say, TellModel, Truncate
from app.call.events import Kind
from app.call.turns.answers import STALLED_MS
from app.call.turns.flow import CallFlow
from app.call.turns.goodbye import WANTED
from app.call.turns.resuming import ASK_AGAIN, BEGINNING_LOST, GO_ON, STILL_SPEAKING_MS
from app.realtime.events import (
    AgentTranscript,
    AudioDone,
    CallerTranscript,
    McpCallProgress,
    ResponseDone,
    ResponseStarted,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)
from app.twilio.media_protocol import MarkReached
from tests.unit.call.turns.test_flow import audio, deeds, kinds, play

END_CALL = ToolCall("call_1", "end_call", "{}", "resp_1")
LOOKUP = ToolCall("call_2", "lookup", "{}", "resp_1")


def again(flow: CallFlow, at_ms: float = 1000) -> list:
    """Lose the session, and say what the next one is asked for."""
    flow.on_session_lost(at_ms)
    return deeds(flow.sessions.begin(at_ms + 300))


def answering(**options) -> CallFlow:
    flow = CallFlow(**options)
    flow.sessions.begin(0)
    flow.on_agent(ResponseStarted("resp_1"), 0)
    return flow


def test_only_a_greeting_that_nobody_heard_is_asked_for_again():
    flow = CallFlow(speaks_first=True)
    assert flow.sessions.begin(0) == [Greet()]
    assert again(flow) == [Greet()]
    flow.on_agent(ResponseStarted("resp_1"), 1400)
    play(flow, audio("item_1", 400), 1500)
    assert not any(isinstance(action, Greet) for action in again(flow, 2000))


def test_nobody_is_asked_for_anything_where_nothing_was_due():
    flow = answering()
    play(flow, audio("item_1", 400))
    flow.on_agent(AudioDone("item_1"), 1)
    flow.on_agent(ResponseDone("resp_1"), 2)
    assert again(flow) == []


def test_words_that_broke_off_are_cut_to_what_was_sent_and_gone_on_with():
    flow = answering()
    play(flow, audio("item_1", 1300))
    flow.on_agent(AgentTranscript("One two three four five six seven", "item_1"), 1)

    actions = flow.on_session_lost(10)
    [words] = [action for action in actions if action not in deeds(actions)]
    assert (words.kind, words.data["text"], words.data["final"]) == (Kind.AGENT_TRANSCRIPT, "One two three four", True)
    [asked] = deeds(flow.sessions.begin(300))
    assert asked == TellModel(GO_ON.format(heard="One two three four"), "system", lasting=False)


def test_the_pace_is_learned_from_what_was_said_whole():
    flow = answering()
    play(flow, audio("item_1", 1000))
    flow.on_agent(AgentTranscript("0123456789", "item_1", final=True), 1)
    flow.on_agent(AudioDone("item_1"), 2)
    play(flow, audio("item_2", 500), 3)
    flow.on_agent(AgentTranscript("aaaa bbbb", "item_2"), 4)

    actions = flow.on_session_lost(10)
    assert [action.data["text"] for action in actions if action not in deeds(actions)] == ["aaaa"]


def test_what_was_cut_of_an_earlier_sessions_words_is_said_in_words():
    flow = answering()
    play(flow, audio("item_1", 4000))
    flow.on_agent(AgentTranscript("one two three four", "item_1", final=True), 1)
    flow.on_agent(AudioDone("item_1"), 1)
    flow.on_agent(ResponseDone("resp_1"), 2)
    again(flow, 100)

    clear, told = deeds(flow.on_agent(SpeechStarted(item_id="u1"), 2000))
    assert clear == Clear()
    assert not isinstance(told, Truncate)
    assert (told.role, told.respond, "'one two'" in told.text) == ("system", False, True)


def test_a_question_is_answered_if_its_words_are_known_and_asked_for_again_if_not():
    flow = CallFlow()
    flow.sessions.begin(0)
    flow.on_agent(SpeechStarted(item_id="u1"), 10)
    flow.on_agent(SpeechStopped(item_id="u1"), 900)
    assert again(flow) == [TellModel(ASK_AGAIN, "system", lasting=False)]
    flow.on_agent(CallerTranscript("When?", "u1", final=True), 1400)
    assert again(flow, 1500) == [Respond()]


def test_who_was_speaking_is_listened_to_and_asked_again_only_if_nothing_comes():
    flow = CallFlow()
    flow.sessions.begin(0)
    flow.on_agent(SpeechStarted(item_id="u1"), 10)
    assert again(flow, 500) == [TellModel(BEGINNING_LOST, "system", respond=False, lasting=False)]
    assert flow.on_time(800 + STILL_SPEAKING_MS - 1) == []
    assert flow.on_time(800 + STILL_SPEAKING_MS) == [TellModel(ASK_AGAIN, "system", lasting=False)]


def test_who_goes_on_speaking_is_not_asked():
    flow = CallFlow()
    flow.sessions.begin(0)
    flow.on_agent(SpeechStarted(item_id="u1"), 10)
    again(flow, 500)
    flow.on_agent(SpeechStarted(item_id="u2"), 1000)
    assert flow.on_time(60_000) == []


def test_while_a_tool_runs_nobody_is_asked_and_it_does_not_run_again():
    flow = answering()
    assert deeds(flow.on_agent(LOOKUP, 1)) == [RunTool(LOOKUP)]
    flow.on_agent(ResponseDone("resp_1"), 2)
    assert again(flow) == []
    flow.on_tool_done("call_2", 1400)
    assert again(flow, 1500) == [Respond()]


def test_a_goodbye_that_was_said_ends_the_call_without_another():
    flow = answering(hang_up_tools={"end_call"})
    played = play(flow, audio("item_1", 400))
    flow.on_agent(AudioDone("item_1"), 1)
    flow.on_agent(END_CALL, 2)
    assert again(flow, 100) == []
    assert len(deeds(flow.on_caller(MarkReached(played.mark), 500))) == 1


def test_a_goodbye_that_is_still_to_come_is_asked_for():
    flow = answering(hang_up_tools={"end_call"})
    flow.on_agent(END_CALL, 2)
    assert again(flow) == [AnswerTool(END_CALL, WANTED)]
    assert again(flow, 2000) == [Respond()]


def test_an_operators_last_words_are_said_by_the_next_session():
    flow = CallFlow()
    flow.sessions.begin(0)
    flow.say_last("Good night.", Respond(), 1)
    assert again(flow) == [Say("Good night.")]


def test_f9_silence_while_an_answer_is_due_is_a_loss_and_elsewhere_it_is_not():
    flow = answering()
    assert kinds(flow.on_time(7999)) == []
    assert flow.on_time(8000) == [Reconnect("stalled")]
    assert flow.on_time(16_000) == []

    done = answering()
    done.on_agent(ResponseDone("resp_1"), 1)
    assert done.on_time(99_000) == []


def test_a_tool_that_the_provider_runs_may_take_its_time():
    flow = answering()
    flow.on_agent(McpCallProgress("item_1", "in_progress"), 1)
    assert flow.on_time(60_000) == []
    flow.on_agent(McpCallProgress("item_1", "completed"), 60_001)
    assert flow.on_time(60_001 + STALLED_MS) == [Reconnect("stalled")]
