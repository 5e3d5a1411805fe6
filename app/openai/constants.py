"""Where OpenAI lives, and what we know of its realtime models and voices (November 2026)."""

from dataclasses import dataclass
from datetime import date

OPENAI_REALTIME_BASE_URL = "wss://api.openai.com/v1/realtime"
OPENAI_TRANSCRIPTION_URL = "https://api.openai.com/v1/audio/transcriptions"

DEFAULT_MODEL = "gpt-realtime-2.1"

UNFIT_VOICES = frozenset({"fable", "onyx", "nova"})
"""Voices of the speech API that give distorted noise on a realtime session."""


@dataclass(frozen=True, slots=True)
class RealtimeModel:
    """What a model can do, and the day it is shut down where that has been announced."""

    reasons: bool = False
    last_day: date | None = None


_JANUARY_2027 = date(2027, 1, 20)

REALTIME_MODELS = {
    "gpt-realtime-2.1": RealtimeModel(reasons=True),
    "gpt-realtime-2.1-mini": RealtimeModel(reasons=True),
    "gpt-realtime-2": RealtimeModel(reasons=True),
    "gpt-realtime-1.5": RealtimeModel(),
    "gpt-realtime": RealtimeModel(last_day=_JANUARY_2027),
    "gpt-realtime-2025-08-28": RealtimeModel(last_day=_JANUARY_2027),
    "gpt-realtime-mini": RealtimeModel(last_day=_JANUARY_2027),
    "gpt-realtime-mini-2025-12-15": RealtimeModel(last_day=_JANUARY_2027),
}


def may_reason(model: str | None) -> bool:
    """Whether reasoning may be asked for; a name we do not know (a deployment, a newer model) is taken at its word."""
    return model is None or REALTIME_MODELS.get(model, RealtimeModel(reasons=True)).reasons
