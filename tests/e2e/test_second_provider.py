"""A call needs no OpenAI: another provider carries one through the same seam."""

import asyncio

import pytest

from app.call.events import Kind
from app.call.status import EndReason
from app.realtime.history import Spoken, ToolAnswered, ToolAsked
from app.sandbox.openai.brain import ScriptedBrain
from app.sandbox.twilio.messages import Clear
from app.sandbox.voices.clips import clip
from tests.e2e.live_provider import ANSWER, BYE, GREETING, QUESTION, LiveProvider
from tests.e2e.rig import SPEED

HOURS = {
    "type": "lookup", "name": "hours", "description": "x", "key_name": "day", "entries": {"monday": "nine"},
}  # fmt: skip
AGENT = {"tools": [HOURS, {"type": "end_call"}]}


@pytest.fixture
async def live(rig):
    """A server whose sessions come from that provider."""
    house = await rig(ScriptedBrain([]), agent=AGENT)
    provider = LiveProvider(SPEED)
    house.services.providers["openai"] = provider
    async with asyncio.timeout(30):
        yield house, provider


async def test_a_provider_without_items_turns_or_truncation_carries_a_call_to_its_goodbye(live):
    house, provider = live
    call = await house.ring()
    await call.wait_heard(1000)
    await call.say(clip("table_tonight"))
    record, events = await house.settled(call)

    assert record.end_reason is EndReason.AGENT_HANGUP
    assert call.heard_ms == 3000
    [session] = provider.sessions
    assert session.outputs[0] == ("hours", "nine")
    assert clip("table_tonight") in bytes(session.caller_audio)
    assert not [each for each in call.received if isinstance(each.message, Clear)]
    said = [event.data["text"] for event in events if event.kind in {Kind.AGENT_TRANSCRIPT, Kind.CALLER_TRANSCRIPT}]
    assert said == [GREETING, QUESTION, ANSWER, BYE]


async def test_a_session_of_such_a_provider_that_is_lost_is_followed_by_one_that_knows_the_conversation(live):
    house, provider = live
    call = await house.ring()
    await call.wait_heard(1000)
    await call.say(clip("table_tonight"))
    await call.wait_for(lambda _: bool(provider.sessions[0].outputs))
    await call.wait_heard(2000)
    provider.sessions[0].lose()
    record, events = await house.settled(call)

    assert record.end_reason is EndReason.AGENT_HANGUP
    again = provider.sessions[1]
    assert again.history[:4] == [
        Spoken("agent", GREETING), Spoken("caller", QUESTION),
        ToolAsked("call_1", "hours", '{"day":"monday"}'), ToolAnswered("call_1", "nine"),
    ]  # fmt: skip
    assert again.history[0] == Spoken("agent", GREETING)
    assert len([event for event in events if event.kind == Kind.TOOL_CALLED and event.data["name"] == "hours"]) == 1
