"""What each model of the transcription API takes and gives, as the sandbox holds clients to it."""

import re
from dataclasses import dataclass

from app.sandbox.openai.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Model:
    """One model."""

    formats: tuple[str, ...] = ("json", "text")
    hints: bool = False
    prompt: bool = True
    logprobs: bool = False
    granularities: bool = False
    diarizes: bool = False
    streams: bool = True
    bills_tokens: bool = True
    most_s: int | None = 1400


MODELS = {
    "gpt-transcribe": Model(("json",), hints=True, bills_tokens=False, most_s=None),
    "gpt-4o-transcribe": Model(logprobs=True),
    "gpt-4o-mini-transcribe": Model(logprobs=True),
    "gpt-4o-transcribe-diarize": Model(("json", "text", "diarized_json"), prompt=False, diarizes=True),
    "whisper-1": Model(
        ("json", "text", "srt", "verbose_json", "vtt"),
        granularities=True,
        streams=False,
        bills_tokens=False,
        most_s=None,
    ),
}


def model_of(name: str) -> Model:
    """The model of that name, or of that name with a date; raises `Refusal`."""
    found = MODELS.get(re.sub(r"-\d{4}-\d{2}-\d{2}$", "", name))
    if found is None:
        raise no_such_model(name)
    return found


def no_such_model(name: str) -> Refusal:
    """What somebody is told who asks for a model that there is not, or not any more."""
    return Refusal("model_not_found", f"The model `{name}` does not exist or you do not have access to it.", "model")
