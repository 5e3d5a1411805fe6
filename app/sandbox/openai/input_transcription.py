"""Input transcription: a pass of its own over the caller's audio, whose result may come before or after the answer."""

import re
from typing import Any

from app.sandbox.openai.conversation import Entry
from app.sandbox.openai.outbox import Event
from app.sandbox.voices.clips import text_of

KIND = "conversation.item.input_audio_transcription"
WHOLE_MODEL = "whisper-1"
"""It streams nothing: one delta holds everything."""


def transcription_events(entry: Entry, model: str, phrase: str | None) -> list[Event]:
    """The deltas and the end of one item's transcription; the item then has the transcript."""
    transcript = text_of(phrase) if phrase else ""
    entry.item = entry.item | {"content": [{"type": "input_audio", "transcript": transcript}]}
    about = {"item_id": entry.item["id"], "content_index": 0}
    pieces = [transcript] if model == WHOLE_MODEL else re.findall(r"\S+\s*", transcript)
    events: list[Event] = [{"type": f"{KIND}.delta", **about, "delta": piece} for piece in pieces if piece]
    if model.endswith("-diarize") and transcript:
        span = {"id": "seg_0", "speaker": "A", "start": 0.0, "end": entry.audio_ms / 1000}
        events.append({"type": f"{KIND}.segment", **about, **span, "text": transcript})
    done: dict[str, Any] = {
        "transcript": transcript,
        "usage": {"type": "duration", "seconds": entry.audio_ms / 1000},
    }
    if model == "gpt-transcribe":
        done["languages"] = [{"code": "en"}] if transcript else []
    return [*events, {"type": f"{KIND}.completed", **about, **done}]


def failed_transcription(entry: Entry, code: str) -> Event:
    """The end of a transcription that failed."""
    error = {"type": "transcription_error", "code": code, "message": f"Input transcription failed: {code}."}
    return {
        "type": f"{KIND}.failed",
        "item_id": entry.item["id"],
        "content_index": 0,
        "error": error | {"param": None},
    }
