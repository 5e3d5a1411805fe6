"""How an agent hears and sounds."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, Tag

from app.conf.models.base import BY_SHAPE, Conf


class ServerVad(Conf):
    """A turn ends after a stretch of silence."""

    type: Literal["server_vad"] = "server_vad"
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    prefix_padding_ms: Annotated[int, Field(ge=0)] = 300
    silence_duration_ms: Annotated[int, Field(ge=0)] = 500
    create_response: bool = True
    """Whether the agent answers by itself when the caller has finished."""
    interrupt_response: bool = True
    """Whether the caller may interrupt the agent."""
    idle_timeout_ms: Annotated[int, Field(ge=5000, le=30000)] | None = None
    """After this much silence of the caller the agent speaks up again."""


class SemanticVad(Conf):
    """A turn ends when the model thinks the caller is done."""

    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


class NoTurnDetection(Conf):
    """Nobody listens for turns: the agent speaks only when the program tells it to. May be written as null."""

    type: Literal["none"]
    create_response: ClassVar[bool] = False
    interrupt_response: ClassVar[bool] = False


def _null_is_none(value: object) -> object:
    return {"type": "none"} if value is None else value


TurnDetection = Annotated[
    ServerVad | SemanticVad | NoTurnDetection, Field(discriminator="type"), BeforeValidator(_null_is_none)
]


class NoiseReduction(Conf):
    """Filters the caller's audio before anybody hears it; the type alone may be written as a word."""

    type: Literal["near_field", "far_field"]
    strength: Annotated[float, Field(ge=0)] | None = None


def _word_is_type(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


NoiseFilter = Annotated[NoiseReduction, BeforeValidator(_word_is_type)]


class Transcription(Conf):
    """Writes down what the caller says while they talk; a hint for the record, never waited for."""

    model: Annotated[str, Field(min_length=1)] = "gpt-transcribe"
    language: str | None = None
    """The one language of older recognisers; today's take `languages`."""
    languages: list[str] | None = None
    keywords: list[str] | None = None
    """Names and words that callers are likely to say."""
    prompt: str | None = None
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None


class CustomVoice(Conf):
    """A voice made from audio samples, by its id at the provider."""

    id: Annotated[str, Field(min_length=1)]


Voice = Annotated[Annotated[str, Field(min_length=1), Tag("text")] | Annotated[CustomVoice, Tag("object")], BY_SHAPE]
