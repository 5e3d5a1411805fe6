"""Noise, short sounds, and lines on which nothing is heard."""

import asyncio

import pytest

from app.audio import silence
from app.call.events import Kind
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.twilio.messages import Clear
from app.sandbox.twilio.timeline import AgentStopped
from app.sandbox.voices.clips import clip
from tests.e2e.test_reconnect import HELLO, Always, of_kind

LONG = Reply.of(Say.words("One two three four five six seven eight nine ten.", 12_000))


@pytest.fixture(autouse=True)
async def limit():
    """What never happens fails its test, and holds up no other."""
    async with asyncio.timeout(30):
        yield


async def test_a_greeting_that_may_not_be_interrupted_is_heard_whole_and_then_the_caller_is_answered(rig):
    house = await rig(
        ScriptedBrain([Reply.of(Say.words("Hello.", 6000)), HELLO]), agent={"greeting_interruptible": False}
    )
    call = await house.ring()
    await call.wait_heard(300)
    await call.say(clip("table_tonight"))
    await call.wait_heard(7000)
    await call.hang_up()
    _, events = await house.settled(call)

    assert of_kind(events, Kind.AGENT_INTERRUPTED) == []
    assert not [each for each in call.received if isinstance(each.message, Clear)]
    [session] = house.openai.sessions
    assert session.config["audio"]["input"]["turn_detection"]["interrupt_response"] is False
    assert "error" not in session.sent


async def test_an_agent_of_half_duplex_hears_nothing_while_it_is_heard_and_the_caller_afterwards(rig):
    house = await rig(ScriptedBrain([Reply.of(Say.words("Hello.", 6000)), HELLO]), agent={"half_duplex": True})
    call = await house.ring()
    await call.wait_heard(300)
    await call.say(clip("table_tonight"))
    await call.wait_heard(6000)
    await call.wait_for(lambda call: any(isinstance(moment, AgentStopped) for moment in call.timeline))
    assert not of_kind(house.told, Kind.CALLER_SPEECH_STARTED)
    await call.say(clip("table_tonight"))
    await call.wait_heard(6500)
    await call.hang_up()
    _, events = await house.settled(call)

    assert len(of_kind(events, Kind.CALLER_SPEECH_STARTED)) == 1
    assert of_kind(events, Kind.AGENT_INTERRUPTED) == []


async def test_speech_interrupts_once_it_has_lasted_and_the_model_stops_and_knows(rig):
    slow = Reply((Say.words("One two three four five six seven eight nine ten.", 30_000),), pace=1.5)
    house = await rig(ScriptedBrain([slow, HELLO]), agent={"min_barge_in_ms": 600})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.say(clip("table_tonight"))
    await call.wait_for(lambda call: any(getattr(moment, "cleared", False) for moment in call.timeline))
    heard_ms = call.heard_ms
    await call.wait_heard(heard_ms + 900)
    await call.hang_up()
    _, events = await house.settled(call)

    [session] = house.openai.sessions
    assert [event["type"] for event in session.received].count("response.cancel") == 1
    [truncate] = [event for event in session.received if event["type"] == "conversation.item.truncate"]
    [cut] = of_kind(events, Kind.AGENT_INTERRUPTED)
    assert truncate["audio_end_ms"] == cut.data["heard_ms"]
    started = of_kind(events, Kind.CALLER_SPEECH_STARTED)[0].at_ms
    assert cut.at_ms - started >= 600
    assert "error" not in session.sent


async def test_a_line_on_which_nothing_is_heard_is_journalled_once(rig):
    house = await rig(ScriptedBrain([HELLO]), agent={}, speed=50)
    call = await house.ring()
    await call.wait_for(lambda _: bool(of_kind(house.told, Kind.STREAM_ONE_WAY)))
    await call.hang_up()
    _, events = await house.settled(call)

    [told] = of_kind(events, Kind.STREAM_ONE_WAY)
    assert told.data["silent_ms"] >= 15_000


async def test_music_is_not_answered_until_the_caller_speaks_again(rig):
    brain = Always(HELLO)
    house = await rig(brain, agent={"hold": {"after_seconds": 3}, "speaks_first": False})
    music = clip("table_tonight")[::-1] + silence(800)
    call = await house.ring()
    await call.wait_stream()
    session = await house.openai.session()

    async def play_until(kind: Kind) -> None:
        while not of_kind(house.told, kind):
            await call.say(music)

    await play_until(Kind.CALLER_ON_HOLD)
    await session.wait_for(lambda session: session.sent.count("session.updated") == 2)
    turns = session.config["audio"]["input"]["turn_detection"]
    assert (turns["create_response"], turns["interrupt_response"]) == (False, True)
    assert session.config["audio"]["output"]["format"] == {"type": "audio/pcmu"}
    answers = session.sent.count("response.created")
    await call.say(music * 3)
    assert session.sent.count("response.created") == answers

    heard_ms = call.heard_ms
    await call.say(clip("table_tonight"))
    await call.wait_for(lambda _: bool(of_kind(house.told, Kind.CALLER_BACK)))
    await call.wait_heard(heard_ms + 900)
    await call.say(clip("one_moment"))  # and from here on as ever
    await session.wait_for(lambda session: session.sent.count("response.created") >= answers + 2)
    await call.hang_up()
    _, events = await house.settled(call)
    assert len(of_kind(events, Kind.CALLER_ON_HOLD)) == len(of_kind(events, Kind.CALLER_BACK)) == 1
    assert "error" not in session.sent
