"""What a session does in a live call beside talking, and the races that the caller never hears of."""

import asyncio
import json

from app.call.events import Kind
from app.call.journal.journal import TRANSCRIPT
from app.call.status import EndReason
from app.conf.models import AgentConf, OpenAICoreConf
from app.openai import create_openai_realtime_session
from app.openai.session_config import compile_session
from app.realtime.events import AsideDone
from app.realtime.session import ResponseOptions, Tool
from app.sandbox.openai.brain import CallMcp, Reply, Say, ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.sandbox.openai.mcp import McpServer
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.openai.story import StoryBrain
from app.sandbox.voices.clips import clip, text_of

HELLO = Reply.of(Say.words("Hello.", 1000))
LONG = Reply.of(Say.words("One two three four five six seven eight nine ten.", 10_000))
SHOP = {"type": "mcp", "server_label": "shop", "server_url": "https://shop.example.com/mcp"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)


def of_kind(events, kind):
    return [event for event in events if event.kind == kind]


async def finished(house, call, heard_ms):
    await call.wait_heard(heard_ms)
    await call.hang_up()
    return await house.settled(call)


async def test_an_mcp_tool_runs_beside_the_call_and_is_journalled(rig):
    brain = ScriptedBrain([Reply.of(CallMcp("shop", "find", '{"q":"bread"}', output="six euros")), HELLO])
    house = await rig(brain, agent={"tools": [{**SHOP, "require_approval": "never"}]})
    house.openai.mcp_servers["shop"] = McpServer(("find",))
    _, events = await finished(house, await house.ring(), 1000)

    [called] = of_kind(events, Kind.MCP_CALLED)
    assert (called.data["name"], called.data["output"]) == ("find", "six euros")


async def test_an_mcp_tool_that_wants_approval_is_denied_and_the_agent_goes_on(rig):
    brain = ScriptedBrain([Reply.of(CallMcp("shop", "buy", "{}", output="bought")), HELLO])
    house = await rig(brain, agent={"tools": [{**SHOP, "require_approval": "always"}]})
    house.openai.mcp_servers["shop"] = McpServer(("buy",))
    _, events = await finished(house, await house.ring(), 1000)

    assert of_kind(events, Kind.MCP_CALLED) == []
    assert of_kind(events, Kind.MCP_APPROVAL_DENIED)[0].data == {"server": "shop", "name": "buy"}
    assert brain.heard[1].outputs[0].output.startswith("Denied")


async def test_a_session_that_expires_is_told_as_such(rig):
    house = await rig(ScriptedBrain([LONG]), agent={})
    call = await house.ring()
    await call.wait_heard(500)
    house.openai.sessions[0].expire()
    await house.openai.session(1)
    record, events = await finished(house, call, 600)

    assert record.end_reason is EndReason.CALLER_HANGUP
    moves = [event.data for event in of_kind(events, Kind.SESSION_STATUS)]
    assert {"before": "active", "status": "expired"} in moves


async def test_a_create_that_crosses_with_the_servers_own_answer_is_never_noticed(rig):
    house = await rig(ScriptedBrain([HELLO, HELLO, HELLO]), agent={})
    house.openai.faults.append(Faults(crossed_creates=frozenset({0})))
    record, events = await finished(house, await house.ring(), 1000)

    assert record.end_reason is EndReason.CALLER_HANGUP
    assert {event.data["severity"] for event in of_kind(events, Kind.SESSION_ERROR)} <= {"harmless"}


async def test_late_and_doubled_events_change_nothing_for_the_caller(rig):
    house = await rig(ScriptedBrain([LONG, HELLO]), agent={})
    doubled = frozenset({"response.created", "response.done", "input_audio_buffer.speech_started"})
    house.openai.faults.append(Faults(late_deltas=5, doubled=doubled))
    call = await house.ring()
    await call.wait_heard(1500)
    await call.say(clip("one_moment"))
    heard_ms = call.heard_ms
    record, _ = await finished(house, call, heard_ms + 1000)

    [session] = house.openai.sessions
    cut = [event["item_id"] for event in session.received if event["type"] == "conversation.item.truncate"]
    assert len(cut) == len(set(cut)) == 1
    assert "error" not in session.sent
    assert call.heard_ms <= heard_ms + 1000 + 200  # nothing of the late audio was played
    assert record.end_reason is EndReason.CALLER_HANGUP


async def test_r3_38_the_question_stands_before_the_answer_however_late_it_is_written_down(rig):
    house = await rig(StoryBrain(), agent={})
    house.openai.faults.append(Faults(late_transcription=True))
    call = await house.ring()
    await call.wait_for(lambda _: any(event.kind == Kind.AGENT_SPEECH_ENDED for event in house.told))
    await call.say(clip("opening_hours"))
    await call.wait_for(lambda _: sum(event.kind == Kind.AGENT_SPEECH_ENDED for event in house.told) == 2)
    await call.wait_for(lambda _: any(event.kind == Kind.CALLER_TRANSCRIPT for event in house.told))
    await call.hang_up()
    record, events = await house.settled(call)

    turns = json.loads((house.data_dir / "calls" / record.id / TRANSCRIPT).read_text())
    assert [turn["said"] for turn in turns][1:] == [text_of("opening_hours"), text_of("opening_sunday")]
    latency = turns[2]["latency"]
    assert 0 <= latency["first_delta_ms"] <= latency["first_frame_ms"] <= latency["first_mark_ms"]
    assert len(of_kind(events, Kind.ANSWER_LATENCY)) == 1


async def test_what_a_call_can_do_to_its_session_works_against_a_strict_server():
    brain = ScriptedBrain([HELLO, HELLO, Reply.of(Say.words("A summary."))])
    async with SandboxOpenAI(brain, speed=20) as openai:
        key = OpenAICoreConf.model_validate({"openai_api_key": openai.api_key})
        config = compile_session(AgentConf())
        sender, receiver = await create_openai_realtime_session(config, key, base_url=openai.realtime_url)
        session = await openai.session()
        told = asyncio.create_task(_asides(receiver))
        await sender.update(instructions="Be brief.", tools=[Tool("clock", "The time.", {"type": "object"})])
        assert await sender.send_text_and_images("What is this?", [PNG, b"no image"])
        await session.wait_for("response.done")
        await sender.start_response(ResponseOptions(instructions="Say one word.", metadata={"turn": "2"}))
        await session.wait_for(lambda session: session.sent.count("response.done") == 2)
        await sender.ask_aside("summary", "Sum up the conversation.")
        await session.wait_for(lambda session: session.sent.count("response.done") == 3)
        await sender.close()
        async with asyncio.timeout(5):
            [aside] = await told

    assert (aside.name, aside.text, aside.status) == ("summary", "A summary.", "completed")
    assert (brain.heard[0].instructions, brain.heard[0].tools) == ("Be brief.", frozenset({"clock"}))
    assert len(brain.heard[0].images) == 1
    assert brain.heard[1].instructions == "Say one word."
    assert "error" not in session.sent


async def _asides(receiver):
    return [event async for event in receiver if isinstance(event, AsideDone)]
