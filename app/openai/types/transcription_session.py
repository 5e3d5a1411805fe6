"""A session that only writes down what it hears."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from app.openai.types.audio import AudioInput, CallerAudio, SemanticVad, ServerVad
from app.openai.types.session import Include
from app.openai.types.wire import WireModel


class TranscriptionInput(AudioInput):
    """How a transcription session hears."""

    @field_validator("turn_detection")
    @classmethod
    def _no_semantics(cls, value: ServerVad | SemanticVad | None) -> ServerVad | SemanticVad | None:
        if isinstance(value, SemanticVad):
            raise ValueError("a transcription session takes only server_vad")
        return value


class TranscriptionAudio(WireModel):
    """A transcription session has no voice, only ears."""

    input: TranscriptionInput | None = None


class TranscriptionSession(WireModel):
    """A transcription session as we ask for it."""

    type: Literal["transcription"] = "transcription"
    audio: TranscriptionAudio | None = None
    include: Include | None = None


class GrantedTranscriptionVad(WireModel):
    """Turn detection as a transcription session has it: there is nobody to answer or to interrupt."""

    type: Literal["server_vad"] = "server_vad"
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    prefix_padding_ms: Annotated[int, Field(ge=0)] | None = None
    silence_duration_ms: Annotated[int, Field(ge=0)] | None = None


class GrantedTranscriptionInput(CallerAudio):
    """How the server says that it hears."""

    turn_detection: GrantedTranscriptionVad | None = None


class GrantedTranscriptionAudio(WireModel):
    """The audio half of a granted transcription session."""

    input: GrantedTranscriptionInput | None = None


class GrantedTranscriptionSession(WireModel):
    """A transcription session as the server grants it; read it with `received`."""

    id: str
    object: str
    type: Literal["transcription"]
    audio: GrantedTranscriptionAudio | None = None
    expires_at: int | None = None
    include: Include | None = None

    null_means_off: ClassVar[frozenset[str]] = frozenset({"include"})
