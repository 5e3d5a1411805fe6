"""Why a field of a transcription is None: the model cannot, it was not asked for, or it did not come."""

from collections.abc import Mapping
from typing import Any

from app.openai.constants import FileTranscriptionModel, file_transcription_model
from app.openai.transcription_rules import who
from app.openai.types.transcription import TranscriptionResponse

_FIELDS = ("language", "segments", "words", "logprobs", "subtitles", "usage", "cost_usd", "request_id")


def reasons(response: TranscriptionResponse, answer: Mapping[str, Any], form: str) -> dict[str, str]:
    """For every field that is None, the reason; for a duration that nobody knows, too."""
    known = file_transcription_model(response.model)
    missing = {
        name: _why(name, response.model, known, answer, form) for name in _FIELDS if getattr(response, name) is None
    }
    if response.duration_source == "unknown":
        missing["duration"] = "neither the file nor the answer says how long it is"
    return missing


def _why(name: str, model: str, known: FileTranscriptionModel | None, answer: Mapping[str, Any], form: str) -> str:
    if answer.get(name) is not None and name != "language":
        return "it came in a shape that we cannot read"
    match name:
        case "language" if "languages" in answer:
            return f"{model} was not sure of it"
        case "language":
            return f"{model} does not tell it in {form}; {who(lambda each: each.hints)}, in json"
        case "cost_usd":
            return f"no price is known for {model}" if known is None else "the answer says nothing of its tokens"
        case "request_id" | "usage":
            return "the answer says nothing of it"
        case "subtitles":
            return "they come with srt and vtt only"
        case _ if known is None:
            return "the answer has none"
    return _cannot(name, model, known)


def _cannot(name: str, model: str, known: FileTranscriptionModel) -> str:
    match name:
        case "segments" if known.timestamps:
            return "they come with verbose_json, srt and vtt, and with the granularity segment"
        case "segments" if known.diarizes:
            return "they come with diarized_json"
        case "segments":
            return f"{model} tells no times; {who(lambda each: each.timestamps or each.diarizes)}"
        case "words" if known.timestamps:
            return "they come with verbose_json and the granularity word"
        case "words":
            return f"{model} tells no times; {who(lambda each: each.timestamps)}"
        case _ if known.logprobs:
            return "they come with json and include=['logprobs']"
    return f"{model} gives no logprobs; {who(lambda each: each.logprobs)}"
