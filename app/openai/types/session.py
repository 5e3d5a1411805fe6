"""The session object: what `session.update` carries."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StrictInt, Tag, ValidationInfo, field_validator

from app.conf.models import BY_SHAPE
from app.openai.constants import may_reason, realtime_model
from app.openai.types.audio import OpenaiRealtimeSessionConfigAudio
from app.openai.types.tools import OpenaiRealtimeTool, ToolChoice, Tools
from app.openai.types.wire import WireModel

__all__ = [
    "Include",
    "MaxOutputTokens",
    "OneModality",
    "OpenaiRealtimeSessionConfig",
    "OpenaiRealtimeTool",
    "Prompt",
    "Reasoning",
    "RetentionRatio",
    "SessionFields",
    "TokenLimits",
    "Tracing",
]

OneModality = Annotated[list[Literal["audio", "text"]], Field(min_length=1, max_length=1)]
"""Audio always brings its transcript; asking for both is an error."""
ReasoningEffort = Literal["minimal", "low", "medium", "high", "xhigh"]
MaxOutputTokens = Annotated[
    Annotated[Literal["inf"], Tag("text")] | Annotated[StrictInt, Field(ge=1), Tag("number")], BY_SHAPE
]
Include = list[Literal["item.input_audio_transcription.logprobs"]]


class Reasoning(WireModel):
    """How hard a reasoning model thinks; more effort, more latency."""

    effort: ReasoningEffort


class TokenLimits(WireModel):
    """Own limits for a truncation."""

    post_instructions: Annotated[int, Field(ge=0)] | None = None


class RetentionRatio(WireModel):
    """When the context is full, keep this share of it."""

    type: Literal["retention_ratio"] = "retention_ratio"
    retention_ratio: Annotated[float, Field(ge=0, le=1)]
    token_limits: TokenLimits | None = None


class Tracing(WireModel):
    """How the session is labelled on the provider's traces dashboard."""

    workflow_name: str | None = None
    group_id: str | None = None
    metadata: dict[str, Any] | None = None


class Prompt(WireModel):
    """A prompt stored with OpenAI; see `constants.PROMPTS_LAST_DAY`."""

    id: Annotated[str, Field(min_length=1)]
    version: str | None = None
    variables: dict[str, str | dict[str, Any]] | None = None


class SessionFields(WireModel):
    """The fields of a realtime session, asked for or granted."""

    type: Literal["realtime"] = "realtime"
    model: Annotated[str, Field(min_length=1)] | None = None
    output_modalities: OneModality | None = ["audio"]  # noqa: RUF012 (pydantic copies its defaults)
    audio: OpenaiRealtimeSessionConfigAudio | None = None
    instructions: str | None = None
    prompt: Prompt | None = None
    tools: Tools | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: MaxOutputTokens | None = None
    reasoning: Reasoning | None = None
    truncation: (
        Annotated[
            Annotated[Literal["auto", "disabled"], Tag("text")] | Annotated[RetentionRatio, Tag("object")], BY_SHAPE
        ]
        | None
    ) = None
    tracing: Annotated[Annotated[Literal["auto"], Tag("text")] | Annotated[Tracing, Tag("object")], BY_SHAPE] | None = (
        None
    )
    include: Include | None = None

    null_means_off: ClassVar[frozenset[str]] = frozenset({"tracing", "prompt"})


class OpenaiRealtimeSessionConfig(SessionFields):
    """A realtime session as we ask for it; what its model would refuse is refused here."""

    @field_validator("reasoning", "parallel_tool_calls")
    @classmethod
    def _only_reasoners_reason(cls, value: Any, info: ValidationInfo) -> Any:
        model = info.data.get("model")
        if value is not None and not may_reason(model):
            raise ValueError(f"{model} does not reason and does not take it")
        return value

    @field_validator("max_output_tokens")
    @classmethod
    def _model_can_say_so_much(cls, value: int | str | None, info: ValidationInfo) -> int | str | None:
        model = info.data.get("model")
        limit = realtime_model(model).max_output_tokens
        if isinstance(value, int) and limit and value > limit:
            raise ValueError(f"{model} gives at most {limit}")
        return value
