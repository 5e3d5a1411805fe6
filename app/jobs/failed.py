"""What a job that nobody tries any more leaves behind: a clear state where a person looks for one."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.recordings import change_recording, find_recording, find_transcript
from app.db.transcripts import mark_transcript
from app.jobs.job import JobKind
from app.recordings.states import RecordingState, TranscriptState


async def note_failure(db: AsyncSession, kind: JobKind, subject: str, reason: str) -> None:
    """Write on the job's subject that it failed, unless its handler has said more already."""
    match kind:
        case JobKind.TRANSCRIBE:
            await _no_words(db, UUID(subject), reason)
        case JobKind.FETCH_RECORDING | JobKind.POLL_RECORDING:
            await _no_sound(db, UUID(subject), reason)
        case JobKind.DELETE_RECORDING | JobKind.DELETE_AT_TWILIO | JobKind.DELIVER:
            pass


async def _no_words(db: AsyncSession, recording_id: UUID, reason: str) -> None:
    recording = await find_recording(db, recording_id)
    transcript = await find_transcript(db, recording_id)
    if recording and (transcript is None or transcript.state == TranscriptState.WAITING):
        await mark_transcript(db, recording_id, TranscriptState.FAILED, reason, call_id=recording.call_id)


async def _no_sound(db: AsyncSession, recording_id: UUID, reason: str) -> None:
    recording = await find_recording(db, recording_id, lock=True)
    if recording and recording.state == RecordingState.EXPECTED:
        await change_recording(db, recording_id, state=RecordingState.FAILED, reason=reason)
