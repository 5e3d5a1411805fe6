"""A session that is lost in mid-call: the caller goes on with the same agent, and nothing is said or done twice."""

import asyncio
from typing import Any

import pytest

from app.audio import FRAME_BYTES, SILENCE, silence
from app.call.events import Kind
from app.call.status import EndReason
from app.call.turns.resuming import ASK_AGAIN, BEGINNING_LOST
from app.sandbox.openai.brain import CallTool, Heard, Reply, Say, ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.sandbox.twilio.messages import Clear
from app.sandbox.twilio.timeline import AgentStopped
from app.sandbox.voices.clips import clip, text_of
from tests.e2e.rig import played

HELLO = Reply.of(Say.words("Hello.", 1000))
COUNT = "One two three four five six seven eight nine ten eleven twelve."
REST = Reply.of(Say.words("And so on.", 700))
LOOKUP = {
    "type": "lookup", "name": "lookup", "description": "x", "key_name": "key", "entries": {"a": "one", "b": "two"},
}  # fmt: skip
CUT = 1006


class Always:
    """Gives the same answer, whatever it hears."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.heard: list[Heard] = []

    def answer(self, heard: Heard) -> Reply:
        self.heard.append(heard)
        return self.reply


@pytest.fixture(autouse=True)
async def limit():
    """What never happens fails its test, and holds up no other."""
    async with asyncio.timeout(30):
        yield


def of_kind(events, kind):
    return [event for event in events if event.kind == kind]


def created(session) -> list[dict[str, Any]]:
    """The items that the client put into the conversation."""
    return [event["item"] for event in session.received if event["type"] == "conversation.item.create"]


def texts(session) -> list[tuple[str, str]]:
    return [(item["role"], item["content"][0]["text"]) for item in created(session) if item["type"] == "message"]


async def gone_on(house, call, number: int = 1):
    """The session that went on, once it is in the call."""
    await call.wait_for(
        lambda _: len([event for event in house.told if event.kind == Kind.MODEL_RECONNECTED]) == number
    )
    return await house.openai.session(number)


async def finished(house, call):
    await call.hang_up()
    record, events = await house.settled(call)
    assert record.end_reason is EndReason.CALLER_HANGUP
    assert "error" not in house.openai.sessions[-1].sent
    return record, events


async def test_one_that_is_lost_before_the_greeting_greets_after_all_and_once(rig):
    house = await rig(Always(HELLO), agent={})
    house.openai.faults.append(Faults(close_after_events=3, close_code=CUT))
    call = await house.ring()
    await call.wait_heard(1000)
    session = await gone_on(house, call)
    _, events = await finished(house, call)

    assert call.heard_ms == 1000
    assert created(session) == []
    assert len(of_kind(events, Kind.AGENT_SPEECH_STARTED)) == 1


async def test_a_greeting_that_broke_off_goes_on_where_it_was_and_what_was_sent_is_heard(rig):
    pieces = Reply((Say.words(COUNT, 8000),), pace=2, chunk_ms=200)
    house = await rig(ScriptedBrain([pieces, REST]), agent={})
    call = await house.ring()
    await call.wait_heard(1500)
    first = await house.openai.session()
    first.close(CUT)
    session = await gone_on(house, call)
    sent_ms = len(played(call)) // 8
    await call.wait_heard(sent_ms + 700 - 40)
    _, events = await finished(house, call)

    assert not [each for each in call.received if isinstance(each.message, Clear)]
    (role, said), (_, order) = texts(session)
    assert (role, COUNT.startswith(said), 0 < len(said) < len(COUNT)) == ("assistant", True, True)
    assert said in order
    assert len([event for event in session.received if event["type"] == "response.create"]) == 1
    [again] = of_kind(events, Kind.MODEL_RECONNECTED)
    assert (again.data["attempt"], again.data["gap_ms"] < 8 * 1000) == (1, True)


async def test_what_the_caller_cuts_of_a_lost_sessions_words_is_never_truncated_in_the_next(rig):
    quick = Reply((Say.words(COUNT, 20_000),), pace=100)
    house = await rig(ScriptedBrain([quick, Reply(), HELLO]), agent={})
    call = await house.ring()
    await call.wait_heard(500)
    (await house.openai.session()).close(CUT)
    session = await gone_on(house, call)
    await call.say(clip("one_moment"))
    await call.wait_for(lambda call: any(getattr(moment, "cleared", False) for moment in call.timeline))
    _, events = await finished(house, call)

    assert not [event for event in session.received if event["type"] == "conversation.item.truncate"]
    [cut] = of_kind(events, Kind.AGENT_INTERRUPTED)
    assert cut.data["heard"] in texts(session)[-1][1]


async def test_a_caller_who_is_cut_off_in_mid_sentence_is_asked_to_say_it_again_if_nothing_more_comes(rig):
    house = await rig(Always(HELLO), agent={"speaks_first": False})
    call = await house.ring()
    first = await house.openai.session()
    await call.wait_stream()
    saying = asyncio.create_task(call.say(clip("table_tonight")))
    await first.wait_for("input_audio_buffer.speech_started")
    await saying
    first.close(CUT)
    session = await gone_on(house, call)
    await call.wait_heard(1000)
    await finished(house, call)

    assert texts(session) == [("system", BEGINNING_LOST), ("system", ASK_AGAIN)]


async def test_a_question_that_was_heard_is_answered_by_the_next_session_once(rig):
    thinks = Reply((Say.words("Yes.", 500),), think_ms=60_000)
    house = await rig(ScriptedBrain([thinks, HELLO]), agent={"speaks_first": False})
    call = await house.ring()
    first = await house.openai.session()
    await call.wait_stream()
    await call.say(clip("table_tonight"))
    await call.wait_for(lambda _: any(event.kind == Kind.CALLER_TRANSCRIPT for event in house.told))
    first.close(1011)
    session = await gone_on(house, call)
    await call.wait_heard(1000)
    await finished(house, call)

    assert texts(session) == [("user", text_of("table_tonight"))]
    assert len([event for event in session.received if event["type"] == "response.create"]) == 1


async def test_outputs_that_were_not_voiced_yet_are_voiced_by_the_next_session_and_no_tool_runs_twice(rig):
    asks = Reply.of(CallTool("lookup", '{"key":"a"}'), CallTool("lookup", '{"key":"b"}'))
    brain = ScriptedBrain([asks, Reply((Say.words("x", 500),), think_ms=60_000), HELLO])
    house = await rig(brain, agent={"tools": [LOOKUP]})
    call = await house.ring()
    first = await house.openai.session()
    await first.wait_for(lambda session: session.sent.count("response.created") == 2)
    first.close(1012)
    session = await gone_on(house, call)
    await call.wait_heard(1000)
    _, events = await finished(house, call)

    kinds = [item["type"] for item in created(session)]
    assert sorted(kinds) == ["function_call", "function_call", "function_call_output", "function_call_output"]
    assert [item["output"] for item in created(session) if "output" in item] == ["one", "two"]
    assert len(of_kind(events, Kind.TOOL_CALLED)) == len(of_kind(events, Kind.TOOL_ANSWERED)) == 2
    assert {output.output for output in brain.heard[2].outputs} == {"one", "two"}


async def test_a_loss_between_two_outputs_of_one_answer_voices_both_once_and_runs_neither_again(rig):
    asks = Reply.of(CallTool("lookup", '{"key":"a"}'), CallTool("collect_digits"))
    brain = ScriptedBrain([HELLO, asks, HELLO, Reply.of(Say.words("Twice.", 500))])
    house = await rig(brain, agent={"tools": [LOOKUP, {"type": "collect_digits", "timeout_seconds": 120}]})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.press("1")  # and the agent asks
    await call.wait_for(lambda _: len(of_kind(house.told, Kind.RESPONSE_DONE)) == 2)  # it has asked for both
    await call.wait_for(lambda _: bool(of_kind(house.told, Kind.TOOL_ANSWERED)))
    (await house.openai.session()).close(CUT)
    session = await gone_on(house, call)
    await call.press("42#")
    await call.wait_heard(2000)
    _, events = await finished(house, call)

    items = [item for item in created(session) if item["type"].startswith("function_call")]
    assert [item["type"].removeprefix("function_call") for item in items].count("_output") == 2
    assert len(of_kind(events, Kind.TOOL_CALLED)) == len(of_kind(events, Kind.TOOL_ANSWERED)) == 2
    assert len([event for event in session.received if event["type"] == "response.create"]) == 1
    assert [len(heard.outputs) for heard in brain.heard] == [0, 0, 2]


async def test_f9_a_session_that_only_keeps_silent_is_given_up_after_eight_seconds(rig):
    house = await rig(Always(HELLO), agent={"speaks_first": False})
    call = await house.ring()
    first = await house.openai.session()
    await call.wait_stream()
    await call.say(clip("table_tonight"))
    await first.wait_for("input_audio_buffer.speech_started")
    first.stall()
    call_said = [event for event in house.told if event.kind == Kind.CALLER_SPEECH_ENDED]
    if not call_said:
        await call.press("1")
    await gone_on(house, call)
    await call.wait_heard(1000)
    _, events = await finished(house, call)

    [again] = of_kind(events, Kind.MODEL_RECONNECTED)
    assert again.data["reason"] == "stalled"


async def test_f10_an_expired_session_is_followed_by_another(rig):
    house = await rig(Always(HELLO), agent={})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.wait_for(lambda call: any(isinstance(moment, AgentStopped) for moment in call.timeline))
    (await house.openai.session()).expire()
    session = await gone_on(house, call)
    await call.press("1")
    await call.wait_heard(2000)
    _, events = await finished(house, call)

    assert of_kind(events, Kind.MODEL_RECONNECTED)[0].data["reason"] == "session_expired"
    assert texts(session)[0] == ("assistant", "Hello.")
    assert call.heard_ms == 2000


async def test_a_fourth_loss_in_five_minutes_ends_the_call_and_the_caller_is_put_through(rig):
    talks = Always(Reply((Say.words(COUNT, 20_000),), chunk_ms=200))
    house = await rig(talks, agent={"fallback": {"number": "+15550100999"}})
    house.openai.faults.extend([Faults(close_after_events=30, close_code=CUT)] * 4)
    call = await house.ring()
    record, events = await house.settled(call)

    assert record.end_reason is EndReason.MODEL_LOST
    assert len(house.openai.sessions) == 4
    assert len(of_kind(events, Kind.MODEL_RECONNECTED)) == 3


@pytest.mark.parametrize("close_code", [3000, 4000, 4004])
async def test_a_loss_that_no_try_can_mend_is_not_tried_again(rig, close_code):
    house = await rig(Always(HELLO), agent={})
    call = await house.ring()
    await call.wait_heard(300)
    (await house.openai.session()).close(close_code)
    record, _ = await house.settled(call)

    assert record.end_reason is EndReason.MODEL_LOST
    assert house.openai.handshakes == 1


async def test_every_frame_of_the_caller_reaches_one_session_at_most_and_none_is_lost_in_the_gap(rig):
    house = await rig(Always(Reply()), agent={"speaks_first": False})
    call = await house.ring()
    await house.openai.session()
    await call.wait_stream()
    frames = [bytes([200, number // 100 + 1, number % 100 + 1, 201]) * (FRAME_BYTES // 4) for number in range(300)]
    saying = asyncio.create_task(call.say(b"".join(frames)))
    for number in range(2):
        session = house.openai.sessions[number]
        await session.wait_for(lambda session: len(session.caller_audio) > 8000)
        session.close(CUT)
        await gone_on(house, call, number + 1)
    await saying
    await call.say(silence(400))
    await finished(house, call)

    arrived = [bytes(session.caller_audio) for session in house.openai.sessions]
    counts = [[audio.count(frame) for audio in arrived] for frame in frames]
    assert max(sum(count) for count in counts) == 1
    missing = [number for number, count in enumerate(counts) if not sum(count)]
    assert len(missing) <= 2 * 8 * 3  # what was on its way into a socket that was being cut
    order = b"".join(arrived).replace(SILENCE * FRAME_BYTES, b"")
    assert order.find(frames[0]) < order.find(frames[150]) < order.find(frames[299])
