"""What a realtime session tells a call, in words that fit any provider.

A provider without item ids leaves `item_id` empty: the call then treats all of its audio as one item.
"""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class AudioDelta:
    """A stretch of the agent's voice: base64 of the phone's format, of any length, faster than real time."""

    audio: str
    item_id: str = ""
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class AudioDone:
    """An item has all its audio; it may not have been heard yet."""

    item_id: str = ""
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller started to speak. `audio_ms` counts the audio sent to the session, where the provider says it."""

    audio_ms: int | None = None
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller stopped speaking."""

    audio_ms: int | None = None
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """The model started an answer."""

    response_id: str = ""


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """The model ended an answer, whatever the outcome."""

    response_id: str = ""
    status: Literal["completed", "cancelled", "incomplete", "failed"] = "completed"
    reason: str | None = None
    usage: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool; exactly one event for each `call_id`. `arguments` is JSON text, perhaps broken."""

    call_id: str
    name: str
    arguments: str
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class AgentTranscript:
    """What the agent says, as generated (not as heard): a piece, or the whole when `final`."""

    text: str
    item_id: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True)
class CallerTranscript:
    """What the caller said, a hint from a separate recogniser: a piece, or the whole when `final`."""

    text: str
    item_id: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True)
class SessionProblem:
    """The provider reported an error. Only a `fatal` one ends the session."""

    message: str
    code: str | None = None
    severity: Literal["harmless", "retryable", "fatal"] = "retryable"


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event we have no use for."""

    kind: str


RealtimeInEvent = (
    AudioDelta
    | AudioDone
    | SpeechStarted
    | SpeechStopped
    | ResponseStarted
    | ResponseDone
    | ToolCall
    | AgentTranscript
    | CallerTranscript
    | SessionProblem
    | Unknown
)
