"""Asking for a recording's words, and what becomes of them."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.recordings import find_transcript
from app.db.tables import Recording
from app.db.transcripts import mark_transcript
from app.jobs.job import JobKind
from app.jobs.queue import enqueue
from app.recordings.states import RecordingState, TranscriptState


async def want_transcript(db: AsyncSession, recording: Recording, *, again: bool = False) -> bool:
    """Let a stored recording be written down, in the transaction of `db`; False where nothing new was begun.

    `again` is a person's wish: what is done, skipped or failed is made anew, and its words stay until then.
    """
    if recording.state != RecordingState.STORED:
        return False
    there = await find_transcript(db, recording.id)
    if there is not None and there.state != TranscriptState.WAITING and not again:
        return False
    await mark_transcript(db, recording.id, TranscriptState.WAITING, None, call_id=recording.call_id)
    return await enqueue(db, JobKind.TRANSCRIBE, str(recording.id))
