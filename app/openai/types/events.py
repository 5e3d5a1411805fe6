"""The server events we act on; of all others only the kind is read.

Each struct is one event of the wire. Fields are those we use, lenient where the wire may leave them out. A class
whose name starts with `Beta` is the same event under the name it had before general availability.
"""

from typing import Any

import msgspec


class ServerEvent(msgspec.Struct, tag_field="type"):
    """Any event the server sends."""


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


class CallerTranscriptDelta(ServerEvent, tag="conversation.item.input_audio_transcription.delta"):
    delta: str | None = None
    item_id: str = ""


class CallerTranscriptDone(ServerEvent, tag="conversation.item.input_audio_transcription.completed"):
    transcript: str
    item_id: str = ""


class ErrorDetails(msgspec.Struct):
    """What went wrong; `event_id` names the event of ours that caused it."""

    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    event_id: str | None = None


class CallerTranscriptFailed(ServerEvent, tag="conversation.item.input_audio_transcription.failed"):
    error: ErrorDetails


class SpeechStarted(ServerEvent, tag="input_audio_buffer.speech_started"):
    audio_start_ms: int | None = None
    item_id: str = ""


class SpeechStopped(ServerEvent, tag="input_audio_buffer.speech_stopped"):
    audio_end_ms: int | None = None
    item_id: str = ""


class StatusDetails(msgspec.Struct):
    reason: str | None = None
    error: ErrorDetails | None = None


class Response(msgspec.Struct):
    id: str = ""
    status: str | None = None
    status_details: StatusDetails | None = None
    usage: dict[str, Any] | None = None


class ResponseCreated(ServerEvent, tag="response.created"):
    response: Response


class ResponseDone(ServerEvent, tag="response.done"):
    response: Response


class Item(msgspec.Struct):
    """An item of the conversation; the last three fields are a function call's."""

    id: str | None = None
    type: str | None = None
    status: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class OutputItemDone(ServerEvent, tag="response.output_item.done"):
    item: Item
    response_id: str = ""


class ItemAdded(ServerEvent, tag="conversation.item.added"):
    item: Item


class BetaItemCreated(ItemAdded, tag="conversation.item.created"):
    pass


class SessionCreated(ServerEvent, tag="session.created"):
    session: dict[str, Any]


class SessionUpdated(ServerEvent, tag="session.updated"):
    session: dict[str, Any]


class Error(ServerEvent, tag="error"):
    error: ErrorDetails


class Other(msgspec.Struct):
    """Any event we have no use for, or one we could not read."""

    type: str


KNOWN = (
    AudioDelta
    | BetaAudioDelta
    | AudioDone
    | BetaAudioDone
    | TranscriptDelta
    | BetaTranscriptDelta
    | TranscriptDone
    | BetaTranscriptDone
    | CallerTranscriptDelta
    | CallerTranscriptDone
    | CallerTranscriptFailed
    | SpeechStarted
    | SpeechStopped
    | ResponseCreated
    | ResponseDone
    | OutputItemDone
    | ItemAdded
    | BetaItemCreated
    | SessionCreated
    | SessionUpdated
    | Error
)
