"""What a response is about: everything that reached the session since the last one, and what its creator wishes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.openai.brain import Heard, ToolOutput, Why, exact_words
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


def what_was_heard(pending: Pending, config: Config, wish: Wish, *, idle: bool, first: bool) -> Heard:
    """What the brain is told, all but the phrase, which the ears may still be making out."""
    text = "\n".join(pending.texts)
    words = exact_words(wish.get("instructions", "")) or exact_words(text)
    reasons: list[tuple[Why, object]] = [
        ("idle", idle),
        ("exact_words", words),
        ("tool_outputs", pending.outputs),
        ("speech", pending.ears),
        ("text", pending.texts),
        ("start", first),
    ]
    return Heard(
        why=next((why for why, holds in reasons if holds), "asked"),
        audio_ms=pending.audio_ms,
        outputs=tuple(pending.outputs),
        text=text,
        words=words,
        tools=_callable_tools(config, wish),
    )


def own_input(wish: Wish) -> Pending:
    """What is pending for a response that brings its own input."""
    parts = [part for item in wish["input"] for part in item.get("content", [])]
    return Pending(texts=[part["text"] for part in parts if "text" in part])


def terms(config: Config, wish: Wish, echo_format: Format | None) -> Terms:
    """How that response is to be delivered."""
    output = {**config["audio"]["output"], **wish.get("audio", {}).get("output", {})}
    modalities = wish.get("output_modalities", config["output_modalities"])
    shown = {
        "output_modalities": modalities,
        "max_output_tokens": wish.get("max_output_tokens", config["max_output_tokens"]),
        "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
        "metadata": wish.get("metadata"),
    }
    return Terms(modalities[0], echo_format or output["format"]["type"], shown)


def _callable_tools(config: Config, wish: Wish) -> frozenset[str]:
    if wish.get("tool_choice", config["tool_choice"]) == "none":
        return frozenset()
    tools = wish.get("tools", config["tools"])
    return frozenset(tool["name"] for tool in tools if tool["type"] == "function")
