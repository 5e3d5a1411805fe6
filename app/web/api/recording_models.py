"""Recordings and their words as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.db.tables import Recording as RecordingRow
from app.db.tables import Transcript as TranscriptRow
from app.recordings.states import RecordingState, TranscriptState


class TranscriptStatus(BaseModel):
    """Where a recording's words are on their way."""

    state: TranscriptState
    reason: Annotated[str | None, Field(description="Why it is failed or skipped.")]
    model: str | None
    language: str | None
    cost_usd: float | None


class Recording(BaseModel):
    """The sound of a call: where it is, or why it is not there."""

    id: UUID
    source: Annotated[
        Literal["own", "twilio", "voicemail"],
        Field(description="Who recorded: we, or Twilio; or the message that the caller left as a `voicemail`."),
    ]
    state: RecordingState
    reason: Annotated[str | None, Field(description="Why it is failed, absent or deleted.")]
    duration_ms: int | None
    channels: int | None
    caller_channel: Annotated[
        Literal["left", "right", "only"], Field(description="Where the caller is heard, of two; or alone.")
    ]
    bytes: int | None
    sha256: Annotated[str | None, Field(description="Of the file; also its `ETag`.")]
    created_at: datetime
    stored_at: datetime | None
    delete_after: Annotated[datetime | None, Field(description="When its retention is over; null: it is kept.")]
    audio: Annotated[str | None, Field(description="Where its sound is, once it is stored.")]
    transcript: Annotated[TranscriptStatus | None, Field(description="Null where nobody asked for one.")]


class Segment(BaseModel):
    """Something that one speaker said, by the recording. Times are milliseconds since its start."""

    speaker: Annotated[str, Field(description="`caller`, `agent`, `unknown`; or a letter for a voice.")]
    start_ms: int
    end_ms: int
    text: str


class Transcript(BaseModel):
    """A recording in words."""

    recording_id: UUID
    state: TranscriptState
    reason: Annotated[str | None, Field(description="Why it is failed or skipped.")]
    text: str
    segments: list[Segment]
    language: str | None
    duration_ms: int | None
    model: str | None
    cost_usd: float | None
    differences: Annotated[
        list[dict[str, Any]], Field(description="Where the agent's words differ from what it said by the live call.")
    ]
    created_at: datetime
    done_at: datetime | None


def show_recording(row: RecordingRow, words: TranscriptRow | None) -> Recording:
    """The recording as it is shown."""
    shown = {name: getattr(row, name) for name in Recording.model_fields if name not in {"audio", "transcript"}}
    audio = f"/api/v1/recordings/{row.id}/audio" if row.state == RecordingState.STORED else None
    status = {name: getattr(words, name) for name in TranscriptStatus.model_fields} if words else None
    return Recording.model_validate(shown | {"audio": audio, "transcript": status})


def show_transcript(row: TranscriptRow) -> Transcript:
    """The transcript as it is shown."""
    return Transcript.model_validate({name: getattr(row, name) for name in Transcript.model_fields})
