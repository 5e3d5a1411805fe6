"""A whole call, from ring to row."""

import json

from app.call.events import Kind
from app.call.journal.journal import CALL, EVENTS, TRANSCRIPT
from app.call.status import CallStatus, EndReason
from app.sandbox import story
from app.sandbox.book import Book
from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.openai.story import StoryBrain
from app.sandbox.twilio import EndCause
from app.sandbox.twilio.timeline import AgentStarted, AgentStopped
from app.sandbox.voices.clips import clip
from tests.e2e.rig import CALLED, CALLER, played

GREETING = Reply.of(Say.words("Hello.", 1000))
LONG = Reply.of(Say.words("One two three four five six seven eight nine ten.", 10_000))
BYE = Say.words("Goodbye.", 1200)
END = {"tools": [{"type": "end_call"}]}


def of_kind(events, kind):
    return [event for event in events if event.kind == kind]


def sent(session, kind):
    return [event for event in session.received if event["type"] == kind]


async def test_the_storys_call_runs_from_greeting_to_goodbye(rig):
    async with Book() as book:
        house = await rig(StoryBrain(), agent=story.agent(book))
        call = await house.ring()
        await call.wait_heard(3000)
        await call.wait_for(lambda call: any(isinstance(moment, AgentStopped) for moment in call.timeline))
        await call.say(clip(story.ASKS))
        await call.wait_for(lambda call: sum(isinstance(moment, AgentStarted) for moment in call.timeline) == 2)
        await call.wait_heard(call.heard_ms + 2000)
        await call.say(clip(story.CHANGES_HIS_MIND))
        record, events = await house.settled(call)

    happened = {step.what: step.happened for step in story.steps(events, record, written=[], asked=book.asked)}
    assert [what for what, did in happened.items() if not did] == [story.WRITTEN_DOWN]
    assert call.end_cause is EndCause.REST
    assert call.warnings == []
    assert (record.from_number, record.to_number, record.status) == (CALLER, CALLED, CallStatus.ENDED)
    assert record.session["audio"]["output"]["format"] == {"type": "audio/pcmu"}
    folder = house.data_dir / "calls" / record.id
    assert {CALL, EVENTS, TRANSCRIPT} <= {path.name for path in folder.iterdir()}
    assert [turn["speaker"] for turn in json.loads((folder / TRANSCRIPT).read_text())] == [
        "agent", "caller", "agent", "caller", "agent",
    ]  # fmt: skip


async def test_every_byte_of_the_answer_is_heard_and_every_byte_of_the_caller_arrives(rig):
    house = await rig(ScriptedBrain([Reply.of(Say.phrase("greeting"))]), agent={})
    call = await house.ring()
    greeting = clip("greeting")
    await call.wait_heard(len(greeting) // 8)
    await call.say(clip("table_tonight"))
    await call.hang_up()
    await house.settled(call)

    assert greeting in played(call)
    [session] = house.openai.sessions
    assert clip("table_tonight") in bytes(session.caller_audio)


async def test_the_recording_has_both_sides_where_they_were_heard(rig):
    at_once = Reply((Say.phrase("greeting"),), chunk_ms=60_000)  # no pause of a busy machine can split it
    house = await rig(ScriptedBrain([at_once]), agent={})
    call = await house.ring()
    await call.wait_heard(len(clip("greeting")) // 8)
    await call.say(clip("table_tonight"))
    await call.hang_up()
    record, _ = await house.settled(call)

    caller, agent = await house.tracks(record)
    assert clip("greeting") in agent
    assert clip("table_tonight") in caller


async def test_barge_in_silences_at_once_and_truncates_at_what_was_heard(rig):
    house = await rig(ScriptedBrain([LONG, GREETING]), agent={}, speed=2.0)  # what is slow here counts twofold
    call = await house.ring()
    await call.wait_heard(1500)
    await call.say(clip("one_moment"))
    await call.wait_for(lambda call: any(getattr(moment, "cleared", False) for moment in call.timeline))
    heard_ms = call.heard_ms
    await call.hang_up()
    _, events = await house.settled(call)

    [session] = house.openai.sessions
    [truncate] = sent(session, "conversation.item.truncate")
    assert abs(truncate["audio_end_ms"] - heard_ms) <= 100 + 2 * 50
    [cut] = of_kind(events, Kind.AGENT_INTERRUPTED)
    assert cut.data["heard_ms"] == truncate["audio_end_ms"]
    assert cut.data["said"].startswith(cut.data["heard"])
    assert "error" not in session.sent


async def test_r0_12_r3_39_tools_of_one_answer_lead_to_one_response_and_each_call_has_one_output(rig):
    lookup = {
        "type": "lookup", "name": "lookup", "description": "x", "key_name": "key", "entries": {"a": "one", "b": "two"},
    }  # fmt: skip
    asks = Reply.of(CallTool("lookup", '{"key":"a"}'), CallTool("lookup", '{"key":"b"}'), CallTool("nobody", "{}"))
    broken = Reply.of(CallTool("lookup", '{"key":'))
    house = await rig(ScriptedBrain([asks, broken, GREETING]), agent={"tools": [lookup]})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.hang_up()
    _, events = await house.settled(call)

    [session] = house.openai.sessions
    outputs = [
        event["item"]["output"]
        for event in sent(session, "conversation.item.create")
        if event["item"]["type"] == "function_call_output"
    ]
    assert outputs[:2] == ["one", "two"]
    assert "no tool" in outputs[2]
    assert "not a JSON object" in outputs[3]
    assert len(outputs) == 4
    assert len(sent(session, "response.create")) == 3
    assert "error" not in session.sent
    assert len(of_kind(events, Kind.TOOL_ANSWERED)) == 2
    assert len(of_kind(events, Kind.TOOL_FAILED)) == 2


async def test_the_goodbye_is_heard_whole_before_the_agent_hangs_up(rig):
    house = await rig(ScriptedBrain([Reply.of(BYE, CallTool("end_call"))]), agent=END)
    call = await house.ring()
    record, _ = await house.settled(call)

    assert record.end_reason is EndReason.AGENT_HANGUP
    assert call.end_cause is EndCause.REST
    assert call.heard_ms >= 1200
    [update] = house.twilio.requests
    assert update.form["Status"] == "completed"


async def test_an_agent_that_hangs_up_without_a_word_is_made_to_say_goodbye(rig):
    house = await rig(ScriptedBrain([Reply.of(CallTool("end_call")), Reply.of(BYE)]), agent=END)
    call = await house.ring()
    record, _ = await house.settled(call)

    assert record.end_reason is EndReason.AGENT_HANGUP
    assert call.heard_ms >= 1200


async def test_digits_reach_the_model_as_text(rig):
    brain = ScriptedBrain([GREETING, GREETING])
    house = await rig(brain, agent={})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.press("5")
    await call.wait_heard(2000)
    await call.hang_up()
    _, events = await house.settled(call)

    [session] = house.openai.sessions
    [item] = [event["item"] for event in sent(session, "conversation.item.create")]
    assert item["content"] == [{"type": "input_text", "text": "The caller typed 5 on the phone."}]
    assert of_kind(events, Kind.CALLER_DTMF)[0].data == {"digit": "5"}


async def test_a_caller_who_hangs_up_ends_the_session_within_a_second(rig):
    house = await rig(ScriptedBrain([LONG]), agent={})
    call = await house.ring()
    await call.wait_heard(500)
    await call.hang_up()
    record, events = await house.settled(call)

    assert record.end_reason is EndReason.CALLER_HANGUP
    assert house.twilio.requests == []
    ended = of_kind(events, Kind.CALL_ENDED)[0].at_ms
    assert ended - of_kind(events, Kind.SESSION_READY)[0].at_ms < 60_000


async def test_a_stream_that_dies_without_a_word_ends_the_call(rig):
    house = await rig(ScriptedBrain([LONG, LONG]), agent={})
    call = await house.ring()
    await call.wait_heard(500)
    await call.drop()
    await call.wait_for(lambda call: len(call.streams) == 2)  # Twilio asks what comes after; the agent comes back
    await call.wait_heard(700)
    await call.hang_up()
    record, _ = await house.settled(call)
    assert (record.attempt, record.end_reason) == (1, EndReason.CALLER_HANGUP)
