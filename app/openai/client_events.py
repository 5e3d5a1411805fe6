"""What we say to OpenAI's server, as JSON text.

Source: the Realtime API over WebSocket, general availability.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from app.realtime.history import HistoryItem, Spoken, Told, ToolAnswered, ToolAsked

Role = Literal["user", "system"]
ASIDE = "parley_aside"
"""The metadata by which a response beside the conversation is known."""


def append(audio: str) -> str:
    """Caller audio: base64 in the session's input format."""
    return f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}'


def session_update(session: Mapping[str, Any], event_id: str) -> str:
    """Configure the session."""
    return encode({"type": "session.update", "event_id": event_id, "session": session})


def tool_output(item_id: str, call_id: str, output: str) -> str:
    """The answer to a tool call."""
    return _item_create(item_id, {"type": "function_call_output", "call_id": call_id, "output": output})


def message(item_id: str, role: Role, text: str, image_urls: Sequence[str] = ()) -> str:
    """Something that was said in writing, or shown; pictures only come from the caller's side."""
    content: list[dict[str, str]] = [{"type": "input_text", "text": text}] if text else []
    content += [{"type": "input_image", "image_url": url} for url in image_urls]
    return _item_create(item_id, {"type": "message", "role": role, "content": content})


def remembered(item_id: str, item: HistoryItem) -> str:
    """A part of an earlier conversation: only text can be put back, and as `output_text` on the agent's side."""
    match item:
        case Spoken("caller", text):
            return message(item_id, "user", text)
        case Spoken(_, text):
            content = [{"type": "output_text", "text": text}]
            return _item_create(item_id, {"type": "message", "role": "assistant", "content": content})
        case Told(text):
            return message(item_id, "system", text)
        case ToolAsked(call_id, name, arguments):
            call = {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
            return _item_create(item_id, call)
        case ToolAnswered(call_id, output):
            return tool_output(item_id, call_id, output)


def approval(item_id: str, request_id: str, *, approve: bool, reason: str | None) -> str:
    """Whether an MCP tool may run."""
    answer = {"type": "mcp_approval_response", "approval_request_id": request_id, "approve": approve}
    return _item_create(item_id, answer | ({"reason": reason} if reason else {}))


def response_create(event_id: str, overrides: Mapping[str, Any] | None = None) -> str:
    """Let the model answer what the conversation holds, in the session's way or with these differences."""
    event = {"type": "response.create", "event_id": event_id}
    return encode(event | {"response": overrides} if overrides else event)


def aside(name: str, response: Mapping[str, Any]) -> dict[str, Any]:
    """That response, in writing and beside the conversation, where the caller hears nothing of it."""
    metadata = {**(response.get("metadata") or {}), ASIDE: name}
    return {**response, "conversation": "none", "output_modalities": ["text"], "metadata": metadata}


def response_cancel(response_id: str) -> str:
    """Stop that answer, or whichever is under way when its id is not known."""
    return encode({"type": "response.cancel"} | ({"response_id": response_id} if response_id else {}))


def truncate(item_id: str, heard_ms: int) -> str:
    """The caller heard only this much of the item; content 0 is its audio."""
    return encode(
        {"type": "conversation.item.truncate", "item_id": item_id, "content_index": 0, "audio_end_ms": heard_ms}
    )


def _item_create(item_id: str, item: Mapping[str, Any]) -> str:
    """The item's id is the event's as well, so that a refusal names the item."""
    return encode({"type": "conversation.item.create", "event_id": item_id, "item": {"id": item_id, **item}})


def encode(event: Mapping[str, Any]) -> str:
    """Any event of the wire."""
    return msgspec.json.encode(event).decode()
