"""A configuration for this API, old or new, as an agent."""

from collections.abc import Mapping
from typing import Any

from app.conf.models import Modernised
from app.openai.legacy import session as words
from app.openai.legacy.moving import MISSING, Moving

AGENT_PLACES: Mapping[str, str] = {
    "model": "model",
    words.NOISE_REDUCTION: "noise_reduction",
    words.TRANSCRIPTION: "transcription",
    words.TURN_DETECTION: "turn_detection",
    words.VOICE: "voice",
    "audio.output.speed": "speed",
    "max_output_tokens": "max_output_tokens",
    "instructions": "instructions",
    "tools": "tools",
    "tool_choice": "tool_choice",
    "reasoning.effort": "reasoning_effort",
}
"""A session's fields, and what an agent calls them."""

_PHONE = "g711_ulaw"
_OF_FUNCTIONS = frozenset({"type", "name", "description", "parameters", "strict"})
"""What the API's own functions have, which nothing here runs."""


def agent(value: Mapping[str, Any]) -> Modernised:
    """An agent in today's shape; what a phone call has no use for is left out."""
    moving = words.unwrapped(value)
    ours = not moving.old and not moving.value.keys() & {"type", "audio"}
    nulls = [place for place in AGENT_PLACES.values() if ours and moving.value.get(place, MISSING) is None]
    _speak_as_the_phone_does(moving)
    moving.drop("api_key", "it is not part of an agent; set it with: parley conf set openai default")
    moving.drop("base_url", "every agent uses OPENAI_REALTIME_BASE_URL")
    if moving.value.get("type") == "realtime":
        moving.take("type")
    words.to_places(moving, AGENT_PLACES)
    _keep_tools_that_run(moving)
    if not moving.old:
        moving.value = dict.fromkeys(nulls) | moving.value  # in old words null says nothing; in ours it is a value
    return moving.value, moving.warnings


def _speak_as_the_phone_does(moving: Moving) -> None:
    for path in (words.INPUT_FORMAT, words.OUTPUT_FORMAT, "output_modalities"):
        for word in (path, *words.OLD_WORDS[path]):
            taken = moving.take(word)
            moving.old = moving.old or (word != path and taken is not MISSING)
            if _form(taken) not in {None, _PHONE, "audio/pcmu", "audio"}:
                instead = f"{_PHONE}, the phone's own format" if "format" in word else "audio: on the phone one speaks"
                moving.warn(word, f"{_form(taken)} is replaced by {instead}")


def _form(value: object) -> str | None:
    match value:
        case str():
            return value
        case {"type": str(form)}:
            return form
        case [first, *_] as modalities:
            return "audio" if "audio" in modalities else str(first)
        case _:
            return None


def _is_one_of_ours(tool: object) -> bool:
    """Whether only its `type` was forgotten."""
    return isinstance(tool, dict) and bool(tool.keys() - _OF_FUNCTIONS)


def _keep_tools_that_run(moving: Moving) -> None:
    tools = moving.value.get("tools")
    if not isinstance(tools, list):
        return
    kept = []
    for index, tool in enumerate(tools):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind == "function" or (kind is None and not _is_one_of_ours(tool)):
            name = tool.get("name") if isinstance(tool, dict) else None
            moving.warn(f"tools.{index}", f"left out: nothing here runs {name or 'it'}")
        else:
            kept.append(tool)
    moving.value["tools"] = kept
