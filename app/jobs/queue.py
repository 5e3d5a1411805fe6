"""Into the queue: our own row says what became of a job, pgqueuer's entry hands it to a worker."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import job_entries, jobs
from app.jobs.job import JobKind


async def enqueue(db: AsyncSession, kind: JobKind, subject: str, *, after_s: float = 0) -> bool:
    """Add a job in the transaction of `db`; False where the subject has an open job of that kind already."""
    # our row is written first: SQLAlchemy begins the transaction with its own first statement, not with pgqueuer's
    job_id = await jobs.add_job(db, kind, subject, after_s=after_s)
    if job_id is None:
        return False
    await hand_out(db, job_id, kind, after_s=after_s)
    return True


async def hand_out(db: AsyncSession, job_id: UUID, kind: str, *, after_s: float = 0) -> None:
    """Make the queue's entry of a job of ours, which has one at most; a statement on `db` must have gone before."""
    link: Any = (await (await db.connection()).get_raw_connection()).driver_connection
    await Queries(AsyncpgDriver(link)).enqueue(
        [kind],
        [str(job_id).encode()],
        [0],
        [timedelta(seconds=after_s)],
        [str(job_id)],
        on_conflict="skip",
    )


async def hand_out_again(db: AsyncSession, job_id: UUID, kind: str, *, after_s: float) -> None:
    """Put a new entry in the place of the job's own: what the worker that holds the old one says of it is void."""
    await job_entries.drop(db, job_id)
    await hand_out(db, job_id, kind, after_s=after_s)
