"""Every event the server sends.

Each struct is one event of the wire. Fields are those we use, lenient where the wire may leave them out. A class
whose name starts with `Beta` is the same event under the name it had before general availability.
"""

from typing import Any

import msgspec


class ServerEvent(msgspec.Struct, tag_field="type"):
    """Any event the server sends."""

    @property
    def kind(self) -> str:
        """The event's name on the wire."""
        return str(self.__struct_config__.tag)


class OfResponse(ServerEvent, kw_only=True):
    """An event about a part of a response."""

    response_id: str = ""


class ErrorDetails(msgspec.Struct):
    """What went wrong; `event_id` names the event of ours that caused it."""

    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    event_id: str | None = None


class Error(ServerEvent, tag="error"):
    error: ErrorDetails


# -- the session


class SessionCreated(ServerEvent, tag="session.created"):
    session: dict[str, Any]


class SessionUpdated(ServerEvent, tag="session.updated"):
    session: dict[str, Any]


class Limit(msgspec.Struct):
    name: str = ""
    limit: float | None = None
    remaining: float | None = None
    reset_seconds: float | None = None


class RateLimitsUpdated(ServerEvent, tag="rate_limits.updated"):
    rate_limits: list[Limit]


# -- what the caller says


class SpeechStarted(ServerEvent, tag="input_audio_buffer.speech_started"):
    audio_start_ms: int | None = None
    item_id: str = ""


class SpeechStopped(ServerEvent, tag="input_audio_buffer.speech_stopped"):
    audio_end_ms: int | None = None
    item_id: str = ""


class IdleTimeout(ServerEvent, tag="input_audio_buffer.timeout_triggered"):
    audio_start_ms: int | None = None
    audio_end_ms: int | None = None
    item_id: str = ""


class AudioCommitted(ServerEvent, tag="input_audio_buffer.committed"):
    item_id: str = ""
    previous_item_id: str | None = None


class AudioCleared(ServerEvent, tag="input_audio_buffer.cleared"):
    pass


class DtmfReceived(ServerEvent, tag="input_audio_buffer.dtmf_event_received"):
    """Only on SIP calls; on Media Streams the carrier tells of keys."""

    event: str = ""
    received_at: int | None = None


class CallerTranscriptDelta(ServerEvent, tag="conversation.item.input_audio_transcription.delta"):
    delta: str | None = None
    item_id: str = ""


class CallerTranscriptDone(ServerEvent, tag="conversation.item.input_audio_transcription.completed"):
    transcript: str
    item_id: str = ""
    usage: dict[str, Any] | None = None


class CallerTranscriptFailed(ServerEvent, tag="conversation.item.input_audio_transcription.failed"):
    error: ErrorDetails
    item_id: str = ""


class CallerTranscriptSegment(ServerEvent, tag="conversation.item.input_audio_transcription.segment"):
    """Only from a recogniser that tells speakers apart; the whole text comes as well."""

    text: str = ""
    speaker: str | None = None
    item_id: str = ""


# -- the conversation and its items


class ConversationCreated(ServerEvent, tag="conversation.created"):
    pass


class Part(msgspec.Struct):
    """A part of an item's content: text, or audio and its transcript."""

    type: str | None = None
    text: str | None = None
    transcript: str | None = None


class Item(msgspec.Struct):
    """An item of the conversation; behind `role` come the fields of function calls, MCP calls and MCP approvals."""

    id: str | None = None
    type: str | None = None
    status: str | None = None
    role: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    server_label: str | None = None
    approval_request_id: str | None = None
    output: str | None = None
    error: Any = None


class ItemAdded(ServerEvent, tag="conversation.item.added"):
    item: Item
    previous_item_id: str | None = None


class BetaItemCreated(ItemAdded, tag="conversation.item.created"):
    pass


class ItemDone(ServerEvent, tag="conversation.item.done"):
    item: Item


class ItemRetrieved(ServerEvent, tag="conversation.item.retrieved"):
    item: Item


class ItemDeleted(ServerEvent, tag="conversation.item.deleted"):
    item_id: str


class ItemTruncated(ServerEvent, tag="conversation.item.truncated"):
    item_id: str
    audio_end_ms: int


# -- responses


class StatusDetails(msgspec.Struct):
    reason: str | None = None
    error: ErrorDetails | None = None


class Response(msgspec.Struct):
    """An answer; `output` (its items) is opened by the few who need it."""

    id: str = ""
    status: str | None = None
    status_details: StatusDetails | None = None
    usage: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    output: msgspec.Raw = msgspec.Raw(b"[]")


class OutputItem(msgspec.Struct):
    """As much of an answer's item as is read of a finished answer."""

    type: str | None = None
    content: list[Part] | None = None


class ResponseCreated(ServerEvent, tag="response.created"):
    response: Response


class ResponseDone(ServerEvent, tag="response.done"):
    response: Response


class OutputItemAdded(OfResponse, tag="response.output_item.added"):
    item: Item


class OutputItemDone(OfResponse, tag="response.output_item.done"):
    item: Item


class ContentPartAdded(OfResponse, tag="response.content_part.added"):
    part: Part
    item_id: str = ""


class ContentPartDone(OfResponse, tag="response.content_part.done"):
    part: Part
    item_id: str = ""


class AudioDelta(ServerEvent, tag="response.output_audio.delta"):
    delta: str
    item_id: str = ""
    response_id: str = ""


class BetaAudioDelta(AudioDelta, tag="response.audio.delta"):
    pass


class AudioDone(ServerEvent, tag="response.output_audio.done"):
    item_id: str = ""
    response_id: str = ""


class BetaAudioDone(AudioDone, tag="response.audio.done"):
    pass


class TranscriptDelta(ServerEvent, tag="response.output_audio_transcript.delta"):
    delta: str
    item_id: str = ""


class BetaTranscriptDelta(TranscriptDelta, tag="response.audio_transcript.delta"):
    pass


class TranscriptDone(ServerEvent, tag="response.output_audio_transcript.done"):
    transcript: str
    item_id: str = ""


class BetaTranscriptDone(TranscriptDone, tag="response.audio_transcript.done"):
    pass


class TextDelta(OfResponse, tag="response.output_text.delta"):
    delta: str
    item_id: str = ""


class BetaTextDelta(TextDelta, tag="response.text.delta"):
    pass


class TextDone(OfResponse, tag="response.output_text.done"):
    text: str
    item_id: str = ""


class BetaTextDone(TextDone, tag="response.text.done"):
    pass


class FunctionCallArgumentsDelta(ServerEvent, tag="response.function_call_arguments.delta"):
    delta: str = ""
    call_id: str = ""


class FunctionCallArgumentsDone(ServerEvent, tag="response.function_call_arguments.done"):
    """Also sent, half-written, when the answer is cut: the finished item is what counts."""

    arguments: str = ""
    call_id: str = ""
    name: str = ""


# -- MCP


class McpListInProgress(ServerEvent, tag="mcp_list_tools.in_progress"):
    item_id: str = ""


class McpListCompleted(ServerEvent, tag="mcp_list_tools.completed"):
    item_id: str = ""


class McpListFailed(ServerEvent, tag="mcp_list_tools.failed"):
    item_id: str = ""


class McpCallArgumentsDelta(ServerEvent, tag="response.mcp_call_arguments.delta"):
    delta: str = ""
    item_id: str = ""


class McpCallArgumentsDone(ServerEvent, tag="response.mcp_call_arguments.done"):
    arguments: str = ""
    item_id: str = ""


class McpCallInProgress(ServerEvent, tag="response.mcp_call.in_progress"):
    item_id: str = ""


class McpCallCompleted(ServerEvent, tag="response.mcp_call.completed"):
    item_id: str = ""


class McpCallFailed(ServerEvent, tag="response.mcp_call.failed"):
    item_id: str = ""


# -- playback, only where the server plays the audio itself (WebRTC, SIP)


class PlaybackStarted(ServerEvent, tag="output_audio_buffer.started"):
    response_id: str = ""


class PlaybackStopped(ServerEvent, tag="output_audio_buffer.stopped"):
    response_id: str = ""


class PlaybackCleared(ServerEvent, tag="output_audio_buffer.cleared"):
    response_id: str = ""


class Other(msgspec.Struct):
    """An event of a kind we do not know, or one we could not read."""

    type: str


KNOWN = (
    Error
    | SessionCreated
    | SessionUpdated
    | RateLimitsUpdated
    | SpeechStarted
    | SpeechStopped
    | IdleTimeout
    | AudioCommitted
    | AudioCleared
    | DtmfReceived
    | CallerTranscriptDelta
    | CallerTranscriptDone
    | CallerTranscriptFailed
    | CallerTranscriptSegment
    | ConversationCreated
    | ItemAdded
    | BetaItemCreated
    | ItemDone
    | ItemRetrieved
    | ItemDeleted
    | ItemTruncated
    | ResponseCreated
    | ResponseDone
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | AudioDelta
    | BetaAudioDelta
    | AudioDone
    | BetaAudioDone
    | TranscriptDelta
    | BetaTranscriptDelta
    | TranscriptDone
    | BetaTranscriptDone
    | TextDelta
    | BetaTextDelta
    | TextDone
    | BetaTextDone
    | FunctionCallArgumentsDelta
    | FunctionCallArgumentsDone
    | McpListInProgress
    | McpListCompleted
    | McpListFailed
    | McpCallArgumentsDelta
    | McpCallArgumentsDone
    | McpCallInProgress
    | McpCallCompleted
    | McpCallFailed
    | PlaybackStarted
    | PlaybackStopped
    | PlaybackCleared
)
