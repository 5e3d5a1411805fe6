"""Another agent takes the same call over: its own voice, instructions and tools, and all that was said before."""

import asyncio
import json

import pytest

from app.call.events import Kind
from app.call.journal.digest import digest
from app.call.legs.switching import HANDED_OVER, TAKEN_OVER
from app.call.status import EndReason
from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.sandbox.voices.clips import clip, text_of
from tests.e2e.rig import CALLED, Rig, played
from tests.e2e.test_reconnect import CUT, LOOKUP, created, of_kind, texts

SWITCH = {"type": "switch_agent", "agents": {"billing": "invoices and payments"}}
RECEPTION = {"instructions": "You are the reception.", "tools": [SWITCH]}
BILLING = {
    "instructions": "You are {{company}}'s billing.",
    "voice": "cedar",
    "greeting": "Billing, good morning!",
    "tools": [LOOKUP],
    "keypad": {"keys": {"9": {"action": "end_call", "message": "Goodbye then."}}},
    "silence": None,
}
TO_BILLING = CallTool("switch_agent", json.dumps({"agent": "billing"}))
PASSING_ON = Say.words("I will pass you on.", 800)
NUMBER = {"agent": "default", "variables": {"company": "Acme"}}


@pytest.fixture(autouse=True)
async def limit():
    """What never happens fails its test, and holds up no other."""
    async with asyncio.timeout(30):
        yield


async def test_another_agent_takes_over_and_goes_on_with_the_call_to_its_end(rig):
    brain = ScriptedBrain(
        [
            Reply.of(Say.words("Hello.", 400)),
            Reply.of(PASSING_ON, TO_BILLING),
            Reply.of(Say.words("This is billing now.", 600)),
            Reply.of(CallTool("lookup", '{"key": "a"}')),
            Reply.of(Say.words("It is one.", 400)),
            Reply.of(Say.words("Still billing.", 400)),
            Reply.of(Say.words("Goodbye then.", 400)),
        ]
    )
    house: Rig = await rig(brain, agent=RECEPTION)
    await house.put("agent", "billing", BILLING)
    await house.put("number", CALLED, NUMBER)
    call = await house.ring()
    await call.wait_heard(400)
    await call.say(clip("table_tonight"))
    await call.wait_heard(400 + 800 + 600)
    first, second = house.openai.sessions
    await first.closed.wait()
    await call.say(clip("one_moment"))
    await call.wait_heard(400 + 800 + 600 + 400)
    second.close(CUT)
    await call.wait_for(lambda _: bool(of_kind(house.told, Kind.MODEL_RECONNECTED)))
    third = await house.openai.session(2)
    await call.press("9")
    record, events = await house.settled(call)

    assert [event.data for event in of_kind(events, Kind.AGENT_SWITCHED)] == [
        {"from_agent": "default", "agent": "billing", "agent_version": 1}
    ]
    assert (record.agent, record.attempt, record.end_reason) == ("default", 0, EndReason.AGENT_HANGUP)
    assert len(of_kind(events, Kind.CALL_STARTED)) == 1
    [asked] = [event.data for event in of_kind(events, Kind.TOOL_CALLED) if event.data["name"] == "switch_agent"]
    outputs = [event.data["output"] for event in of_kind(events, Kind.TOOL_ANSWERED)]
    assert outputs == [HANDED_OVER.format(name="billing"), "one"]
    answered = [item for item in created(second) if item["type"] == "function_call_output"]
    assert [item["call_id"] for item in answered][:1] == [asked["call_id"]]
    assert [item["type"] for item in created(first)] == []

    assert texts(second)[:4] == [
        ("assistant", "Hello."),
        ("user", text_of("table_tonight")),
        ("assistant", "I will pass you on."),
        ("system", TAKEN_OVER.format(before="default")),
    ]
    assert brain.heard[2].why == "tool_outputs"
    for heard in brain.heard[2:]:
        assert (heard.instructions, heard.tools) == ("You are Acme's billing.", {"lookup"})
    for session in (second, third):
        [update] = [event["session"] for event in session.received if event["type"] == "session.update"]
        assert update["audio"]["output"]["voice"] == "cedar"
    assert ("system", TAKEN_OVER.format(before="default")) in texts(third)
    assert len(played(call)) // 8 == call.heard_ms
    assert [(each.agent, each.agent_version) for each in digest(events).agents] == [("billing", 1)]


async def test_where_the_other_agent_cannot_come_the_first_one_goes_on(rig):
    house: Rig = await rig(
        ScriptedBrain(
            [
                Reply.of(Say.words("Hello.", 400)),
                Reply.of(PASSING_ON, TO_BILLING),
                Reply.of(Say.words("They are not there. May I help?", 600)),
                Reply.of(Say.words("Of course.", 400)),
            ]
        ),
        agent=RECEPTION,
    )
    await house.put("agent", "billing", BILLING)
    call = await house.ring()
    await call.wait_heard(400)
    house.openai.faults.extend([Faults(refuse_status=503)] * 2)
    await call.say(clip("table_tonight"))
    await call.wait_heard(400 + 800 + 600)
    await call.say(clip("one_moment"))
    await call.wait_heard(400 + 800 + 600 + 400)
    await call.hang_up()
    record, events = await house.settled(call)
    assert len(house.openai.sessions) == 1
    assert (record.end_reason, record.agent) == (EndReason.CALLER_HANGUP, "default")
    assert of_kind(events, Kind.AGENT_SWITCHED) == []
    [failed] = of_kind(events, Kind.TOOL_FAILED)
    assert "billing cannot be reached" in failed.data["output"]
