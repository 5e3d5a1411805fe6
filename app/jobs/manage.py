"""What a person does about jobs: send one round again, and end a pause."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import job_entries, jobs
from app.errors import ParleyError
from app.jobs.job import JobKind, JobState
from app.jobs.outcome import end_pause
from app.jobs.queue import hand_out


class JobError(ParleyError):
    """What a person wants of a job cannot be done."""


async def retry(db: AsyncSession, job_id: UUID) -> None:
    """Give a failed job all its tries again, or hurry one that waits; raises `JobError` for any other."""
    found = await jobs.lock_job(db, job_id)
    if found is None:
        raise JobError(f"there is no job {job_id}")
    row, now = found
    if row.state not in {JobState.FAILED, JobState.WAITING}:
        raise JobError(f"job {job_id} is {row.state}; only what failed or waits can be tried again")
    if row.state == JobState.FAILED and await jobs.has_open_twin(db, row):
        raise JobError(f"job {job_id}: another job is at the same work already")
    row.state, row.attempts, row.crashes, row.run_after, row.updated_at = JobState.WAITING, 0, 0, now, now
    await db.flush()
    await hand_out(db, row.id, row.kind)
    await job_entries.release(db, job_id=row.id)


async def resume(db: AsyncSession, kind: JobKind) -> None:
    """Let a kind be worked at again; raises `JobError` where it is not paused."""
    if not await end_pause(db, kind):
        raise JobError(f"{kind} is not paused")
