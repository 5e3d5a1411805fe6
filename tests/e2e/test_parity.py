"""What the reference systems do in a live call, as ours does it: rows of `make parity`."""

import pytest

from app.call.events import Kind
from app.call.status import EndReason
from app.errors import ConfInvalid
from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.sandbox.openai.story import StoryBrain
from app.sandbox.voices.clips import clip, text_of
from app.tools import toolbox

HELLO = Reply.of(Say.words("Hello there.", 1000))
LONG = Reply.of(Say.words("One two three four five six seven eight nine ten.", 10_000))


def told(house, *kinds):
    return [event for event in house.told if event.kind in kinds]


def kinds_of(events):
    return [event.kind for event in events]


def sent(house, kind):
    return [event for event in house.openai.sessions[0].received if event["type"] == kind]


async def test_r0_2_the_agents_provider_picks_the_factory_and_an_unknown_one_is_refused_at_save(rig):
    house = await rig(ScriptedBrain([HELLO]), agent={"provider": "openai"})
    with pytest.raises(ConfInvalid, match="provider"):
        await house.put("agent", "other", {"provider": "nobody"})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.hang_up()
    await house.settled(call)


async def test_r0_4_r0_5_r0_6_the_session_is_dialled_with_the_agents_model_and_the_key_of_core_conf(rig):
    house = await rig(ScriptedBrain([HELLO, HELLO]), agent={"model": "gpt-realtime-2.1-mini"})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.hang_up()
    assert house.openai.sessions[0].config["model"] == "gpt-realtime-2.1-mini"

    await house.put("openai", "default", {"openai_api_key": "sk-a-key-that-is-wrong"})
    refused = await house.ring()
    record, _ = await house.settled(refused)
    assert record.end_reason is EndReason.MODEL_UNAVAILABLE


@pytest.mark.parametrize(
    ("agent", "creates"),
    [({}, 1), ({"speaks_first": False}, 0), ({"greeting": "Good morning."}, 1)],
    ids=["speaks first", "waits", "fixed greeting"],
)
async def test_r0_8_the_agent_speaks_first_or_waits_or_says_its_greeting(rig, agent, creates):
    brain = ScriptedBrain([HELLO])
    house = await rig(brain, agent=agent)
    call = await house.ring()
    session = await house.openai.session()
    if creates:
        await call.wait_heard(1000)
        assert brain.heard[0].words == agent.get("greeting", "")
    else:
        await session.wait_for("input_audio_buffer.append")
    await call.hang_up()
    await house.settled(call)
    assert len(sent(house, "response.create")) == creates


async def test_r3_33_r3_34_r3_25_the_callers_speech_is_told_and_interrupts(rig):
    house = await rig(ScriptedBrain([LONG, HELLO]), agent={})
    call = await house.ring()
    await call.wait_heard(1500)
    await call.say(clip("one_moment"))
    await call.wait_for(lambda _: told(house, Kind.CALLER_SPEECH_ENDED))
    await call.hang_up()
    await house.settled(call)

    speech = told(house, Kind.CALLER_SPEECH_STARTED, Kind.CALLER_SPEECH_ENDED, Kind.AGENT_INTERRUPTED)
    assert kinds_of(speech) == [Kind.AGENT_INTERRUPTED, Kind.CALLER_SPEECH_STARTED, Kind.CALLER_SPEECH_ENDED]
    assert sent(house, "response.cancel") == []  # the server cancels by itself
    assert "error" not in house.openai.sessions[0].sent


async def test_r3_11_r3_35_r3_36_r3_38_the_agents_speech_is_told_by_what_is_heard(rig):
    house = await rig(ScriptedBrain([HELLO]), agent={})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.wait_for(lambda _: told(house, Kind.AGENT_SPEECH_ENDED))
    await call.hang_up()
    await house.settled(call)

    assert len(told(house, Kind.AGENT_SPEECH_STARTED)) == 1
    [started], [ended] = told(house, Kind.AGENT_SPEECH_STARTED), told(house, Kind.AGENT_SPEECH_ENDED)
    assert ended.at_ms - started.at_ms >= 900
    *pieces, whole = told(house, Kind.AGENT_TRANSCRIPT)
    assert "".join(piece.data["text"] for piece in pieces) == whole.data["text"] == "Hello there."
    assert [event.data["final"] for event in (*pieces, whole)] == [False] * len(pieces) + [True]
    assert [event.data["status"] for event in told(house, Kind.RESPONSE_DONE)] == ["completed"]


async def test_r3_37_the_callers_words_are_told_when_they_are_written_down(rig):
    house = await rig(StoryBrain(), agent={})
    call = await house.ring()
    await call.wait_for(lambda _: told(house, Kind.AGENT_SPEECH_ENDED))
    await call.say(clip("opening_hours"))
    await call.wait_for(lambda _: told(house, Kind.CALLER_TRANSCRIPT))
    await call.hang_up()
    await house.settled(call)

    whole = [event for event in told(house, Kind.CALLER_TRANSCRIPT) if event.data["final"]]
    assert [event.data["text"] for event in whole] == [text_of("opening_hours")]


async def test_r3_b1_r3_b3_a_tool_that_is_unknown_or_broken_or_raises_gets_one_error_output(rig, monkeypatch):
    def crash(*_):
        raise RuntimeError("a bug in a tool")

    monkeypatch.setattr(toolbox, "look_up", crash)
    lookup = {"type": "lookup", "name": "lookup", "description": "x", "entries": {"a": "one"}}
    asks = Reply.of(CallTool("nobody"), CallTool("lookup", '{"key":'), CallTool("lookup", '{"key":"a"}'))
    house = await rig(ScriptedBrain([asks, HELLO]), agent={"tools": [lookup]})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.hang_up()
    await house.settled(call)

    outputs = [item["item"] for item in sent(house, "conversation.item.create")]
    assert [("error" in output["output"]) for output in outputs] == [True] * 3
    assert len({output["call_id"] for output in outputs}) == 3
    assert kinds_of(told(house, Kind.TOOL_CALLED, Kind.TOOL_FAILED)).count(Kind.TOOL_FAILED) == 3


async def test_r3_b2_the_end_of_the_agents_speech_is_told_once_also_when_it_is_cut(rig):
    house = await rig(ScriptedBrain([LONG]), agent={})
    call = await house.ring()
    await call.wait_heard(1000)
    await call.say(clip("one_moment"))
    await call.wait_for(lambda _: told(house, Kind.RESPONSE_DONE))
    await call.hang_up()
    await house.settled(call)

    assert len(told(house, Kind.AGENT_SPEECH_STARTED)) == len(told(house, Kind.AGENT_SPEECH_ENDED)) == 1


async def test_r3_40_r3_41_r3_b4_an_error_of_the_model_is_typed_journalled_and_survived(rig):
    house = await rig(ScriptedBrain([HELLO, HELLO]), agent={})
    call = await house.ring()
    await call.wait_heard(1000)
    session = house.openai.sessions[0]
    race = {"type": "invalid_request_error", "code": "response_cancel_not_active", "message": "Nothing to cancel."}
    session.emit({"type": "error", "error": {**race, "param": None, "event_id": None}})
    session.emit({"type": "response.output_audio.delta"})
    await call.press("1")
    await call.wait_heard(2000)
    await call.hang_up()
    record, events = await house.settled(call)

    errors = [event.data for event in events if event.kind == Kind.SESSION_ERROR]
    assert ("response_cancel_not_active", "harmless") in [(error["code"], error["severity"]) for error in errors]
    assert record.end_reason is EndReason.CALLER_HANGUP


async def test_r2_12_the_sessions_status_is_journalled(rig):
    house = await rig(ScriptedBrain([HELLO]), agent={})
    call = await house.ring()
    await call.wait_heard(1000)
    house.openai.faults.append(Faults(refuse_status=401))
    house.openai.sessions[0].close(1011, "gone")
    record, events = await house.settled(call)

    moves = [(event.data["before"], event.data["status"]) for event in events if event.kind == Kind.SESSION_STATUS]
    assert moves == [("connecting", "active"), ("active", "disconnected")]
    assert record.end_reason is EndReason.MODEL_LOST
