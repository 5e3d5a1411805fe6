"""The `audio` half of a session: formats, turn detection, noise reduction, transcription, voice."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StrictStr, model_validator

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


def _plain_keyword(keyword: str) -> str:
    if any(character in keyword for character in "<>\r\n"):
        raise ValueError("a keyword with <, > or a line break makes the API refuse the whole update")
    return keyword


_HINTED = frozenset({"gpt-transcribe", "gpt-live-transcribe"})
_UNPROMPTED = frozenset({"gpt-realtime-whisper", "gpt-4o-transcribe-diarize"})
_DELAYED = frozenset({"gpt-live-transcribe", "gpt-realtime-whisper"})


class AudioTranscription(WireModel):
    """A separate recogniser for the caller's words: a hint, not what the model heard."""

    model: Annotated[str, Field(min_length=1)] | None = None
    language: str | None = None
    languages: list[str] | None = None
    keywords: list[Annotated[str, AfterValidator(_plain_keyword)]] | None = None
    prompt: str | None = None
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None

    @model_validator(mode="after")
    def _one_model_takes_all(self) -> Self:
        if self.language is not None and self.languages is not None:
            raise ValueError("language and languages exclude each other")
        if (self.languages is not None or self.keywords is not None) and self.model not in _HINTED:
            raise ValueError(f"languages and keywords are only for {' and '.join(sorted(_HINTED))}")
        if self.prompt is not None and self.model in _UNPROMPTED:
            raise ValueError(f"{self.model} takes no prompt")
        if self.delay is not None and self.model not in _DELAYED:
            raise ValueError(f"delay is only for {' and '.join(sorted(_DELAYED))}")
        return self


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
    create_response: bool | None = None
    interrupt_response: bool | None = None


TurnDetection = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


class CustomVoice(WireModel):
    """A voice made from audio samples."""

    id: Annotated[str, Field(min_length=1)]


Voice = Annotated[StrictStr, Field(min_length=1)] | CustomVoice


class AudioInput(WireModel):
    """How the session hears. `None` turns a filter off, absence leaves it as the server has it."""

    format: AudioFormat | None = None
    noise_reduction: NoiseReduction | None = None
    transcription: AudioTranscription | None = None
    turn_detection: TurnDetection | None = None

    null_means_off: ClassVar[frozenset[str]] = frozenset({"noise_reduction", "transcription", "turn_detection"})

    @model_validator(mode="after")
    def _whisper_without_vad(self) -> Self:
        whisper = self.transcription is not None and self.transcription.model == "gpt-realtime-whisper"
        off = "turn_detection" in self.model_fields_set and self.turn_detection is None
        if whisper and not off:
            raise ValueError("gpt-realtime-whisper needs turn_detection to be null")
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
