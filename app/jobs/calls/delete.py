"""Deleting recordings for real: in our storage, at Twilio, and their words with them."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.db.engine import db_session
from app.db.recordings import change_recording, delete_transcript, expire, find_recording, forget_words, outspoken
from app.errors import DatabaseError, StorageError
from app.jobs.context import JobContext
from app.jobs.job import Handler, Job, JobKind, TryAgain
from app.jobs.queue import enqueue
from app.jobs.recordings.twilio_recording import delete_at_twilio
from app.recordings.states import RecordingState

RETENTION, DECLINED = "its retention is over", "declined by the caller"
SWEEP_EVERY_S = 600.0

_log = structlog.get_logger(__name__)


async def request_deletion(db: AsyncSession, recording_id: UUID, reason: str) -> bool:
    """From now on nobody sees it or its transcript, and a job deletes it everywhere; False where that was done already.

    At the end of its retention the words go from the call's events as well.
    """
    recording = await find_recording(db, recording_id, lock=True)
    if recording is None or recording.state == RecordingState.DELETED:
        return False
    await change_recording(db, recording_id, state=RecordingState.DELETED, reason=reason, delete_after=None)
    await delete_transcript(db, recording_id)
    if reason == RETENTION and recording.call_id:
        await forget_words(db, recording.call_id)
    await enqueue(db, JobKind.DELETE_RECORDING, str(recording_id))
    return True


def delete_handler(context: JobContext) -> Handler:
    """Deletes the files of a recording whose deletion was requested."""

    async def delete(job: Job) -> None:
        async with db_session(context.engine) as db:
            recording = await find_recording(db, job.subject)
        if recording is None or recording.state != RecordingState.DELETED or recording.deleted_at:
            return
        if recording.at_twilio:
            await delete_at_twilio(context, recording)
        if recording.key:
            try:
                await context.storage.delete(recording.key)
            except StorageError as error:
                raise TryAgain(str(error)) from error
        async with db_session(context.engine) as db:
            gone = {"key": None, "at_twilio": False, "deleted_at": datetime.now(UTC)}
            await change_recording(db, recording.id, **gone)
        _log.info("recording_deleted", recording=job.subject, reason=recording.reason)

    return delete


async def sweep(engine: AsyncEngine, now: datetime) -> bool:
    """Let go of some of what nobody may keep any longer; whether there may be more."""
    async with db_session(engine) as db:
        requested = [await request_deletion(db, each, RETENTION) for each in await expire(db, now)]
        if calls := await outspoken(db, now):
            await forget_words(db, *calls)
    return any(requested) or bool(calls)


async def keep_retention(engine: AsyncEngine) -> None:
    """Request, until cancelled, the deletion of what nobody may keep any longer."""
    while True:
        try:
            while await sweep(engine, datetime.now(UTC)):
                pass
        except DatabaseError as error:
            _log.warning("retention_waits", error=str(error))
        await asyncio.sleep(SWEEP_EVERY_S)
