"""What is asked of OpenAI's file transcription, and what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from app.openai.constants import (
    DEFAULT_FALLBACK_TRANSCRIPTION_MODEL,
    DEFAULT_TRANSCRIPTION_MODEL,
    TranscriptionFormat,
)

Granularity = Literal["word", "segment"]
DurationSource = Literal["answer", "measured", "usage", "unknown"]
"""Who said how long it is: the answer, we from the file, the bill, or nobody (and then it is 0)."""


@dataclass(frozen=True, slots=True)
class KnownSpeaker:
    """Somebody whose voice the diarizing model is to recognise, by 2 to 10 seconds of it."""

    name: str
    reference: bytes | str = field(repr=False)
    """A sound file, or the `data:` URL of one."""


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """One file to be written down; all but the file may be left out."""

    file_bytes: bytes = field(repr=False)
    filename: str | None = None
    """Its extension must be one the API knows. What is sent is named after what the bytes are, not after this."""
    model: str = DEFAULT_TRANSCRIPTION_MODEL
    language: str | None = None
    """ISO 639-1. `gpt-transcribe` gets it as the only one of `languages`."""
    languages: Sequence[str] = ()
    """What may be spoken. Models that take one language get the first."""
    keywords: Sequence[str] = ()
    """Words that are likely to be said. Models that take none get them in the prompt."""
    prompt: str | None = field(default=None, repr=False)
    response_format: TranscriptionFormat | None = None
    """Left out: the one that tells most of what the model can tell."""
    temperature: float | None = None
    timestamp_granularities: Sequence[Granularity] = ()
    """Left out with `verbose_json`: both."""
    include: Sequence[Literal["logprobs"]] = ()
    chunking_strategy: Literal["auto"] | Mapping[str, object] | None = None
    """`auto`, or the settings of a `server_vad`. The diarizing model gets `auto` for more than 30 seconds."""
    known_speakers: Sequence[KnownSpeaker] = ()
    stream: bool = False
    """Whether the words come as they are found; the response is the same."""
    fallback_model: str | None = DEFAULT_FALLBACK_TRANSCRIPTION_MODEL
    """Tried once where the account has no such model (any more)."""


@dataclass(frozen=True, slots=True)
class TranscriptionSegment:
    """A stretch of speech, in seconds from the start of the file."""

    id: int | str
    start: float
    end: float
    text: str
    speaker: str | None = None
    tokens: list[int] | None = None
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    temperature: float | None = None
    seek: int | None = None


@dataclass(frozen=True, slots=True)
class TranscriptionWord:
    """One word, in seconds from the start of the file."""

    word: str
    start: float
    end: float
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class TranscriptionLogprob:
    """How sure the model was of a token."""

    token: str | None = None
    logprob: float | None = None
    bytes: list[int] | None = None


@dataclass(frozen=True, slots=True)
class InputTokenDetails:
    """What the input tokens were."""

    text_tokens: int | None = None
    audio_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TranscriptionUsage:
    """What was billed: seconds or tokens, by `type`."""

    type: str
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_token_details: InputTokenDetails | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionResponse:
    """The words of a file. Whatever is None has its reason in `unavailable`."""

    text: str
    language: str | None = None
    """The ISO code of what is spoken most."""
    languages: tuple[str, ...] = ()
    duration: float
    """In seconds; always filled."""
    duration_source: DurationSource
    segments: list[TranscriptionSegment] | None = None
    words: list[TranscriptionWord] | None = None
    logprobs: list[TranscriptionLogprob] | None = None
    subtitles: str | None = None
    """The file as it came, for `srt` and `vtt`."""
    usage: TranscriptionUsage | None = None
    cost_usd: Decimal | None = None
    """By the operator's price list, else by the one that this build knows."""
    model: str
    """The one that did it, which may be the fallback."""
    request_id: str | None = None
    """What OpenAI's support asks for."""
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """Why a field is None, by its name."""
    warnings: tuple[str, ...] = ()
    """What the one who asked should know: another model, a hint left out, a model that ends soon."""
