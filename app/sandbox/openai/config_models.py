"""The session as a client may write it. Every field is checked strictly and unknown ones are refused."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, model_validator

MODELS_WITH_HINTS = frozenset({"gpt-transcribe", "gpt-live-transcribe"})


class Wire(BaseModel):
    """A JSON object of the client's; nothing is converted and nothing unknown accepted."""

    model_config = ConfigDict(extra="forbid", strict=True)


OMITTED: Any = None
"""A default that pydantic does not check: the field may be left out, but not be null."""


def _text_or_object(value: object) -> str:
    return "object" if isinstance(value, dict | BaseModel) else "text"


TextOrObject = Discriminator(_text_or_object)
ShortId = Annotated[str, StringConstraints(min_length=1, max_length=32)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


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
    languages: list[str] = []
    keywords: list[Keyword] = []
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


class FunctionTool(Wire):
    type: Literal["function"]
    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    description: str = ""
    parameters: dict[str, Any] = {}


class ToolFilter(Wire):
    tool_names: list[str] = []
    read_only: bool = False


class Approval(Wire):
    always: ToolFilter = ToolFilter()
    never: ToolFilter = ToolFilter()


class McpTool(Wire):
    type: Literal["mcp"]
    server_label: str
    server_url: str | None = None
    connector_id: str | None = None
    tunnel_id: str | None = None
    authorization: str | None = None
    headers: dict[str, str] | None = None
    allowed_tools: (
        Annotated[Annotated[list[str], Tag("text")] | Annotated[ToolFilter, Tag("object")], TextOrObject] | None
    ) = None
    require_approval: (
        Annotated[Annotated[Literal["always", "never"], Tag("text")] | Annotated[Approval, Tag("object")], TextOrObject]
        | None
    ) = None
    server_description: str = ""
    defer_loading: bool = False
    allowed_callers: list[Literal["direct", "programmatic"]] = []

    @model_validator(mode="after")
    def _one_way_in(self) -> "McpTool":
        if sum(bool(way) for way in (self.server_url, self.connector_id, self.tunnel_id)) != 1:
            raise ValueError("exactly one of 'server_url', 'connector_id' and 'tunnel_id' is needed")
        return self


Tool = Annotated[FunctionTool | McpTool, Field(discriminator="type")]


class FunctionChoice(Wire):
    type: Literal["function"]
    name: str


class McpChoice(Wire):
    type: Literal["mcp"]
    server_label: str
    name: str | None = None


ToolChoice = Annotated[
    Annotated[Literal["auto", "none", "required"], Tag("text")]
    | Annotated[Annotated[FunctionChoice | McpChoice, Field(discriminator="type")], Tag("object")],
    TextOrObject,
]


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
    metadata: dict[str, Any] = {}


Tracing = Annotated[Annotated[Literal["auto"], Tag("text")] | Annotated[TracingDetails, Tag("object")], TextOrObject]


class Prompt(Wire):
    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


Include = list[Literal["item.input_audio_transcription.logprobs"]]


class RealtimeSession(Wire):
    type: Literal["realtime"]
    model: str = ""
    output_modalities: Modalities = ["audio"]
    instructions: str = ""
    audio: Audio = Audio()
    tools: list[Tool] = []
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    reasoning: Reasoning = OMITTED
    max_output_tokens: MaxOutputTokens = "inf"
    truncation: Truncation = "auto"
    tracing: Tracing | None = None
    include: Include = []
    prompt: Prompt | None = None


class TranscriptionInput(Wire):
    input: AudioInput = AudioInput()


class TranscriptionSession(Wire):
    type: Literal["transcription"]
    audio: TranscriptionInput = TranscriptionInput()
    include: Include = []


Session = Annotated[RealtimeSession | TranscriptionSession, Field(discriminator="type")]


class ResponseAudioOutput(Wire):
    format: AudioFormat = OMITTED
    voice: Voice = OMITTED


class ResponseAudio(Wire):
    output: ResponseAudioOutput
