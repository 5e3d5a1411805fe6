"""Wrong client events, and the code and field with which each is refused."""

import json
from typing import Any

import pytest

from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.openai.client_events import check, parse
from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.openai.session_config import default_config, updated
from tests.unit.sandbox.openai.client import dial

UNKNOWN, MISSING = "unknown_parameter", "missing_required_parameter"
VALUE, TYPE, LONG = "invalid_value", "invalid_type", "string_above_max_length"


def update(**session: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def given(**audio_input: Any) -> dict[str, Any]:
    return update(audio={"input": audio_input})


def spoken(**audio_output: Any) -> dict[str, Any]:
    return update(audio={"output": audio_output})


def item(**fields: Any) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": fields}


def message(role: str, *content: Any) -> dict[str, Any]:
    return item(type="message", role=role, content=list(content))


def create(**response: Any) -> dict[str, Any]:
    return {"type": "response.create", "response": response}


def tool(**fields: Any) -> dict[str, Any]:
    return update(tools=[fields])


TRUNCATE = {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 1}
INPUT, OUTPUT = "session.audio.input", "session.audio.output"
WRONG = [
    ({}, MISSING, "type"),
    ({"type": 3}, VALUE, "type"),
    ({"type": "session.upgrade"}, VALUE, "type"),
    ({"type": "output_audio_buffer.clear"}, VALUE, "type"),
    ({"type": "input_audio_buffer.commit", "item_id": "x"}, UNKNOWN, "item_id"),
    ({"type": "input_audio_buffer.append"}, MISSING, "audio"),
    ({"type": "input_audio_buffer.append", "audio": 3}, TYPE, "audio"),
    ({"type": "input_audio_buffer.append", "audio": "", "ms": 20}, UNKNOWN, "ms"),
    ({"type": "input_audio_buffer.clear", "event_id": 4}, TYPE, "event_id"),
    ({"type": "input_audio_buffer.clear", "event_id": None}, TYPE, "event_id"),
    ({"type": "input_audio_buffer.clear", "event_id": "x" * 513}, LONG, "event_id"),
    # session
    ({"type": "session.update"}, MISSING, "session"),
    ({"type": "session.update", "session": []}, TYPE, "session"),
    ({"type": "session.update", "session": {}}, MISSING, "session.type"),
    ({"type": "session.update", "session": {"type": "translation"}}, VALUE, "session.type"),
    (
        {"type": "session.update", "session": {"type": "transcription", "instructions": ""}},
        UNKNOWN,
        "session.instructions",
    ),
    (update(voice="marin"), UNKNOWN, "session.voice"),
    (update(modalities=["text", "audio"]), UNKNOWN, "session.modalities"),
    (update(temperature=0.8), UNKNOWN, "session.temperature"),
    (update(input_audio_format="g711_ulaw"), UNKNOWN, "session.input_audio_format"),
    (update(output_audio_format="g711_ulaw"), UNKNOWN, "session.output_audio_format"),
    (update(input_audio_transcription={"model": "whisper-1"}), UNKNOWN, "session.input_audio_transcription"),
    (update(turn_detection={"type": "server_vad"}), UNKNOWN, "session.turn_detection"),
    (update(voice_activity_detection=None), UNKNOWN, "session.voice_activity_detection"),
    (update(max_response_output_tokens=100), UNKNOWN, "session.max_response_output_tokens"),
    (update(speed=1), UNKNOWN, "session.speed"),
    (update(id="sess_1"), UNKNOWN, "session.id"),
    (update(model=3), TYPE, "session.model"),
    (update(instructions=None), TYPE, "session.instructions"),
    (update(instructions=["a"]), TYPE, "session.instructions"),
    (update(output_modalities=["text", "audio"]), VALUE, "session.output_modalities"),
    (update(output_modalities=[]), VALUE, "session.output_modalities"),
    (update(output_modalities="audio"), TYPE, "session.output_modalities"),
    (update(output_modalities=["video"]), VALUE, "session.output_modalities[0]"),
    (update(max_output_tokens=0), VALUE, "session.max_output_tokens"),
    (update(max_output_tokens="lots"), VALUE, "session.max_output_tokens"),
    (update(tool_choice="some"), VALUE, "session.tool_choice"),
    (update(tool_choice={"type": "function"}), MISSING, "session.tool_choice.name"),
    (update(tool_choice={"type": "function", "function": {"name": "x"}}), MISSING, "session.tool_choice.name"),
    (update(tool_choice={"name": "x"}), MISSING, "session.tool_choice.type"),
    (update(parallel_tool_calls="yes"), TYPE, "session.parallel_tool_calls"),
    (update(reasoning=None), TYPE, "session.reasoning"),
    (update(reasoning={"effort": "extreme"}), VALUE, "session.reasoning.effort"),
    (update(truncation="never"), VALUE, "session.truncation"),
    (update(truncation={"type": "retention_ratio"}), MISSING, "session.truncation.retention_ratio"),
    (update(truncation={"type": "retention_ratio", "retention_ratio": 2}), VALUE, "session.truncation.retention_ratio"),
    (update(tracing="on"), VALUE, "session.tracing"),
    (update(tracing={"workflow": "x"}), UNKNOWN, "session.tracing.workflow"),
    (update(include=["everything"]), VALUE, "session.include[0]"),
    (update(prompt={"version": "1"}), MISSING, "session.prompt.id"),
    # audio
    (update(audio=None), TYPE, "session.audio"),
    (update(audio={"format": "pcmu"}), UNKNOWN, "session.audio.format"),
    (given(format="g711_ulaw"), TYPE, f"{INPUT}.format"),
    (given(format={"type": "g711_ulaw"}), VALUE, f"{INPUT}.format.type"),
    (given(format={"type": "audio/pcmu", "rate": 8000}), UNKNOWN, f"{INPUT}.format.rate"),
    (given(format={"type": "audio/pcm"}), MISSING, f"{INPUT}.format.rate"),
    (given(format={"type": "audio/pcm", "rate": 16000}), VALUE, f"{INPUT}.format.rate"),
    (given(format={"rate": 24000}), MISSING, f"{INPUT}.format.type"),
    (given(voice="marin"), UNKNOWN, f"{INPUT}.voice"),
    (given(noise_reduction={"type": "loud"}), VALUE, f"{INPUT}.noise_reduction.type"),
    (given(noise_reduction={}), MISSING, f"{INPUT}.noise_reduction.type"),
    (given(transcription={"language": "en"}), MISSING, f"{INPUT}.transcription.model"),
    (given(transcription={"model": "gpt-transcribe", "temperature": 0}), UNKNOWN, f"{INPUT}.transcription.temperature"),
    (
        given(transcription={"model": "gpt-transcribe", "keywords": ["<b>"]}),
        VALUE,
        f"{INPUT}.transcription.keywords[0]",
    ),
    (
        given(transcription={"model": "gpt-transcribe", "language": "en", "languages": []}),
        VALUE,
        f"{INPUT}.transcription",
    ),
    (given(transcription={"model": "whisper-1", "languages": ["en"]}), VALUE, f"{INPUT}.transcription"),
    (given(turn_detection={"type": "none"}), VALUE, f"{INPUT}.turn_detection.type"),
    (given(turn_detection="server_vad"), TYPE, f"{INPUT}.turn_detection"),
    (given(turn_detection={"type": "server_vad", "threshold": 3}), VALUE, f"{INPUT}.turn_detection.threshold"),
    (given(turn_detection={"type": "server_vad", "eagerness": "low"}), UNKNOWN, f"{INPUT}.turn_detection.eagerness"),
    (
        given(turn_detection={"type": "server_vad", "silence_duration_ms": "1"}),
        TYPE,
        f"{INPUT}.turn_detection.silence_duration_ms",
    ),
    (
        given(turn_detection={"type": "server_vad", "idle_timeout_ms": 100}),
        VALUE,
        f"{INPUT}.turn_detection.idle_timeout_ms",
    ),
    (
        given(turn_detection={"type": "semantic_vad", "idle_timeout_ms": 6000}),
        UNKNOWN,
        f"{INPUT}.turn_detection.idle_timeout_ms",
    ),
    (spoken(format={"type": "audio/pcmu", "rate": 8000}), UNKNOWN, f"{OUTPUT}.format.rate"),
    (spoken(voice={"name": "me"}), MISSING, f"{OUTPUT}.voice.id"),
    (spoken(voice=""), VALUE, f"{OUTPUT}.voice"),
    (spoken(speed=3), VALUE, f"{OUTPUT}.speed"),
    # tools
    (tool(name="x"), MISSING, "session.tools[0].type"),
    (tool(type="function"), MISSING, "session.tools[0].name"),
    (tool(type="function", function={"name": "x"}), MISSING, "session.tools[0].name"),
    (tool(type="function", name="x", strict=True), UNKNOWN, "session.tools[0].strict"),
    (tool(type="function", name="two words"), VALUE, "session.tools[0].name"),
    (tool(type="web_search"), VALUE, "session.tools[0].type"),
    (tool(type="mcp", server_label="x"), VALUE, "session.tools[0]"),
    (tool(type="mcp", server_url="https://x"), MISSING, "session.tools[0].server_label"),
    (
        tool(type="mcp", server_label="x", server_url="y", require_approval="maybe"),
        VALUE,
        "session.tools[0].require_approval",
    ),
    # items
    ({"type": "conversation.item.create"}, MISSING, "item"),
    (item(role="user"), MISSING, "item.type"),
    (item(type="letter"), VALUE, "item.type"),
    (item(type="message", content=[]), MISSING, "item.role"),
    (item(type="message", role="caller", content=[]), VALUE, "item.role"),
    (item(type="message", role="user"), MISSING, "item.content"),
    (item(type="message", role="user", content=[], id="x" * 33), LONG, "item.id"),
    (item(type="message", role="user", content=[], name="x"), UNKNOWN, "item.name"),
    (message("user", {"type": "text", "text": "x"}), VALUE, "item.content[0].type"),
    (message("user", {"type": "input_text"}), MISSING, "item.content[0].text"),
    (message("user", {"type": "input_image", "image_url": "https://x/y.png"}), VALUE, "item.content[0].image_url"),
    (message("system", {"type": "input_audio", "audio": ""}), VALUE, "item.content[0].type"),
    (message("assistant", {"type": "output_audio", "audio": ""}), VALUE, "item.content[0].type"),
    (item(type="function_call_output", output="x"), MISSING, "item.call_id"),
    (item(type="function_call_output", call_id="x", output={"a": 1}), TYPE, "item.output"),
    (item(type="function_call_output", call_id="x" * 33, output=""), LONG, "item.call_id"),
    (item(type="function_call", name="x", arguments={}), TYPE, "item.arguments"),
    ({"type": "conversation.item.delete"}, MISSING, "item_id"),
    ({"type": "conversation.item.retrieve", "item_id": 1}, TYPE, "item_id"),
    (TRUNCATE | {"content_index": 1}, VALUE, "content_index"),
    (TRUNCATE | {"audio_end_ms": 1.5}, TYPE, "audio_end_ms"),
    (TRUNCATE | {"audio_end_ms": -1}, VALUE, "audio_end_ms"),
    (TRUNCATE | {"audio_end_ms": "100"}, TYPE, "audio_end_ms"),
    # responses
    (create(modalities=["audio"]), UNKNOWN, "response.modalities"),
    (create(voice="marin"), UNKNOWN, "response.voice"),
    (create(temperature=1), UNKNOWN, "response.temperature"),
    (create(conversation="other"), VALUE, "response.conversation"),
    (create(audio={"output": {"speed": 1.2}}), UNKNOWN, "response.audio.output.speed"),
    (create(audio={"input": {}}), MISSING, "response.audio.output"),
    (create(instructions=None), TYPE, "response.instructions"),
    (create(metadata={"a": 1}), TYPE, "response.metadata.a"),
    (create(metadata={"a": "x" * 513}), LONG, "response.metadata.a"),
    (create(metadata={str(n): "" for n in range(17)}), VALUE, "response.metadata"),
    (create(input=[{"type": "item_reference"}]), MISSING, "response.input[0].id"),
    (create(output_modalities=["audio", "text"]), VALUE, "response.output_modalities"),
    ({"type": "response.cancel", "response_id": 7}, TYPE, "response_id"),
]


@pytest.mark.parametrize(("event", "code", "param"), WRONG, ids=[json.dumps(event)[:90] for event, _, _ in WRONG])
def test_a_wrong_event_is_refused_with_its_code_and_field(event, code, param):
    with pytest.raises(Refusal) as refused:
        check(event)

    assert (refused.value.code, refused.value.param) == (code, param)


@pytest.mark.parametrize("frame", ["", "{", "[]", '"text"', "null", "[" * 100_000])
def test_a_frame_that_is_no_json_object_is_refused(frame):
    with pytest.raises(Refusal):
        parse(frame)


@pytest.mark.parametrize(
    ("update", "param"),
    [
        ({"model": "gpt-realtime-1.5"}, "session.model"),
        ({"type": "transcription"}, "session.type"),
        ({"tracing": None}, "session.tracing"),
        ({"reasoning": {"effort": "low"}}, "session.reasoning"),
        ({"audio": {"output": {"voice": "cedar"}}}, "session.audio.output.voice"),
        ({"audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}}, f"{INPUT}.transcription.model"),
    ],
)
def test_what_may_not_change_any_more_is_refused(update, param):
    config = default_config("gpt-realtime-1.5-x") | {"tracing": "auto"}
    with pytest.raises(Refusal) as refused:
        updated(config, update, has_spoken=True)

    assert refused.value.param == param


def test_an_update_changes_only_what_it_names():
    before = default_config("gpt-realtime-2.1")
    after = updated(before, {"audio": {"output": {"voice": "cedar"}}, "instructions": ""}, has_spoken=False)

    assert after["audio"]["output"] == before["audio"]["output"] | {"voice": "cedar"}
    assert after["audio"]["input"] == before["audio"]["input"]
    assert (before["audio"]["output"]["voice"], after["instructions"]) == ("marin", "")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "response.cancel"}, "response_cancel_not_active"),
        ({"type": "response.cancel", "response_id": "resp_gone"}, "response_cancel_not_active"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
        ({"type": "input_audio_buffer.append", "audio": "=="}, "invalid_value"),
        (TRUNCATE, "item_truncate_invalid_item_id"),
        ({"type": "conversation.item.delete", "item_id": "gone"}, "item_delete_invalid_item_id"),
        ({"type": "conversation.item.retrieve", "item_id": "gone"}, "item_retrieve_invalid_item_id"),
        (item(type="function_call_output", call_id="gone", output=""), "invalid_tool_call_id"),
        (message("user") | {"previous_item_id": "gone"}, "item_create_invalid_previous_item_id"),
        (update(voice="x"), "unknown_parameter"),
    ],
)
async def test_a_refusal_reaches_the_client_and_leaves_the_session_open(event, code):
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, dial(sandbox) as client:
        await client.websocket.send(json.dumps(event | {"event_id": "mine"}))
        error = (await client.next("error"))["error"]
        await client.configure()

    assert (error["code"], error["event_id"]) == (code, "mine")


async def test_an_update_that_changes_the_voice_after_speech_changes_nothing_at_all():
    async with (
        SandboxOpenAI(ScriptedBrain([Reply.of(Say.phrase("still_there"))]), speed=100) as sandbox,
        dial(sandbox) as client,
    ):
        await client.configure()
        await client.send("response.create")
        await client.next("response.done")
        change = update(instructions="New.", audio={"output": {"voice": "cedar"}})
        await client.send("session.update", session=change["session"])
        error = (await client.next("error"))["error"]
        session = await sandbox.session()

    assert error["code"] == "cannot_update_voice"
    assert session.config["instructions"] != "New."
