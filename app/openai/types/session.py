"""The session object: what `session.update` carries."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StrictInt, model_validator

from app.openai.constants import may_reason
from app.openai.types.audio import OpenaiRealtimeSessionConfigAudio
from app.openai.types.wire import WireModel

OneModality = Annotated[list[Literal["audio", "text"]], Field(min_length=1, max_length=1)]
"""Audio always brings its transcript; asking for both is an error."""
ReasoningEffort = Literal["minimal", "low", "medium", "high", "xhigh"]


class OpenaiRealtimeTool(WireModel):
    """A function the model may call; `parameters` is a JSON Schema."""

    type: Literal["function"] = "function"
    name: Annotated[str, Field(min_length=1)]
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ToolChoiceFunction(WireModel):
    """The model must call this function."""

    type: Literal["function"] = "function"
    name: Annotated[str, Field(min_length=1)]


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


class OpenaiRealtimeSessionConfig(WireModel):
    """A realtime session, as the API takes it today."""

    type: Literal["realtime"] = "realtime"
    model: Annotated[str, Field(min_length=1)] | None = None
    output_modalities: OneModality | None = ["audio"]  # noqa: RUF012 (pydantic copies its defaults)
    audio: OpenaiRealtimeSessionConfigAudio | None = None
    instructions: str | None = None
    tools: list[OpenaiRealtimeTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | ToolChoiceFunction | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: Annotated[StrictInt, Field(ge=1)] | Literal["inf"] | None = None
    reasoning: Reasoning | None = None
    truncation: Literal["auto", "disabled"] | RetentionRatio | None = None
    tracing: Literal["auto"] | Tracing | None = None
    include: list[Literal["item.input_audio_transcription.logprobs"]] | None = None

    null_means_off: ClassVar[frozenset[str]] = frozenset({"tracing"})

    @model_validator(mode="after")
    def _only_reasoners_reason(self) -> Self:
        if not may_reason(self.model) and (self.reasoning is not None or self.parallel_tool_calls is not None):
            raise ValueError(f"{self.model} takes neither reasoning nor parallel_tool_calls")
        return self

    def wire(self) -> dict[str, Any]:
        """The JSON object that is sent."""
        return self.model_dump(mode="json")
