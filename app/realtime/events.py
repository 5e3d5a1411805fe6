"""What a realtime session tells a call, in words that fit any provider.

A provider without item ids leaves `item_id` empty: the call then treats all of its audio as one item.
"""

from dataclasses import dataclass
from typing import Any, Literal

from app.realtime.status import SessionStatus
from app.realtime.usage import Used

Progress = Literal["in_progress", "completed", "failed"]


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
    """In the provider's words."""
    retryable: bool = True
    """Of a failed one: whether another try could help."""
    used: Used | None = None
    """The same in ours; nothing where nothing was told."""


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
    usage: dict[str, Any] | None = None
    """What the recogniser used, in the provider's words: it is paid apart from the answers."""
    used: Used | None = None
    """The same in ours."""


@dataclass(frozen=True, slots=True)
class AgentText:
    """What the agent writes where it was asked for text instead of a voice: a piece, or the whole when `final`."""

    text: str
    item_id: str = ""
    response_id: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True)
class AsideDone:
    """The answer to a question that was put to the model beside the conversation; the caller hears nothing of it."""

    name: str
    text: str = ""
    status: Literal["completed", "cancelled", "incomplete", "failed"] = "completed"
    reason: str | None = None
    usage: dict[str, Any] | None = None
    used: Used | None = None


@dataclass(frozen=True, slots=True)
class ItemAdded:
    """The conversation has a new item, perhaps still empty; exactly one event for each. The chain is its order."""

    item_id: str
    kind: str = "message"
    role: str | None = None
    previous_item_id: str | None = None


@dataclass(frozen=True, slots=True)
class ItemDone:
    """An item of the conversation is final."""

    item_id: str
    kind: str = "message"
    role: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class ItemDeleted:
    """The conversation no longer holds the item."""

    item_id: str


@dataclass(frozen=True, slots=True)
class ItemTruncated:
    """The model knows that only this much of its item was heard; it forgot the item's words."""

    item_id: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class IdleTimeout:
    """Nobody has spoken for long, and the model speaks up by itself."""

    item_id: str = ""
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is left of one of the account's limits, and when it is whole again."""

    name: str
    limit: float | None = None
    remaining: float | None = None
    reset_s: float | None = None


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How close the account is to its limits."""

    limits: tuple[RateLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class McpListProgress:
    """The provider fetches an MCP server's list of tools; after `failed` the call goes on without them."""

    item_id: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class McpCallProgress:
    """The provider runs a tool of an MCP server."""

    item_id: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class McpCallDone:
    """A tool of an MCP server has run: with its output, or with what went wrong."""

    item_id: str
    server: str
    name: str
    arguments: str
    output: str | None = None
    error: str | None = None
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalRequested:
    """The provider asks whether an MCP tool may run; answer with `answer_approval`."""

    request_id: str
    server: str
    name: str
    arguments: str
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class SessionProblem:
    """The provider reported an error, about that item where it names one.

    The session goes on after a `harmless` or `retryable` one. It is `over` where another session can take its place,
    and after a `fatal` one no other could.
    """

    message: str
    code: str | None = None
    severity: Literal["harmless", "retryable", "over", "fatal"] = "retryable"
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class SessionCreated:
    """The session's name at its provider, and when it ends there (seconds since 1970), where the provider says so."""

    session_id: str = ""
    expires_at_s: float | None = None


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    """A change of the session is in force; `session` is all of its configuration in the provider's words."""

    session: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionDegraded:
    """The session differs from what was asked for in these fields of its configuration: they were not granted."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionExpiring:
    """The provider ends the session in this many seconds, whatever is being said then."""

    left_s: float


@dataclass(frozen=True, slots=True)
class SessionStatusChanged:
    """The session went from one status to another."""

    status: SessionStatus
    before: SessionStatus


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
    | AgentText
    | AsideDone
    | ItemAdded
    | ItemDone
    | ItemDeleted
    | ItemTruncated
    | IdleTimeout
    | RateLimits
    | McpListProgress
    | McpCallProgress
    | McpCallDone
    | ApprovalRequested
    | SessionProblem
    | SessionCreated
    | SessionUpdated
    | SessionDegraded
    | SessionExpiring
    | SessionStatusChanged
    | Unknown
)
