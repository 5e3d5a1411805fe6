"""A voice that answers."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag, ValidationInfo, field_validator, model_validator

from app.conf.models.base import BY_SHAPE, DEFAULT, E164, Conf, RowName
from app.conf.models.budget import BudgetConf
from app.conf.models.doubts import doubts
from app.conf.models.hold import HoldConf
from app.conf.models.keypad import KeypadConf
from app.conf.models.known import Finding, Known
from app.conf.models.machines import MachinePolicy, VoicemailConf
from app.conf.models.recording import RecordingPolicy
from app.conf.models.redaction import RedactionConf
from app.conf.models.silence import SilenceConf
from app.conf.models.speech import NoiseFilter, NoiseReduction, ServerVad, Transcription, TurnDetection, Voice
from app.conf.models.spoken import phrases
from app.conf.models.tools import (
    FunctionChoice,
    FunctionTool,
    McpChoice,
    McpTool,
    PythonTool,
    StopRecordingTool,
    ToolChoice,
    ToolConf,
)
from app.conf.models.variables import DeclaredVariables
from app.conf.models.webhooks import PrecallConf

INSTRUCTIONS_CHARACTERS = 60_000


class Fallback(Conf):
    """What the caller gets when no model can talk."""

    message: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Without it, an apology in the agent's language."""
    number: E164 | None = None
    """Forwarded to after the message. Without it, and where nobody answers there, a voicemail follows if the agent has
    one; else the call ends there."""


class StoredPrompt(Conf):
    """A prompt stored with the provider."""

    id: Annotated[str, Field(min_length=1)]
    version: str | None = None
    variables: dict[str, str | dict[str, Any]] | None = None


class TokenLimits(Conf):
    """Own limits for a truncation."""

    post_instructions: Annotated[int, Field(ge=0)] | None = None


class RetentionRatio(Conf):
    """When the context is full, keep this share of it: cutting more at once keeps the provider's cache warm longer."""

    type: Literal["retention_ratio"]
    retention_ratio: Annotated[float, Field(ge=0, le=1)] = 0.8
    token_limits: TokenLimits | None = None


AFFORDABLE = RetentionRatio(
    type="retention_ratio", retention_ratio=0.8, token_limits=TokenLimits(post_instructions=24_000)
)
"""Every answer pays for the whole conversation before it. This much is nearly half an hour of talk, and fits every
model; where more was said, the oldest goes, a fifth at once, as each cut is paid for with the provider's cache."""


class Tracing(Conf):
    """How the agent's sessions are labelled on the provider's traces dashboard."""

    workflow_name: str | None = None
    group_id: str | None = None
    metadata: dict[str, Any] | None = None


class AgentConf(Conf):
    """A voice that answers: who it is, how it sounds, what it may do."""

    provider: str = "openai"
    account: RowName = DEFAULT
    """The row of the provider's section whose key this agent uses."""
    model: Annotated[str, Field(min_length=1)] = "gpt-realtime-2.1"
    instructions: Annotated[str, Field(max_length=INSTRUCTIONS_CHARACTERS)] = (
        "You are a friendly, brief phone agent. Speak naturally, one short answer at a time."
    )
    prompt: StoredPrompt | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "en-US"
    """The language of the words that Twilio speaks for us."""
    voice: Voice = "marin"
    speed: Annotated[float, Field(ge=0.25, le=1.5)] = 1.0
    audio_format: Literal["g711_ulaw"] = "g711_ulaw"
    turn_detection: TurnDetection = ServerVad()
    noise_reduction: NoiseFilter | None = NoiseReduction(type="near_field")
    transcription: Transcription | None = Transcription()
    include: list[Literal["item.input_audio_transcription.logprobs"]] = Field(default_factory=list)
    reasoning_effort: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    parallel_tool_calls: bool | None = None
    """Whether the model may ask for several tools at once; only for models that reason."""
    max_output_tokens: Annotated[int, Field(ge=1)] | Literal["inf"] = "inf"
    truncation: Annotated[
        Annotated[Literal["auto", "disabled"], Tag("text")] | Annotated[RetentionRatio, Tag("object")], BY_SHAPE
    ] = AFFORDABLE
    """What is forgotten in a long call, and when. `auto`: only what the model has no room for; `disabled`: nothing, and
    a full context is an error."""
    tracing: Annotated[Annotated[Literal["auto"], Tag("text")] | Annotated[Tracing, Tag("object")], BY_SHAPE] | None = (
        None
    )
    speaks_first: bool = True
    greeting: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """The exact first words; without it the model finds its own."""
    greeting_interruptible: bool = True
    """Whether the caller may interrupt the agent's first words."""
    min_barge_in_ms: Annotated[int, Field(ge=0, le=5000)] = 0
    """The caller interrupts the agent once they have spoken for so long; a shorter sound does not."""
    half_duplex: bool = False
    """Whether the agent hears silence as long as it is heard itself: it cannot be interrupted, not even by its own
    echo, and answers no noise that it talked over."""
    tools: list[ToolConf] = Field(default_factory=list)
    tool_choice: ToolChoice = "auto"
    rollover_minutes: Annotated[int, Field(ge=1, le=600)] = 50
    """A session is replaced by a new one at this age, in a silence, before its provider ends it."""
    keypad: KeypadConf = KeypadConf()
    max_call_seconds: Annotated[int, Field(ge=10, le=14_400)] = 3600
    silence: SilenceConf | None = SilenceConf()
    """Null: a call of which nobody says a word goes on."""
    hold: HoldConf | None = HoldConf()
    """Null: whatever is heard is answered, music too."""
    budget: BudgetConf = BudgetConf()
    fallback: Fallback = Fallback()
    voicemail: VoicemailConf | None = None
    """What a caller is offered where no agent can talk and there is no fallback number, or nobody answers there."""
    answering_machine: MachinePolicy = MachinePolicy()
    """For calls that we place."""
    recording: RecordingPolicy = RecordingPolicy()
    redaction: RedactionConf = RedactionConf()
    variables: DeclaredVariables = Field(default_factory=dict)
    """What `{{name}}` stands for in instructions, greeting, fallback message and consent line, where the call itself
    brings no other value; null for what each call brings."""
    precall: PrecallConf | None = None
    """Asked before each call for the values of variables."""

    @property
    def apology(self) -> str:
        """What callers hear where it cannot talk."""
        return self.fallback.message or phrases(self.language).apology

    @property
    def offered(self) -> list[ToolConf | StopRecordingTool]:
        """All that the model may use: the tools that there are, and the one that a consent line brings along."""
        announced = self.recording.announced
        there = [tool for tool in self.tools if not isinstance(tool, PythonTool) or tool.is_found]
        return [*there, StopRecordingTool.after(announced)] if announced else [*there]

    @property
    def missing_functions(self) -> list[tuple[int, str]]:
        """Python functions that tools name and nobody found, each with its place among the tools."""
        named = [(place, tool) for place, tool in enumerate(self.tools) if isinstance(tool, PythonTool)]
        return [(place, tool.function_name) for place, tool in named if not tool.is_found]

    @property
    def gates_barge_in(self) -> bool:
        """Whether we decide when the caller interrupts the agent, instead of the provider."""
        own = self.min_barge_in_ms > 0 or (self.speaks_first and not self.greeting_interruptible)
        return own and self.turn_detection.interrupt_response

    @property
    def functions(self) -> list[FunctionTool]:
        """The tools that we run ourselves."""
        return [tool for tool in self.offered if not isinstance(tool, McpTool)]

    @property
    def doubts(self) -> list[Finding]:
        """What its writer may not expect, whoever its provider is."""
        return doubts(self)

    @field_validator("provider")
    @classmethod
    def _provider_known(cls, value: str, info: ValidationInfo) -> str:
        providers = (info.context if isinstance(info.context, Known) else Known()).providers
        if value not in providers:
            raise ValueError(f"unknown provider; this build has: {', '.join(sorted(providers))}")
        return value

    @field_validator("tools")
    @classmethod
    def _names_once(cls, value: list[ToolConf]) -> list[ToolConf]:
        names = [tool.name for tool in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two tools of one name: {', '.join(twice)}")
        return value

    @model_validator(mode="after")
    def _builtin_names_free(self) -> "AgentConf":
        names = [tool.name for tool in self.offered]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"with a consent line the agent has a tool of this name already: {', '.join(twice)}")
        return self

    @field_validator("keypad")
    @classmethod
    def _keys_lead_somewhere(cls, value: KeypadConf, info: ValidationInfo) -> KeypadConf:
        if "tools" in info.data:
            value.check(info.data["tools"])
        return value

    @field_validator("tool_choice")
    @classmethod
    def _chosen_tool_exists(cls, value: ToolChoice, info: ValidationInfo) -> ToolChoice:
        tools = info.data.get("tools", [])
        match value:
            case FunctionChoice(name=name) if name not in {tool.name for tool in tools if tool.type != "mcp"}:
                raise ValueError(f"the agent has no function {name}")
            case McpChoice(server_label=label) if label not in {tool.name for tool in tools if tool.type == "mcp"}:
                raise ValueError(f"the agent has no MCP server {label}")
        return value
