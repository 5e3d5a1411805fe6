"""The questions we ask of jobs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.ids import uuid7
from app.db.tables import CoreConf, Job, JobPause

QUEUE_TABLES = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")
"""The queue's own tables: its library knows them, and `tables` does not."""
OPEN = text("state in ('waiting', 'running')")


async def add_job(db: AsyncSession, kind: str, subject: str, *, after_s: float = 0) -> UUID | None:
    """A new waiting job; None where the subject has an open one of that kind."""
    row = {"id": uuid7(), "kind": kind, "subject": subject, "state": "waiting", "attempts": 0, "crashes": 0}
    row["run_after"] = func.now() + timedelta(seconds=after_s)
    put = insert(Job).values(row).on_conflict_do_nothing(index_elements=["kind", "subject"], index_where=OPEN)
    added: UUID | None = await db.scalar(put.returning(Job.id))
    return added


async def lock_job(db: AsyncSession, job_id: UUID) -> tuple[Job, datetime] | None:
    """The job, which stays as it is until the transaction ends, and the database's time."""
    found = (await db.execute(select(Job, func.now()).where(Job.id == job_id).with_for_update())).one_or_none()
    return (found[0], found[1]) if found else None


async def change_job(db: AsyncSession, job_id: UUID, **values: Any) -> None:
    """Write these columns."""
    await db.execute(update(Job).where(Job.id == job_id).values(updated_at=func.now(), **values))


async def list_jobs(db: AsyncSession, *, state: str | None = None, most: int = 200) -> list[Job]:
    """The newest jobs, or those of one state; a list without end would help nobody."""
    wanted = select(Job).order_by(Job.created_at.desc(), Job.id.desc()).limit(most)
    return list(await db.scalars(wanted if state is None else wanted.where(Job.state == state)))


async def failed_jobs(db: AsyncSession) -> list[UUID]:
    """Every job that nobody tries any more, oldest first."""
    return list(await db.scalars(select(Job.id).where(Job.state == "failed").order_by(Job.created_at)))


async def has_open_twin(db: AsyncSession, job: Job) -> bool:
    """Whether another open job does the same work."""
    twin = select(Job.id).where(Job.kind == job.kind, Job.subject == job.subject, OPEN, Job.id != job.id)
    return await db.scalar(twin) is not None


async def forget_done(db: AsyncSession, older_than: timedelta) -> None:
    """Forget jobs that were done long ago; failed ones stay, for a person to see."""
    await db.execute(delete(Job).where(Job.state == "done", Job.updated_at < func.now() - older_than))


async def pauses(db: AsyncSession) -> list[JobPause]:
    """The kinds that nobody works at, and why."""
    return list(await db.scalars(select(JobPause).order_by(JobPause.kind)))


async def find_pause(db: AsyncSession, kind: str) -> JobPause | None:
    """The kind's pause, which nobody ends before the transaction does; one whose time is up waits for a success."""
    found: JobPause | None = await db.scalar(select(JobPause).where(JobPause.kind == kind).with_for_update(read=True))
    return found


async def pause(db: AsyncSession, kind: str, reason: str, for_s: float) -> bool:
    """Pause the kind from now; False where it was paused, and only goes on being so."""
    values = {"reason": reason, "until": func.now() + timedelta(seconds=for_s)}
    put = insert(JobPause).values(kind=kind, **values)
    put = put.on_conflict_do_update(index_elements=[JobPause.kind], set_=values)  # waits for whoever ends it just now
    return bool(await db.scalar(put.returning(literal_column("xmax = 0"))))


async def end_pause(db: AsyncSession, kind: str) -> bool:
    """Let the kind be worked at again; False where it is not paused."""
    return await db.scalar(delete(JobPause).where(JobPause.kind == kind).returning(JobPause.kind)) is not None


async def end_mended_pauses(db: AsyncSession) -> Sequence[str]:
    """End the pauses since which somebody changed the configuration; returns their kinds."""
    changed = select(CoreConf.name).where(CoreConf.updated_at > JobPause.since).exists()
    return (await db.scalars(delete(JobPause).where(changed).returning(JobPause.kind))).all()
