"""OpenAI's realtime messages, in and out: server events to `RealtimeInEvent`s, client events to JSON text.

Source: the Realtime API over WebSocket, general availability. Raw wire words stay in this file and in `types`.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from app.openai.types import events as wire
from app.realtime.events import (
    AgentTranscript,
    AudioDelta,
    AudioDone,
    CallerTranscript,
    RealtimeInEvent,
    ResponseDone,
    ResponseStarted,
    SessionProblem,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    Unknown,
)

Role = Literal["user", "system"]
ACTIVE_RESPONSE = "conversation_already_has_active_response"

FATAL_CODES = frozenset(
    {
        "invalid_api_key",
        "insufficient_quota",
        "model_not_found",
        "missing_model",
        "beta_api_shape_disabled",
        "session_expired",
    }
)
_HARMLESS_CODES = frozenset(
    {
        ACTIVE_RESPONSE,
        "response_cancel_not_active",
        "input_audio_buffer_commit_empty",
        "item_truncate_invalid_item_id",
        "item_delete_invalid_item_id",
        "item_retrieve_invalid_item_id",
    }
)
_STATUSES: Mapping[str | None, Literal["completed", "cancelled", "incomplete", "failed"]] = {
    "cancelled": "cancelled",
    "incomplete": "incomplete",
    "failed": "failed",
}

_known: msgspec.json.Decoder[wire.ServerEvent] = msgspec.json.Decoder(wire.KNOWN)
_any = msgspec.json.Decoder(wire.Other)


def decode(frame: bytes | str) -> wire.ServerEvent | wire.Other:
    """Read one server event. Unknown kinds, and known ones of a shape we cannot read, come back as `Other`.

    Raises `ValueError` when the frame is no event at all.
    """
    try:
        try:
            return _known.decode(frame)
        except msgspec.ValidationError:
            return _any.decode(frame)
    except RecursionError:
        raise ValueError("a frame nested too deeply") from None


def neutral(event: wire.ServerEvent | wire.Other) -> RealtimeInEvent:
    """What that event means to a call."""
    match event:
        case wire.AudioDelta():  # first, since it is by far the most frequent
            return AudioDelta(event.delta, event.item_id, event.response_id)
        case wire.AudioDone():
            return AudioDone(event.item_id, event.response_id)
        case wire.TranscriptDelta():
            return AgentTranscript(event.delta, event.item_id)
        case wire.TranscriptDone():
            return AgentTranscript(event.transcript, event.item_id, final=True)
        case wire.CallerTranscriptDelta():
            return CallerTranscript(event.delta or "", event.item_id)
        case wire.CallerTranscriptDone():
            return CallerTranscript(event.transcript, event.item_id, final=True)
        case wire.SpeechStarted():
            return SpeechStarted(event.audio_start_ms, event.item_id)
        case wire.SpeechStopped():
            return SpeechStopped(event.audio_end_ms, event.item_id)
        case _:
            return _not_speech(event)


def _not_speech(event: wire.ServerEvent | wire.Other) -> RealtimeInEvent:
    match event:
        case wire.ResponseCreated():
            return ResponseStarted(event.response.id)
        case wire.ResponseDone():
            return _response_done(event.response)
        case wire.OutputItemDone() if call := tool_call(event):
            return call
        case wire.CallerTranscriptFailed():
            return SessionProblem(f"input transcription: {describe(event.error)}", event.error.code, "harmless")
        case wire.Error():
            return SessionProblem(describe(event.error), event.error.code, severity(event.error))
        case wire.Other():
            return Unknown(event.type)
        case _:
            return Unknown(str(event.__struct_config__.tag))


def tool_call(event: wire.OutputItemDone) -> ToolCall | None:
    """The call in a finished item. The arguments event would not do: it also comes, half-written, with a cut answer."""
    match event.item:
        case wire.Item(type="function_call", status="completed", call_id=str(call_id), name=str(name), arguments=text):
            return ToolCall(call_id, name, text or "", event.response_id)
        case _:
            return None


def _response_done(response: wire.Response) -> ResponseDone:
    status = _STATUSES.get(response.status, "completed")
    details = response.status_details or wire.StatusDetails()
    error = details.error or wire.ErrorDetails()
    return ResponseDone(response.id, status, details.reason or error.code or error.type, response.usage)


def severity(error: wire.ErrorDetails) -> Literal["harmless", "retryable", "fatal"]:
    """How much an error matters: races are harmless, wrong access and an expired session are the end."""
    if error.code in FATAL_CODES:
        return "fatal"
    if error.code in _HARMLESS_CODES or "already shorter" in (error.message or ""):
        return "harmless"
    return "retryable"


def describe(error: wire.ErrorDetails) -> str:
    """An error in one line: the field it is about where the server names it, and its message."""
    what = error.message or error.code or error.type or "unnamed error"
    return f"{error.param}: {what}" if error.param else what


def append(audio: str) -> str:
    """Caller audio: base64 in the session's input format."""
    return f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}'


def session_update(session: Mapping[str, Any], event_id: str) -> str:
    """Configure the session."""
    return _json({"type": "session.update", "event_id": event_id, "session": session})


def tool_output(item_id: str, call_id: str, output: str) -> str:
    """The answer to a tool call."""
    return _item(item_id, {"type": "function_call_output", "call_id": call_id, "output": output})


def message(item_id: str, role: Role, text: str) -> str:
    """Something that was said in writing."""
    content = [{"type": "input_text", "text": text}]
    return _item(item_id, {"type": "message", "role": role, "content": content})


def response_create(event_id: str) -> str:
    """Let the model answer what the conversation holds."""
    return f'{{"type":"response.create","event_id":"{event_id}"}}'


def response_cancel(response_id: str) -> str:
    """Stop that answer, or whichever is under way when its id is not known."""
    return _json({"type": "response.cancel"} | ({"response_id": response_id} if response_id else {}))


def truncate(item_id: str, heard_ms: int) -> str:
    """The caller heard only this much of the item; content 0 is its audio."""
    return _json(
        {"type": "conversation.item.truncate", "item_id": item_id, "content_index": 0, "audio_end_ms": heard_ms}
    )


def _item(item_id: str, item: Mapping[str, Any]) -> str:
    """The item's id is the event's as well, so that a refusal names the item."""
    return _json({"type": "conversation.item.create", "event_id": item_id, "item": {"id": item_id, **item}})


def _json(event: Mapping[str, Any]) -> str:
    return msgspec.json.encode(event).decode()
