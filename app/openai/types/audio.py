"""The `audio` half of a session: formats, turn detection, noise reduction, transcription, voice."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, Tag, ValidationInfo, field_validator, model_validator

from app.conf.models import BY_SHAPE
from app.openai.constants import transcription_model
from app.openai.types.wire import WireModel


class AudioPCM(WireModel):
    """16-bit little-endian mono at 24 kHz; the server wants the rate spelled out."""

    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Literal[24000] = 24000


class AudioPCMU(WireModel):
    """G.711 µ-law; carries no rate."""

    type: Literal["audio/pcmu"] = "audio/pcmu"


class AudioPCMA(WireModel):
    """G.711 A-law; carries no rate."""

    type: Literal["audio/pcma"] = "audio/pcma"


AudioFormat = Annotated[AudioPCM | AudioPCMU | AudioPCMA, Field(discriminator="type")]


class NoiseReduction(WireModel):
    """Filters the caller's audio before turn detection and model."""

    type: Literal["near_field", "far_field"]
    strength: Annotated[float, Field(ge=0)] | None = None
    """More is stronger; left out, the server keeps what it has (1 at first)."""


def _plain_keyword(keyword: str) -> str:
    if any(character in keyword for character in "<>\r\n"):
        raise ValueError("a keyword with <, > or a line break makes the API refuse the whole update")
    return keyword


class AudioTranscription(WireModel):
    """A separate recogniser for the caller's words: a hint, not what the model heard."""

    model: Annotated[str, Field(min_length=1)] | None = None
    language: str | None = None
    languages: list[str] | None = None
    keywords: list[Annotated[str, AfterValidator(_plain_keyword)]] | None = None
    prompt: str | None = None
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None

    @field_validator("languages", "keywords", "prompt", "delay")
    @classmethod
    def _model_takes_it(cls, value: Any, info: ValidationInfo) -> Any:
        model = info.data.get("model")
        known = transcription_model(model)
        taken = {"languages": known.hints, "keywords": known.hints, "prompt": known.prompt, "delay": known.delay}
        if value is not None and not taken[str(info.field_name)]:
            raise ValueError(f"{model} does not take it")
        return value

    @field_validator("languages")
    @classmethod
    def _one_kind_of_hint(cls, value: list[str] | None, info: ValidationInfo) -> list[str] | None:
        if value is not None and info.data.get("language") is not None:
            raise ValueError("language and languages exclude each other")
        return value


class ServerVad(WireModel):
    """A turn ends after a stretch of silence."""

    type: Literal["server_vad"] = "server_vad"
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    prefix_padding_ms: Annotated[int, Field(ge=0)] | None = None
    silence_duration_ms: Annotated[int, Field(ge=0)] | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None
    idle_timeout_ms: Annotated[int, Field(ge=5000, le=30000)] | None = None

    null_means_off: ClassVar[frozenset[str]] = frozenset({"idle_timeout_ms"})


class SemanticVad(WireModel):
    """A turn ends when a model thinks the caller is done."""

    type: Literal["semantic_vad"] = "semantic_vad"
    eagerness: Literal["low", "medium", "high", "auto"] | None = None
    """How soon: `low` waits up to 8 s, `medium` (as `auto`) 4 s, `high` 2 s."""
    create_response: bool | None = None
    interrupt_response: bool | None = None


TurnDetection = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


class CustomVoice(WireModel):
    """A voice made from audio samples."""

    id: Annotated[str, Field(min_length=1)]


Voice = Annotated[
    Annotated[str, Field(min_length=1), Tag("text")] | Annotated[CustomVoice, Tag("object")],
    BY_SHAPE,
]


class CallerAudio(WireModel):
    """What every kind of session says about the audio it hears. `None` turns a filter off, absence changes nothing."""

    format: AudioFormat | None = None
    noise_reduction: NoiseReduction | None = None
    transcription: AudioTranscription | None = None

    null_means_off: ClassVar[frozenset[str]] = frozenset({"noise_reduction", "transcription", "turn_detection"})


class AudioInput(CallerAudio):
    """How a session hears, and how it knows that the caller has finished."""

    turn_detection: TurnDetection | None = None

    @model_validator(mode="after")
    def _whisper_without_vad(self) -> Self:
        model = self.transcription.model if self.transcription else None
        off = "turn_detection" in self.model_fields_set and self.turn_detection is None
        if not off and not transcription_model(model).turn_detection:
            raise ValueError(f"{model} needs turn_detection to be null")
        return self


class AudioOutput(WireModel):
    """How the session speaks."""

    format: AudioFormat | None = None
    voice: Voice | None = None
    speed: Annotated[float, Field(ge=0.25, le=1.5)] | None = None


class OpenaiRealtimeSessionConfigAudio(WireModel):
    """Both halves of a session's audio; their formats may differ."""

    input: AudioInput | None = None
    output: AudioOutput | None = None
