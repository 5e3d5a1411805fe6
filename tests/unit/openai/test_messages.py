import json
from pathlib import Path
from typing import Any, get_args

import pytest
from openai.types.realtime import RealtimeClientEvent
from pydantic import TypeAdapter

import app
from app.conf.models import AgentConf
from app.openai import client_events, messages
from app.openai.session_config import compile_session
from app.openai.types import events
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

client_event = TypeAdapter(RealtimeClientEvent)


def read(kind: str, **fields: Any) -> object:
    return messages.neutral(messages.decode(json.dumps({"event_id": "e", "type": kind, "news": 1} | fields)))


IDS = {"item_id": "item_1", "response_id": "resp_1", "output_index": 0, "content_index": 0}


@pytest.mark.parametrize("family", ["response.output_audio", "response.audio"])
def test_audio_comes_through_under_its_name_and_under_the_old_one(family: str):
    assert read(f"{family}.delta", delta="//8=", **IDS) == AudioDelta("//8=", "item_1", "resp_1")
    assert read(f"{family}.done", **IDS) == AudioDone("item_1", "resp_1")
    assert read(f"{family}_transcript.delta", delta="Hel", **IDS) == AgentTranscript("Hel", "item_1")
    assert read(f"{family}_transcript.done", transcript="Hello", **IDS) == AgentTranscript("Hello", "item_1", True)


def test_speech_of_the_caller():
    buffer = "input_audio_buffer"
    assert read(f"{buffer}.speech_started", audio_start_ms=120, item_id="item_2") == SpeechStarted(120, "item_2")
    assert read(f"{buffer}.speech_stopped", audio_end_ms=900, item_id="item_2") == SpeechStopped(900, "item_2")


def test_words_of_the_caller():
    family = "conversation.item.input_audio_transcription"
    assert read(f"{family}.delta", delta="Wh", item_id="item_2") == CallerTranscript("Wh", "item_2")
    assert read(f"{family}.completed", transcript="What", item_id="item_2") == CallerTranscript("What", "item_2", True)
    failed = read(f"{family}.failed", item_id="item_2", error={"message": "no luck", "code": "audio_unintelligible"})
    assert failed == SessionProblem("input transcription: no luck", "audio_unintelligible", "harmless", "item_2")


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("completed", None, None),
        ("cancelled", {"type": "cancelled", "reason": "turn_detected"}, "turn_detected"),
        ("incomplete", {"type": "incomplete", "reason": "max_output_tokens"}, "max_output_tokens"),
        ("failed", {"type": "failed", "error": {"type": "server_error", "code": None}}, "server_error"),
        ("failed", {"type": "failed", "error": {"code": "insufficient_quota"}}, "insufficient_quota"),
    ],
)
def test_an_answers_end_says_how_and_why(status: str, details: dict | None, reason: str | None):
    response = {"id": "resp_1", "status": status, "status_details": details, "usage": {"total_tokens": 3}}
    assert read("response.done", response=response) == ResponseDone("resp_1", status, reason, {"total_tokens": 3})


def test_an_answers_start():
    response = {"id": "resp_1", "object": "realtime.response", "status": "in_progress", "usage": None}
    assert read("response.created", response=response) == ResponseStarted("resp_1")


CALL = {"id": "item_3", "type": "function_call", "call_id": "call_1", "name": "lookup", "arguments": '{"key":"7"}'}


def test_a_tool_call_comes_from_the_completed_item():
    event = read("response.output_item.done", response_id="resp_1", item=CALL | {"status": "completed"})
    assert event == ToolCall("call_1", "lookup", '{"key":"7"}', "resp_1")


def test_a_cut_off_call_its_arguments_event_and_other_items_are_no_tool_calls():
    cut = read("response.output_item.done", item=CALL | {"status": "incomplete", "arguments": '{"ke'})
    arguments = read("response.function_call_arguments.done", call_id="call_1", name="lookup", arguments="{}", **IDS)
    words = read("response.output_item.done", item={"id": "item_4", "type": "message", "status": "completed"})
    assert cut == words == Unknown("response.output_item.done")
    assert arguments == Unknown("response.function_call_arguments.done")


@pytest.mark.parametrize(
    ("error", "severity"),
    [
        ({"code": "response_cancel_not_active"}, "harmless"),
        ({"code": "conversation_already_has_active_response"}, "harmless"),
        ({"code": "item_truncate_invalid_item_id"}, "harmless"),
        ({"code": "invalid_value", "message": "Audio content of 20ms is already shorter than 40ms"}, "harmless"),
        ({"code": "invalid_value", "message": "no"}, "retryable"),
        ({"code": None, "type": "server_error", "message": "oops"}, "retryable"),
        ({"code": "session_expired"}, "fatal"),
        ({"code": "invalid_api_key"}, "fatal"),
        ({"code": "insufficient_quota"}, "fatal"),
    ],
)
def test_errors_are_weighed(error: dict, severity: str):
    event = read("error", error=error)
    assert isinstance(event, SessionProblem)
    assert (event.code, event.severity) == (error["code"], severity)


def test_an_error_names_its_field():
    event = read("error", error={"code": "invalid_value", "message": "too fast", "param": "session.audio.output.speed"})
    assert event == SessionProblem("session.audio.output.speed: too fast", "invalid_value", "retryable")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("rate_limits.updated", {"rate_limits": 7}),
        ("response.telepathy.delta", {"delta": {"deep": [1]}}),
        ("response.output_audio.delta", {"delta": 7}),
        ("response.done", {"response": "gone"}),
        ("session.updated", {"session": []}),
        ("conversation.item.added", {"item": {}}),
    ],
)
def test_unknown_kinds_and_known_ones_of_a_strange_shape_pass_as_unknown(kind: str, fields: dict):
    assert read(kind, **fields) == Unknown(kind)


TAGS = {event.__struct_config__.tag for event in get_args(events.KNOWN)}
SAMPLES = sorted((Path(app.__file__).parent / "sandbox" / "data" / "openai").glob("*.json"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_every_documented_event_is_read_and_none_we_act_on_passes_as_unknown(sample: Path):
    text = sample.read_text()
    kind = json.loads(text)["type"]
    event = messages.decode(text)
    assert (kind in TAGS) is isinstance(event, events.ServerEvent)
    messages.neutral(event)


@pytest.mark.parametrize(
    "frame",
    ["", "no json", "[]", "{}", '{"type":7}', '{"type":"error"', b"\xff\xfe", '{"type":"x","a":' + "[" * 10_000],
    ids=["empty", "text", "list", "no-type", "number", "half", "bytes", "deep"],
)
def test_a_frame_that_is_no_event_is_refused_and_nothing_worse(frame: str | bytes):
    with pytest.raises(ValueError, match=r"."):
        messages.decode(frame)


def sent_events() -> list[str]:
    return [
        client_events.append("//8="),
        client_events.session_update(compile_session(AgentConf()).wire(), "configure"),
        client_events.tool_output("item_1", "call_1", 'said "so"\n'),
        client_events.message("item_2", "user", "Grüße"),
        client_events.message("item_3", "system", "Say it."),
        client_events.response_create("create_1"),
        client_events.response_cancel("resp_1"),
        client_events.response_cancel(""),
        client_events.truncate("item_1", 1500),
    ]


@pytest.mark.parametrize("text", sent_events(), ids=lambda text: json.loads(text)["type"])
def test_the_official_types_accept_what_we_send_and_lose_nothing_of_it(text: str):
    event = client_event.validate_json(text)
    assert event.model_dump(mode="json", exclude_unset=True) == json.loads(text)


def test_text_is_carried_whole():
    item = json.loads(client_events.tool_output("item_1", "call_1", 'said "so"\n'))["item"]
    assert item == {"id": "item_1", "type": "function_call_output", "call_id": "call_1", "output": 'said "so"\n'}


def test_a_cut_names_the_first_content_and_whole_milliseconds():
    assert json.loads(client_events.truncate("item_1", 1500)) == {
        "type": "conversation.item.truncate",
        "item_id": "item_1",
        "content_index": 0,
        "audio_end_ms": 1500,
    }


def test_without_a_known_id_a_cancel_names_none():
    assert "response_id" not in json.loads(client_events.response_cancel(""))
