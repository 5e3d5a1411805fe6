"""What OpenAI's server says, as `RealtimeInEvent`s; what we say to it is in `client_events`.

Source: the Realtime API over WebSocket, general availability. Raw wire words stay in these two files and in `types`.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from app.openai.client_events import ASIDE
from app.openai.types import events as wire
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
    RealtimeInEvent,
    ResponseDone,
    ResponseStarted,
    SessionProblem,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    Unknown,
)

ACTIVE_RESPONSE = "conversation_already_has_active_response"
EXPIRED = "session_expired"

FATAL_CODES = frozenset(
    {
        "invalid_api_key",
        "insufficient_quota",
        "model_not_found",
        "missing_model",
        "beta_api_shape_disabled",
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
_items = msgspec.json.Decoder(list[wire.OutputItem] | None)


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
            return CallerTranscript(event.transcript, event.item_id, final=True, usage=event.usage)
        case wire.SpeechStarted():
            return SpeechStarted(event.audio_start_ms, event.item_id)
        case wire.SpeechStopped():
            return SpeechStopped(event.audio_end_ms, event.item_id)
        case _:
            return _not_speech(event)


def _not_speech(event: wire.ServerEvent | wire.Other) -> RealtimeInEvent:
    match event:
        case wire.ResponseCreated() if aside(event.response) is None:
            return ResponseStarted(event.response.id)
        case wire.ResponseDone():
            return _response_done(event.response)
        case wire.TextDelta():
            return AgentText(event.delta, event.item_id, event.response_id)
        case wire.TextDone():
            return AgentText(event.text, event.item_id, event.response_id, final=True)
        case wire.OutputItemDone():
            return tool_call(event) or _mcp(event) or Unknown("response.output_item.done")
        case wire.CallerTranscriptFailed():
            text = f"input transcription: {describe(event.error)}"
            return SessionProblem(text, event.error.code, "harmless", event.item_id)
        case wire.Error():
            return SessionProblem(describe(event.error), event.error.code, severity(event.error))
        case wire.SessionUpdated():
            return SessionUpdated(event.session)
        case wire.RateLimitsUpdated():
            limits = (RateLimit(one.name, one.limit, one.remaining, one.reset_seconds) for one in event.rate_limits)
            return RateLimits(tuple(limits))
        case wire.Other():
            return Unknown(event.type)
        case _:
            return _item(event)


def _item(event: wire.ServerEvent) -> RealtimeInEvent:
    match event:
        case wire.ItemAdded(wire.Item(id=str(item_id)) as item):
            return ItemAdded(item_id, item.type or "", item.role, event.previous_item_id)
        case wire.ItemDone(wire.Item(id=str(item_id)) as item):
            return ItemDone(item_id, item.type or "", item.role, item.status)
        case wire.ItemDeleted():
            return ItemDeleted(event.item_id)
        case wire.ItemTruncated():
            return ItemTruncated(event.item_id, event.audio_end_ms)
        case wire.IdleTimeout():
            return IdleTimeout(event.item_id, event.audio_start_ms, event.audio_end_ms)
        case wire.McpListInProgress():
            return McpListProgress(event.item_id, "in_progress")
        case wire.McpListCompleted():
            return McpListProgress(event.item_id, "completed")
        case wire.McpListFailed():
            return McpListProgress(event.item_id, "failed")
        case wire.McpCallInProgress():
            return McpCallProgress(event.item_id, "in_progress")
        case wire.McpCallCompleted():
            return McpCallProgress(event.item_id, "completed")
        case wire.McpCallFailed():
            return McpCallProgress(event.item_id, "failed")
        case _:
            return Unknown(event.kind)


def tool_call(event: wire.OutputItemDone) -> ToolCall | None:
    """The call in a finished item. The arguments event would not do: it also comes, half-written, with a cut answer."""
    match event.item:
        case wire.Item(type="function_call", status="completed", call_id=str(call_id), name=str(name), arguments=text):
            return ToolCall(call_id, name, text or "", event.response_id)
        case _:
            return None


def _mcp(done: wire.OutputItemDone) -> McpCallDone | ApprovalRequested | None:
    """The MCP call in a finished item, or the question whether there may be one."""
    item = done.item
    item_id, server, name, arguments = item.id or "", item.server_label or "", item.name or "", item.arguments or ""
    match item.type:
        case "mcp_call":
            error = None if item.error is None else _in_words(item.error)
            return McpCallDone(item_id, server, name, arguments, item.output, error, done.response_id)
        case "mcp_approval_request":
            return ApprovalRequested(item_id, server, name, arguments, done.response_id)
        case _:
            return None


def _in_words(error: Any) -> str:
    message = error.get("message") if isinstance(error, Mapping) else None
    return message if isinstance(message, str) else msgspec.json.encode(error).decode()


def aside(response: wire.Response) -> str | None:
    """The name of the question that this response answers, if it is one beside the conversation."""
    name = (response.metadata or {}).get(ASIDE)
    return name if isinstance(name, str) else None


def is_unvoiced(response: wire.Response) -> bool:
    """Whether the answer ends with an MCP call: the model has the result, and has not said a word about it."""
    items = _output(response)
    return response.status == "completed" and bool(items) and items[-1].type == "mcp_call"


def _output(response: wire.Response) -> list[wire.OutputItem]:
    try:
        return _items.decode(response.output) or []
    except msgspec.MsgspecError:
        return []


def _response_done(response: wire.Response) -> ResponseDone | AsideDone:
    status = _STATUSES.get(response.status, "completed")
    details = response.status_details or wire.StatusDetails()
    error = details.error or wire.ErrorDetails()
    reason = details.reason or error.code or error.type
    if (name := aside(response)) is None:
        return ResponseDone(response.id, status, reason, response.usage, retryable=reason not in FATAL_CODES)
    parts = (part for item in _output(response) for part in item.content or [])
    return AsideDone(name, "".join(part.text or "" for part in parts), status, reason, response.usage)


def severity(error: wire.ErrorDetails) -> Literal["harmless", "retryable", "over", "fatal"]:
    """How much an error matters: races are harmless, an expired session is over, wrong access is the end."""
    if error.code == EXPIRED:
        return "over"
    if error.code in FATAL_CODES:
        return "fatal"
    if error.code in _HARMLESS_CODES or "already shorter" in (error.message or ""):
        return "harmless"
    return "retryable"


def describe(error: wire.ErrorDetails) -> str:
    """An error in one line: the field it is about where the server names it, and its message."""
    what = error.message or error.code or error.type or "unnamed error"
    return f"{error.param}: {what}" if error.param else what
