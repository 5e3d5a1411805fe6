"""The `usage` of a response or of a transcription, as OpenAI tells it, in our words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.realtime.usage import Usage, Used

_KINDS = ("text", "audio", "image")


def usage_of(raw: Mapping[str, Any] | None) -> Usage:
    """What a response used; nothing where nothing is told, as of one that failed or was cut early.

    Every answer pays for the whole conversation before it. Where the details fall short of the total, the rest is
    text (a model's reasoning is); without any, all of it counts as audio, so that no bill is told too low.
    """
    raw = raw if isinstance(raw, Mapping) else {}
    came_in = _split(raw, "input_tokens", "input_token_details")
    went_out = _split(raw, "output_tokens", "output_token_details")
    cached = _cached(_inner(raw, "input_token_details"), came_in)
    return Usage(
        text_in=came_in["text"],
        text_cached=cached["text"],
        audio_in=came_in["audio"],
        audio_cached=cached["audio"],
        image_in=came_in["image"],
        image_cached=cached["image"],
        text_out=went_out["text"],
        audio_out=went_out["audio"],
    )


def _split(raw: Mapping[str, Any], total_name: str, details_name: str) -> dict[str, int]:
    found = {kind: _count(_inner(raw, details_name), f"{kind}_tokens") for kind in _KINDS}
    untold = _count(raw, total_name) - sum(found.values())
    found["text" if any(found.values()) else "audio"] += max(untold, 0)
    return found


def _cached(details: Mapping[str, Any], came_in: Mapping[str, int]) -> dict[str, int]:
    """How much of each kind was cached: never more than there was. Untold kinds are text first: a prompt begins so."""
    told = _inner(details, "cached_tokens_details")
    cached = {kind: min(_count(told, f"{kind}_tokens"), came_in[kind]) for kind in _KINDS}
    if not told:
        left = _count(details, "cached_tokens")
        for kind in _KINDS:
            cached[kind] = min(left, came_in[kind])
            left -= cached[kind]
    return cached


def _inner(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    return found if isinstance(found, Mapping) else {}


def _count(raw: Mapping[str, Any], name: str) -> int:
    found = raw.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else 0


def transcription_used(model: str, raw: Mapping[str, Any]) -> Used | None:
    """What it took to write something down, by time or by tokens; None where neither is told."""
    seconds = raw.get("seconds")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0:
        return Used(model, audio_s=float(seconds))
    told = usage_of(raw)
    tokens = replace(told, text_out=told.text_out + told.audio_out, audio_out=0)  # what comes out are words
    return Used(model, tokens) if tokens.total else None
