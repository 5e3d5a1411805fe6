"""Where OpenAI lives, and what we know of its realtime models and voices (November 2026)."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

OPENAI_REALTIME_BASE_URL = "wss://api.openai.com/v1/realtime"
OPENAI_TRANSCRIPTION_URL = "https://api.openai.com/v1/audio/transcriptions"

DEFAULT_MODEL = "gpt-realtime-2.1"
DEFAULT_MINI_MODEL = "gpt-realtime-2.1-mini"
DEFAULT_TRANSCRIPTION_MODEL = "gpt-transcribe"
DEFAULT_FALLBACK_TRANSCRIPTION_MODEL = "gpt-4o-transcribe"
"""For finished recordings, where the account has not got the default."""

WARNED_FOR = timedelta(days=90)
"""From so long before a model's last day its users are told."""

TranscriptionFormat = Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]

UNFIT_VOICES = {"fable": "cedar", "onyx": "cedar", "nova": "marin"}
"""Voices of the speech API that give distorted noise on a realtime session, and what to take instead."""

PROMPTS_LAST_DAY = date(2026, 11, 30)
"""Stored prompts, and the API that makes them, end on this day."""


@dataclass(frozen=True, slots=True)
class RealtimeModel:
    """What a model can do, and its last day where that has been announced."""

    reasons: bool = False
    max_output_tokens: int | None = 4096
    last_day: date | None = None
    replacement: str = DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class TranscriptionModel:
    """What a recogniser of the caller's words takes, and its last day where that has been announced."""

    hints: bool = False
    """`languages` and `keywords`."""
    prompt: bool = True
    delay: bool = False
    turn_detection: bool = True
    last_day: date | None = None
    replacement: str = DEFAULT_TRANSCRIPTION_MODEL


@dataclass(frozen=True, slots=True)
class FileTranscriptionModel:
    """What a model does with a finished recording, what that costs, and its last day where it has been announced."""

    formats: tuple[TranscriptionFormat, ...] = ("json", "text")
    """The first tells most, and is taken where none is asked for."""
    timestamps: bool = False
    """`timestamp_granularities`, with `verbose_json`."""
    diarizes: bool = False
    """Tells speakers apart, and takes known ones."""
    hints: bool = False
    """`languages` and `keywords`; the others take one `language`."""
    prompt: bool = True
    logprobs: bool = False
    streams: bool = True
    most_s: float | None = None
    """The longest recording that was seen to be taken in one request."""
    usd_per_minute: Decimal | None = None
    usd_per_million_tokens: tuple[Decimal, Decimal] | None = None
    """Input, output."""
    last_day: date | None = None
    replacement: str = DEFAULT_TRANSCRIPTION_MODEL


_REASONER = RealtimeModel(reasons=True, max_output_tokens=None)
_ENDING = date(2027, 1, 20)
_BETA_ENDED = date(2026, 5, 12)
_RECOGNISERS_ENDING = date(2027, 2, 26)

REALTIME_MODELS = {
    "gpt-realtime-2.1": _REASONER,
    "gpt-realtime-2.1-mini": _REASONER,
    "gpt-realtime-2": _REASONER,
    "gpt-realtime-1.5": RealtimeModel(),
    "gpt-realtime": RealtimeModel(last_day=_ENDING),
    "gpt-realtime-mini": RealtimeModel(last_day=_ENDING, replacement=DEFAULT_MINI_MODEL),
    "gpt-4o-realtime-preview": RealtimeModel(last_day=_BETA_ENDED),
    "gpt-4o-mini-realtime-preview": RealtimeModel(last_day=_BETA_ENDED, replacement=DEFAULT_MINI_MODEL),
}

TRANSCRIPTION_MODELS = {
    "gpt-transcribe": TranscriptionModel(hints=True),
    "gpt-live-transcribe": TranscriptionModel(hints=True, delay=True),
    "gpt-realtime-whisper": TranscriptionModel(prompt=False, delay=True, turn_detection=False),
    "gpt-4o-transcribe": TranscriptionModel(last_day=_RECOGNISERS_ENDING),
    "gpt-4o-mini-transcribe": TranscriptionModel(last_day=_RECOGNISERS_ENDING),
    "gpt-4o-transcribe-diarize": TranscriptionModel(prompt=False, last_day=_RECOGNISERS_ENDING),
    "whisper-1": TranscriptionModel(last_day=_RECOGNISERS_ENDING),
}

FILE_TRANSCRIPTION_MODELS = {
    "gpt-transcribe": FileTranscriptionModel(formats=("json",), hints=True, usd_per_minute=Decimal("0.0045")),
    "gpt-4o-transcribe": FileTranscriptionModel(
        logprobs=True,
        most_s=1400,
        usd_per_million_tokens=(Decimal("2.5"), Decimal(10)),
        last_day=_RECOGNISERS_ENDING,
    ),
    "gpt-4o-mini-transcribe": FileTranscriptionModel(
        logprobs=True,
        most_s=1400,
        usd_per_million_tokens=(Decimal("1.25"), Decimal(5)),
        last_day=_RECOGNISERS_ENDING,
    ),
    "gpt-4o-transcribe-diarize": FileTranscriptionModel(
        formats=("diarized_json", "json", "text"),
        diarizes=True,
        prompt=False,
        most_s=1400,
        usd_per_million_tokens=(Decimal("2.5"), Decimal(10)),
        last_day=_RECOGNISERS_ENDING,
    ),
    "whisper-1": FileTranscriptionModel(
        formats=("verbose_json", "json", "text", "srt", "vtt"),
        timestamps=True,
        streams=False,
        usd_per_minute=Decimal("0.006"),
        last_day=_RECOGNISERS_ENDING,
    ),
}

_UNKNOWN = _REASONER
_UNKNOWN_RECOGNISER = TranscriptionModel(hints=True, delay=True)


def realtime_model(name: str | None) -> RealtimeModel:
    """What is known of a model; a name we do not know (a deployment, a newer model) is taken at its word."""
    return REALTIME_MODELS.get(family(name), _UNKNOWN)


def transcription_model(name: str | None) -> TranscriptionModel:
    """What is known of a recogniser; a name we do not know is taken at its word."""
    return TRANSCRIPTION_MODELS.get(family(name), _UNKNOWN_RECOGNISER)


def file_transcription_model(name: str) -> FileTranscriptionModel | None:
    """What is known of a model for finished recordings; None for a name we do not know, which is taken at its word."""
    return FILE_TRANSCRIPTION_MODELS.get(family(name))


def ending(name: str, last_day: date | None, instead: str, today: date) -> str | None:
    """What its users should know about a model's last day, once it is near or past."""
    if last_day is None or last_day - today > WARNED_FOR:
        return None
    if today > last_day:
        return f"{name}: last day was {last_day}; {instead}"
    return f"{name}: last day is {last_day}; {instead} before that"


def may_reason(model: str | None) -> bool:
    """Whether that model takes `reasoning` and `parallel_tool_calls`."""
    return realtime_model(model).reasons


def family(name: str | None) -> str:
    """A dated snapshot shares its family's fate: gpt-realtime-2025-08-28 is gpt-realtime."""
    return re.sub(r"-\d{4}-\d{2}-\d{2}$", "", name or "")
