import json
from pathlib import Path
from typing import Any, get_args

import pytest
from openai.types.realtime import RealtimeClientEvent
from pydantic import TypeAdapter

import app
from app.conf.models import AgentConf
from app.openai import client_events, messages, overrides
from app.openai.session_config import compile_session
from app.openai.types import events
from app.realtime.events import (
    AgentText,
    AgentTranscript,
    ApprovalRequested,
    AsideDone,
    AudioDelta,
    AudioDone,
    CallerTranscript,
    IdleTimeout,
    ItemAdded,
    ItemDeleted,
    ItemDone,
    ItemTruncated,
    McpCallDone,
    McpCallProgress,
    McpListProgress,
    RateLimit,
    RateLimits,
    ResponseDone,
    ResponseStarted,
    SessionProblem,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    Unknown,
)
from app.realtime.session import ResponseOptions, Tool

client_event = TypeAdapter(RealtimeClientEvent)


def read(kind: str, **fields: Any) -> object:
    return messages.neutral(messages.decode(json.dumps({"event_id": "e", "type": kind, "news": 1} | fields)))


IDS = {"item_id": "item_1", "response_id": "resp_1", "output_index": 0, "content_index": 0}


@pytest.mark.parametrize("family", ["response.output_audio", "response.audio"])
def test_r0_15_r3_35_r3_36_audio_comes_through_under_its_name_and_under_the_old_one(family: str):
    assert read(f"{family}.delta", delta="//8=", **IDS) == AudioDelta("//8=", "item_1", "resp_1")
    assert read(f"{family}.done", **IDS) == AudioDone("item_1", "resp_1")
    assert read(f"{family}_transcript.delta", delta="Hel", **IDS) == AgentTranscript("Hel", "item_1")
    assert read(f"{family}_transcript.done", transcript="Hello", **IDS) == AgentTranscript("Hello", "item_1", True)


def test_r0_16_r3_33_r3_34_speech_of_the_caller():
    buffer = "input_audio_buffer"
    assert read(f"{buffer}.speech_started", audio_start_ms=120, item_id="item_2") == SpeechStarted(120, "item_2")
    assert read(f"{buffer}.speech_stopped", audio_end_ms=900, item_id="item_2") == SpeechStopped(900, "item_2")


def test_r3_37_words_of_the_caller_and_their_failure_is_harmless():
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
    done = ResponseDone("resp_1", status, reason, {"total_tokens": 3}, retryable=reason != "insufficient_quota")
    assert read("response.done", response=response) == done


def test_r0_17_an_answers_start():
    response = {"id": "resp_1", "object": "realtime.response", "status": "in_progress", "usage": None}
    assert read("response.created", response=response) == ResponseStarted("resp_1")


CALL = {"id": "item_3", "type": "function_call", "call_id": "call_1", "name": "lookup", "arguments": '{"key":"7"}'}


def test_r0_18_a_tool_call_comes_from_the_completed_item():
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
        ({"code": "session_expired"}, "over"),
        ({"code": "invalid_api_key"}, "fatal"),
        ({"code": "insufficient_quota"}, "fatal"),
    ],
)
def test_r3_40_r3_b4_errors_are_weighed(error: dict, severity: str):
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
def test_r0_14_unknown_kinds_and_known_ones_of_a_strange_shape_pass_as_unknown(kind: str, fields: dict):
    assert read(kind, **fields) == Unknown(kind)


SAMPLES = sorted((Path(app.__file__).parent / "sandbox" / "data" / "openai").glob("*.json"))
KINDS = {event.__struct_config__.tag for event in get_args(events.KNOWN)}
USELESS = {  # typed, and no call has a use for them
    "conversation.created",
    "conversation.item.input_audio_transcription.segment",
    "conversation.item.retrieved",
    "input_audio_buffer.cleared",
    "input_audio_buffer.committed",
    "input_audio_buffer.dtmf_event_received",
    "output_audio_buffer.cleared",
    "output_audio_buffer.started",
    "output_audio_buffer.stopped",
    "response.content_part.added",
    "response.content_part.done",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.mcp_call_arguments.delta",
    "response.mcp_call_arguments.done",
    "response.output_item.added",
    "session.created",  # told by the link, once the session is confirmed
}


def test_r0_19_there_is_a_sample_of_each_of_the_46_documented_events_and_each_has_a_type():
    assert len(SAMPLES) == 46
    assert {sample.stem for sample in SAMPLES} <= KINDS


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_r0_19_every_documented_event_is_typed_and_told_unless_no_call_has_a_use_for_it(sample: Path):
    event = messages.decode(sample.read_text())
    assert isinstance(event, events.ServerEvent)
    assert event.kind == sample.stem
    assert (messages.neutral(event) == Unknown(sample.stem)) is (sample.stem in USELESS)


@pytest.mark.parametrize("family", ["response.output_text", "response.text"])
def test_written_answers_come_through_under_their_name_and_under_the_old_one(family: str):
    assert read(f"{family}.delta", delta="Hel", **IDS) == AgentText("Hel", "item_1", "resp_1")
    assert read(f"{family}.done", text="Hello", **IDS) == AgentText("Hello", "item_1", "resp_1", final=True)


def test_the_life_of_an_item():
    item = {"id": "item_2", "type": "message", "role": "user", "status": "completed"}
    added = read("conversation.item.added", item=item, previous_item_id="item_1")
    assert added == ItemAdded("item_2", "message", "user", "item_1")
    assert read("conversation.item.done", item=item) == ItemDone("item_2", "message", "user", "completed")
    assert read("conversation.item.truncated", item_id="item_2", audio_end_ms=7) == ItemTruncated("item_2", 7)
    assert read("conversation.item.deleted", item_id="item_2") == ItemDeleted("item_2")


def test_idle_time_outs_and_limits():
    idle = read("input_audio_buffer.timeout_triggered", item_id="item_2", audio_start_ms=1, audio_end_ms=9)
    assert idle == IdleTimeout("item_2", 1, 9)
    limits = [{"name": "tokens", "limit": 10, "remaining": 4, "reset_seconds": 0.5}]
    assert read("rate_limits.updated", rate_limits=limits) == RateLimits((RateLimit("tokens", 10, 4, 0.5),))


@pytest.mark.parametrize("progress", ["in_progress", "completed", "failed"])
def test_mcp_progress(progress: str):
    assert read(f"mcp_list_tools.{progress}", item_id="item_1") == McpListProgress("item_1", progress)
    assert read(f"response.mcp_call.{progress}", item_id="item_1") == McpCallProgress("item_1", progress)


def test_an_mcp_call_ends_with_its_output_or_with_what_went_wrong():
    call = {"id": "item_1", "type": "mcp_call", "server_label": "docs", "name": "search", "arguments": "{}"}
    done = read("response.output_item.done", response_id="resp_1", item=call | {"output": "found"})
    assert done == McpCallDone("item_1", "docs", "search", "{}", output="found", response_id="resp_1")
    failed = read("response.output_item.done", item=call | {"error": {"type": "http_error", "message": "gone"}})
    assert failed == McpCallDone("item_1", "docs", "search", "{}", error="gone")


def test_an_approval_is_asked_for_once():
    item = {"id": "ask_1", "type": "mcp_approval_request", "server_label": "docs", "name": "pay", "arguments": "{}"}
    assert read("response.output_item.done", item=item) == ApprovalRequested("ask_1", "docs", "pay", "{}")
    assert read("response.output_item.added", item=item) == Unknown("response.output_item.added")


def test_the_answer_to_a_question_beside_the_conversation_is_known_by_its_metadata():
    output = [{"type": "message", "content": [{"type": "output_text", "text": "angry"}]}]
    response = {"id": "r", "status": "completed", "metadata": {"parley_aside": "mood"}, "output": output}
    assert read("response.done", response=response) == AsideDone("mood", "angry")
    assert read("response.created", response=response) == Unknown("response.created")


@pytest.mark.parametrize(
    "frame",
    ["", "no json", "[]", "{}", '{"type":7}', '{"type":"error"', b"\xff\xfe", '{"type":"x","a":' + "[" * 10_000],
    ids=["empty", "text", "list", "no-type", "number", "half", "bytes", "deep"],
)
def test_r3_41_a_frame_that_is_no_event_is_refused_and_nothing_worse(frame: str | bytes):
    with pytest.raises(ValueError, match=r"."):
        messages.decode(frame)


TOOL = Tool("lookup", "Looks up.", {"type": "object", "properties": {}})
OPTIONS = ResponseOptions("Be brief.", "text", "cedar", [TOOL], "lookup", 100, {"a": "b"})


def sent_events() -> list[str]:
    session = compile_session(AgentConf()).wire()
    return [
        client_events.append("//8="),
        client_events.session_update(session, "configure"),
        client_events.session_update(overrides.for_session(session, {"instructions": "New."}), "event_1"),
        client_events.session_update(overrides.for_session(session, {"tools": overrides.functions([TOOL])}), "event_1"),
        client_events.tool_output("item_1", "call_1", 'said "so"\n'),
        client_events.message("item_2", "user", "Grüße"),
        client_events.message("item_3", "system", "Say it."),
        client_events.message("item_4", "user", "Look.", ["data:image/png;base64,AAAA"]),
        client_events.approval("item_5", "ask_1", approve=True, reason=None),
        client_events.approval("item_5", "ask_1", approve=False, reason="no"),
        client_events.response_create("create_1"),
        client_events.response_create("create_1", overrides.of_options(OPTIONS)),
        client_events.response_create("event_2", client_events.aside("mood", {"instructions": "How are they?"})),
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
