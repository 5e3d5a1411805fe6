"""What an operator sets: one pydantic model for each section of `core_conf`.

Rows are validated with a `Known` as context (what this build can do), so that this room needs no provider.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.errors import ConfInvalid

DEFAULT = "default"
"""The name of a section's row that is used where nothing else is named."""


@dataclass(frozen=True, slots=True)
class Known:
    """What this build knows: the providers that have a session factory, and each one's voices that cannot work."""

    providers: frozenset[str] = frozenset({"openai"})
    unfit_voices: frozenset[str] = field(default_factory=frozenset)


def e164(number: str) -> str:
    """The number in E.164 form; raises `ValueError` when it is no possible phone number."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"not a phone number in E.164 form (like +15551234567): {error}") from None
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError("not a possible phone number; write it in E.164 form, like +15551234567")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


E164 = Annotated[str, AfterValidator(e164)]
RowName = Annotated[str, Field(min_length=1, max_length=100)]


class Conf(BaseModel):
    """A section's row. Unknown fields are refused, secrets never print."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OpenAICoreConf(Conf):
    """Access to OpenAI."""

    openai_api_key: SecretStr
    organization: str | None = None
    project: str | None = None


class TwilioCoreConf(Conf):
    """Access to one Twilio account."""

    account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-fA-F]{32}$")]
    auth_tokens: Annotated[list[SecretStr], Field(min_length=1)]
    """Every token that may sign a request (two while one is being rotated); the first is used for REST."""
    api_key_sid: str | None = None
    api_key_secret: SecretStr | None = None
    """With both set, REST uses the API key instead of the first auth token."""

    @model_validator(mode="after")
    def _api_key_whole(self) -> "TwilioCoreConf":
        if (self.api_key_sid is None) != (self.api_key_secret is None):
            raise ValueError("api_key_sid and api_key_secret go together")
        return self


class ServerVad(Conf):
    """A turn ends after a stretch of silence."""

    type: Literal["server_vad"] = "server_vad"
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    prefix_padding_ms: Annotated[int, Field(ge=0)] = 300
    silence_duration_ms: Annotated[int, Field(ge=0)] = 500
    interrupt_response: bool = True
    """Whether the caller may interrupt the agent."""
    idle_timeout_ms: Annotated[int, Field(ge=5000, le=30000)] | None = None


class SemanticVad(Conf):
    """A turn ends when the model thinks the caller is done."""

    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    interrupt_response: bool = True


TurnDetection = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class EndCallTool(Conf):
    """The agent may hang up; the caller hears the goodbye first."""

    type: Literal["end_call"]
    name: ToolName = "end_call"
    description: str = "End the call. Say goodbye in the same answer; the line closes when the caller has heard it."

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema: there are none."""
        return {"type": "object", "properties": {}, "additionalProperties": False}


class LookupTool(Conf):
    """The agent looks a key up in a table that stands right here."""

    type: Literal["lookup"]
    name: ToolName
    description: str
    key_name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")] = "key"
    key_description: str = "What to look up."
    entries: dict[str, str]

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema."""
        key = {"type": "string", "description": f"{self.key_description} One of: {', '.join(self.entries)}."}
        return {
            "type": "object",
            "properties": {self.key_name: key},
            "required": [self.key_name],
            "additionalProperties": False,
        }


ToolConf = Annotated[EndCallTool | LookupTool, Field(discriminator="type")]


class Fallback(Conf):
    """What the caller gets when no model can talk."""

    message: Annotated[str, Field(min_length=1, max_length=1000)] = (
        "We are sorry, our assistant is not available right now."
    )
    number: E164 | None = None
    """Forwarded to after the message; without it the call ends there."""


class AgentConf(Conf):
    """A voice that answers: who it is, how it sounds, what it may do."""

    provider: str = "openai"
    account: RowName = DEFAULT
    """The row of the provider's section whose key this agent uses."""
    model: Annotated[str, Field(min_length=1)] = "gpt-realtime-2.1"
    instructions: Annotated[str, Field(max_length=60_000)] = (
        "You are a friendly, brief phone agent. Speak naturally, one short answer at a time."
    )
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "en-US"
    """The language of the words that Twilio speaks for us."""
    voice: Annotated[str, Field(min_length=1)] = "marin"
    speed: Annotated[float, Field(ge=0.25, le=1.5)] = 1.0
    audio_format: Literal["g711_ulaw"] = "g711_ulaw"
    turn_detection: TurnDetection = ServerVad()
    noise_reduction: Literal["near_field", "far_field"] | None = "near_field"
    transcription_model: str | None = "gpt-transcribe"
    """Writes down what the caller says while they talk; a hint for the record, never waited for."""
    reasoning_effort: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | Literal["inf"] = "inf"
    speaks_first: bool = True
    greeting: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """The exact first words; without it the model finds its own."""
    tools: list[ToolConf] = []
    max_call_seconds: Annotated[int, Field(ge=10, le=14_400)] = 3600
    fallback: Fallback = Fallback()

    @field_validator("provider")
    @classmethod
    def _provider_known(cls, value: str, info: ValidationInfo) -> str:
        providers = _known(info).providers
        if value not in providers:
            raise ValueError(f"unknown provider; this build has: {', '.join(sorted(providers))}")
        return value

    @field_validator("voice")
    @classmethod
    def _voice_fit(cls, value: str, info: ValidationInfo) -> str:
        if value in _known(info).unfit_voices:
            raise ValueError("this voice gives distorted noise on a realtime session; try marin or cedar")
        return value

    @field_validator("tools")
    @classmethod
    def _names_once(cls, value: list[ToolConf]) -> list[ToolConf]:
        names = [tool.name for tool in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two tools of one name: {', '.join(twice)}")
        return value


class NumberConf(Conf):
    """Which agent answers a number; the row's name is the number in E.164 form, or `default`."""

    agent: RowName
    fallback_number: E164 | None = None
    """Wins over the agent's own fallback number."""


SECTIONS: Mapping[str, type[Conf]] = {
    "openai": OpenAICoreConf,
    "twilio": TwilioCoreConf,
    "agent": AgentConf,
    "number": NumberConf,
}


def _known(info: ValidationInfo) -> Known:
    return info.context if isinstance(info.context, Known) else Known()


def parse(section: str, name: str, value: object, known: Known) -> Conf:
    """The typed row. Raises `ConfInvalid` that names each field's path and reason, never a value."""
    model = SECTIONS.get(section)
    if model is None:
        raise ConfInvalid(f"no section {section!r}; there are: {', '.join(SECTIONS)}")
    if not re.fullmatch(r"[\w+.\- ]{1,100}", name):
        raise ConfInvalid(f"{section}: a row's name has 1 to 100 letters, digits, spaces or any of + . - _")
    if section == "number" and name != DEFAULT and not _is_e164(name):
        raise ConfInvalid(f"number/{name}: the name is a phone number in E.164 form (like +15551234567) or 'default'")
    try:
        return model.model_validate(value, context=known)
    except ValidationError as error:
        raise ConfInvalid(explain(f"{section}/{name}", error)) from None


def explain(where: str, error: ValidationError) -> str:
    """A validation error as one line for each field, without the refused values (they may be secrets)."""
    lines = [
        f"{where}: {'.'.join(str(part) for part in problem['loc']) or '(whole)'}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    return "\n".join(lines)


def _is_e164(name: str) -> bool:
    try:
        return e164(name) == name
    except ValueError:
        return False
