"""What a response is about: everything that reached the session since the last one, and what its creator wishes."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.openai.brain import CallMcp, Heard, ToolOutput, Why, exact_words
from app.sandbox.openai.conversation import Conversation, Entry, parts_of
from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.response import Terms
from app.sandbox.openai.session_config import Config
from app.sandbox.openai.sound import Format

Wish = Mapping[str, Any]
"""The `response` of a `response.create`; empty when voice activity creates one."""


@dataclass(slots=True)
class Pending:
    """What reached the session since its last response."""

    ears: "asyncio.Task[str | None] | None" = None
    """They are still making out the caller's last turn, or have."""
    audio_ms: int = 0
    outputs: list[ToolOutput] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    def add(self, item: Mapping[str, Any], conversation: Conversation) -> None:
        """An item of the client's."""
        if item["type"] == "function_call_output":
            call = conversation.call(item["call_id"]) or {"name": "", "arguments": ""}
            self.outputs.append(ToolOutput(item["call_id"], call["name"], call["arguments"], item["output"]))
        elif item.get("role") in ("user", "system"):
            self.texts += [part["text"] for part in item["content"] if part["type"] == "input_text"]
            self.images += [part["image_url"] for part in item["content"] if part["type"] == "input_image"]


def what_was_heard(pending: Pending, config: Config, wish: Wish, *, idle: bool, first: bool) -> Heard:
    """What the brain is told, all but the phrase, which the ears may still be making out."""
    text = "\n".join(pending.texts)
    words = exact_words(wish.get("instructions", "")) or exact_words(text)
    reasons: list[tuple[Why, object]] = [
        ("idle", idle),
        ("exact_words", words),
        ("tool_outputs", pending.outputs),
        ("speech", pending.ears),
        ("text", pending.texts or pending.images),
        ("start", first),
    ]
    return Heard(
        why=next((why for why, holds in reasons if holds), "asked"),
        audio_ms=pending.audio_ms,
        outputs=tuple(pending.outputs),
        text=text,
        words=words,
        images=tuple(pending.images),
        instructions=wish.get("instructions", config["instructions"]),
        tools=_callable_tools(config, wish),
    )


def own_context(wish: Wish, conversation: Conversation) -> tuple[Pending, Conversation]:
    """What is pending for a response that brings its own input, and the conversation it sees in place of the other."""
    pending, context = Pending(), Conversation()
    for place, item in enumerate(wish["input"]):
        if item["type"] == "item_reference":
            entry = conversation.get(item["id"])
            if entry is None:
                message = f"Item with id '{item['id']}' not found."
                raise Refusal("invalid_value", message, f"response.input[{place}].id")
            pending.texts += [said for part in parts_of(entry.item) if (said := part.get("transcript"))]
        else:
            entry = Entry({"id": f"input_{place}", **item})
        context.insert(entry)
        pending.add(entry.item, context)
    return pending, context


def terms(config: Config, wish: Wish, echo_format: Format | None, needs_approval: Callable[[CallMcp], bool]) -> Terms:
    """How that response is to be delivered."""
    output = {**config["audio"]["output"], **wish.get("audio", {}).get("output", {})}
    modalities = wish.get("output_modalities", config["output_modalities"])
    most = wish.get("max_output_tokens", config["max_output_tokens"])
    shown = {
        "output_modalities": modalities,
        "max_output_tokens": most,
        "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
        "metadata": wish.get("metadata"),
    }
    return Terms(modalities[0], echo_format or output["format"]["type"], float(most), shown, needs_approval)


def _callable_tools(config: Config, wish: Wish) -> frozenset[str]:
    choice = wish.get("tool_choice", config["tool_choice"])
    tools = wish.get("tools", config["tools"])
    names = frozenset(tool["name"] for tool in tools if tool["type"] == "function")
    if isinstance(choice, Mapping):
        return names & {choice.get("name")}
    return frozenset() if choice == "none" else names
