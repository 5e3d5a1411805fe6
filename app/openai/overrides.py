"""What may change: for one response, or for the rest of a session. Neither may bring noise to the phone's line."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.realtime.session import ResponseOptions, Tool

_CHOICES = frozenset({"auto", "none", "required"})
_NO_CHANGE = frozenset({"format", "voice"})


def of_options(options: ResponseOptions) -> dict[str, Any]:
    """A response's differences in the words of the wire."""
    choice = options.tool_choice
    wanted = {
        "instructions": options.instructions,
        "output_modalities": [options.modality] if options.modality else None,
        "audio": {"output": {"voice": options.voice}} if options.voice else None,
        "tools": None if options.tools is None else functions(options.tools),
        "tool_choice": choice if choice is None or choice in _CHOICES else {"type": "function", "name": choice},
        "max_output_tokens": options.max_output_tokens,
        "metadata": None if options.metadata is None else dict(options.metadata),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def functions(tools: Iterable[Tool]) -> list[dict[str, Any]]:
    """Tools in the words of the wire."""
    return [
        {"type": "function", "name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
        for tool in tools
    ]


def for_response(overrides: Mapping[str, Any], *, has_spoken: bool) -> dict[str, Any]:
    """Those overrides without an audio format of their own and, once the agent has spoken, without another voice.

    The phone plays one format only, and a voice that differs after the first audio has the whole response refused.
    """
    audio = overrides.get("audio") or {}
    output = audio.get("output") or {}
    voice = {} if has_spoken or "voice" not in output else {"audio": {"output": {"voice": output["voice"]}}}
    return {name: value for name, value in overrides.items() if name != "audio"} | voice


def for_session(configured: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Every update in mid-call is built here: those changes, always with the phone's format, never with another voice.

    `configured` is the session as it was configured. Its model is fixed, and so is its voice after the first audio:
    naming another one has the whole update refused.
    """
    audio = {side: _side(configured, changes, side) for side in ("input", "output")}
    kept = {name: value for name, value in changes.items() if name not in {"model", "audio"}}
    return {"type": "realtime", **kept, "audio": {side: half for side, half in audio.items() if half}}


def _side(configured: Mapping[str, Any], changes: Mapping[str, Any], side: str) -> dict[str, Any]:
    changed = (changes.get("audio") or {}).get(side) or {}
    half = {name: value for name, value in changed.items() if name not in _NO_CHANGE}
    audio_format = ((configured.get("audio") or {}).get(side) or {}).get("format")
    return {"format": audio_format, **half} if audio_format else half


def with_tools(configured: Mapping[str, Any], tools: Iterable[Tool]) -> list[dict[str, Any]]:
    """New functions beside the MCP servers that the session has: an update replaces the whole list."""
    servers = [tool for tool in configured.get("tools") or () if tool.get("type") != "function"]
    return functions(tools) + servers


def answering(configured: Mapping[str, Any], *, by_itself: bool) -> dict[str, Any] | None:
    """The session's turn detection, so that a turn is answered or not; None where nobody listens for turns."""
    turns = ((configured.get("audio") or {}).get("input") or {}).get("turn_detection")
    return {**turns, "create_response": by_itself} if turns else None
