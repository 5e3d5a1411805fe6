"""Items that a client creates: what the schema cannot see in them, and how they are kept."""

import base64
from typing import Any

from app.audio import from_base64
from app.sandbox.openai.conversation import Conversation, Entry
from app.sandbox.openai.outbox import new_id
from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.sound import Format

_IMAGE_STARTS = {"data:image/png;base64,": b"\x89PNG\r\n\x1a\n", "data:image/jpeg;base64,": b"\xff\xd8\xff"}


def entry_of(given: dict[str, Any], conversation: Conversation, form: Format) -> Entry:
    """The item as the conversation keeps it; raises `Refusal`."""
    item = {"id": new_id("item"), "object": "realtime.item", "status": "completed", **given}
    if item["type"] == "function_call":
        item = {"call_id": new_id("call"), **item}
    if item["type"] == "function_call_output" and conversation.call(item["call_id"]) is None:
        message = f"Tool call ID '{item['call_id']}' not found in conversation."
        raise Refusal("invalid_tool_call_id", message, "item.call_id")
    if item.get("role") != "user":
        return Entry(item)
    audio = b"".join(_content(part, f"item.content[{place}]") for place, part in enumerate(item["content"]))
    content = [{name: value for name, value in part.items() if name != "audio"} for part in item["content"]]
    return Entry(item | {"content": content}, audio, form)


def _content(part: dict[str, Any], path: str) -> bytes:
    """The audio of a user's content part; an image that is none is refused."""
    try:
        match part["type"]:
            case "input_audio":
                return from_base64(part["audio"])
            case "input_image":
                _check_image(part["image_url"])
    except ValueError as error:
        field = "audio" if part["type"] == "input_audio" else "image_url"
        raise Refusal("invalid_value", f"Invalid '{path}.{field}': {error}.", f"{path}.{field}") from None
    return b""


def _check_image(url: str) -> None:
    head, _, data = url.partition(",")
    if not base64.b64decode(data, validate=True).startswith(_IMAGE_STARTS[f"{head},"]):
        raise ValueError("the image is not what its media type says")
