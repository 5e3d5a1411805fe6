"""What one response may have of its own: the `response` of a `response.create`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from app.openai.types.audio import AudioFormat, Voice
from app.openai.types.session import MaxOutputTokens, OneModality, Prompt, Reasoning
from app.openai.types.tools import ToolChoice, Tools
from app.openai.types.wire import WireModel

Metadata = Annotated[
    dict[
        Annotated[str, Field(max_length=64)],
        Annotated[str, Field(max_length=512)],
    ],
    Field(max_length=16),
]


class ResponseAudioOutput(WireModel):
    """How this response sounds; a session's speed cannot be changed for one."""

    format: AudioFormat | None = None
    voice: Voice | None = None


class ResponseAudio(WireModel):
    """The audio half of a response."""

    output: ResponseAudioOutput | None = None


class ResponseConfig(WireModel):
    """What differs from the session for one response. `instructions` replace the session's, they add nothing."""

    conversation: Literal["auto", "none"] | None = None
    """`none` keeps it out of the conversation; such responses may run beside the active one."""
    input: list[dict[str, Any]] | None = None
    """The items it sees instead of the conversation."""
    instructions: str | None = None
    output_modalities: OneModality | None = None
    audio: ResponseAudio | None = None
    tools: Tools | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    max_output_tokens: MaxOutputTokens | None = None
    metadata: Metadata | None = None
    prompt: Prompt | None = None
