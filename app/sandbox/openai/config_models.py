"""The session as a client may write it. Every field is checked strictly and unknown ones are refused."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, Tag, model_validator

from app.sandbox.openai.tool_models import Tool, ToolChoice
from app.sandbox.openai.wire import OMITTED, Count, Share, TextOrObject, Wire

MODELS_WITH_HINTS = frozenset({"gpt-transcribe", "gpt-live-transcribe"})


class PcmFormat(Wire):
    type: Literal["audio/pcm"]
    rate: Literal[24000]


class PcmuFormat(Wire):
    type: Literal["audio/pcmu"]


class PcmaFormat(Wire):
    type: Literal["audio/pcma"]


AudioFormat = Annotated[PcmFormat | PcmuFormat | PcmaFormat, Field(discriminator="type")]


class NoiseReduction(Wire):
    type: Literal["near_field", "far_field"]
    strength: float = 1.0


Keyword = Annotated[str, StringConstraints(pattern=r"^[^<>\r\n]*$")]


class Transcription(Wire):
    model: str
    language: str = ""
    languages: list[str] = OMITTED
    keywords: list[Keyword] = OMITTED
    prompt: str = ""
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] = "medium"

    @model_validator(mode="after")
    def _hints_fit(self) -> "Transcription":
        given = self.model_fields_set
        if {"language", "languages"} <= given:
            raise ValueError("'language' and 'languages' cannot be used together")
        if given & {"languages", "keywords"} and self.model not in MODELS_WITH_HINTS:
            raise ValueError(f"'languages' and 'keywords' are not supported by {self.model}")
        if "prompt" in given and (self.model == "gpt-realtime-whisper" or self.model.endswith("-diarize")):
            raise ValueError(f"'prompt' is not supported by {self.model}")
        return self


class ServerVad(Wire):
    type: Literal["server_vad"]
    threshold: Share = 0.5
    prefix_padding_ms: Count = 300
    silence_duration_ms: Count = 500
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: Annotated[int, Field(ge=5000, le=30000)] | None = None


class SemanticVad(Wire):
    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


TurnDetection = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


class CustomVoice(Wire):
    id: str


Voice = Annotated[
    Annotated[str, StringConstraints(min_length=1), Tag("text")] | Annotated[CustomVoice, Tag("object")], TextOrObject
]


class AudioInput(Wire):
    format: AudioFormat = PcmFormat(type="audio/pcm", rate=24000)
    noise_reduction: NoiseReduction | None = None
    transcription: Transcription | None = None
    turn_detection: TurnDetection | None = None


class AudioOutput(Wire):
    format: AudioFormat = PcmFormat(type="audio/pcm", rate=24000)
    voice: Voice = "marin"
    speed: Annotated[float, Field(ge=0.25, le=1.5)] = 1.0


class Audio(Wire):
    input: AudioInput = AudioInput()
    output: AudioOutput = AudioOutput()


class Reasoning(Wire):
    effort: Literal["minimal", "low", "medium", "high", "xhigh"]


MaxOutputTokens = Literal["inf"] | Annotated[int, Field(ge=1)]
Modalities = Annotated[list[Literal["audio", "text"]], Field(min_length=1, max_length=1)]


class TokenLimits(Wire):
    post_instructions: Count


class RetentionRatio(Wire):
    type: Literal["retention_ratio"]
    retention_ratio: Share
    token_limits: TokenLimits | None = None


Truncation = Annotated[
    Annotated[Literal["auto", "disabled"], Tag("text")] | Annotated[RetentionRatio, Tag("object")], TextOrObject
]


class TracingDetails(Wire):
    workflow_name: str = ""
    group_id: str = ""
    metadata: dict[str, Any] = OMITTED


Tracing = Annotated[Annotated[Literal["auto"], Tag("text")] | Annotated[TracingDetails, Tag("object")], TextOrObject]


class Prompt(Wire):
    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


Include = list[Literal["item.input_audio_transcription.logprobs"]]


class RealtimeSession(Wire):
    type: Literal["realtime"]
    model: str = ""
    output_modalities: Modalities = OMITTED
    instructions: str = ""
    audio: Audio = Audio()
    tools: list[Tool] = OMITTED
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    reasoning: Reasoning = OMITTED
    max_output_tokens: MaxOutputTokens = "inf"
    truncation: Truncation = "auto"
    tracing: Tracing | None = None
    include: Include = OMITTED
    prompt: Prompt | None = None


class TranscriptionVad(Wire):
    type: Literal["server_vad"]
    threshold: Share = 0.5
    prefix_padding_ms: Count = 300
    silence_duration_ms: Count = 500


class TranscriptionInput(Wire):
    format: AudioFormat = PcmFormat(type="audio/pcm", rate=24000)
    noise_reduction: NoiseReduction | None = None
    transcription: Transcription | None = None
    turn_detection: TranscriptionVad | None = None


class TranscriptionAudio(Wire):
    input: TranscriptionInput = TranscriptionInput()


class TranscriptionSession(Wire):
    type: Literal["transcription"]
    audio: TranscriptionAudio = TranscriptionAudio()
    include: Include = OMITTED


Session = Annotated[RealtimeSession | TranscriptionSession, Field(discriminator="type")]


class ResponseAudioOutput(Wire):
    format: AudioFormat = OMITTED
    voice: Voice = OMITTED


class ResponseAudio(Wire):
    output: ResponseAudioOutput
