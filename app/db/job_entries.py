"""What we ask of the queue's own tables beyond what its library does."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

LOST = text("""
    select id, kind, extract(epoch from greatest(run_after - now(), interval '0'))::float8 from jobs
    where state in ('waiting', 'running') and not exists (
        select from pgqueuer where dedupe_key = jobs.id::text and status in ('queued', 'picked')
    )
    limit 1000
""")
PARK = text("""
    update pgqueuer set execute_after = greatest(execute_after, now() + make_interval(secs => :for_s))
    where entrypoint = :kind and status = 'queued'
""")
RELEASE = text("""
    update pgqueuer set execute_after = jobs.run_after from jobs
    where dedupe_key = jobs.id::text and pgqueuer.status = 'queued'
    and (jobs.kind = :kind or jobs.id = :job_id)
""")
WAKE = text("""
    select pg_notify('ch_pgqueuer', json_build_object(
        'channel', 'ch_pgqueuer', 'operation', 'update', 'sent_at', now(),
        'table', 'pgqueuer', 'type', 'table_changed_event'
    )::text)
""")
"""The library's trigger is silent about updates."""


async def lost_entries(db: AsyncSession) -> Sequence[tuple[UUID, str, float]]:
    """Open jobs that the queue does not know, as after a restored backup: id, kind, and in how many seconds due."""
    return [(job_id, kind, due_in_s) for job_id, kind, due_in_s in await db.execute(LOST)]


async def drop(db: AsyncSession, job_id: UUID) -> None:
    """Forget the job's entry, also while a worker holds it."""
    await db.execute(
        text("delete from pgqueuer where dedupe_key = :key and status in ('queued', 'picked')"), {"key": str(job_id)}
    )


async def park(db: AsyncSession, kind: str, for_s: float) -> None:
    """Hand out no job of that kind for a while."""
    await db.execute(PARK, {"kind": kind, "for_s": for_s})


async def release(db: AsyncSession, *, kind: str | None = None, job_id: UUID | None = None) -> None:
    """Hand out the jobs of that kind, or that job, when they are due by their own rows."""
    await db.execute(RELEASE, {"kind": kind, "job_id": job_id})
    await db.execute(WAKE)


async def forget_log(db: AsyncSession, older_than: timedelta) -> None:
    """Empty what the library writes down for its own statistics: our rows say what became of a job."""
    for table in ("pgqueuer_log", "pgqueuer_statistics"):
        await db.execute(
            text(f"delete from {table} where created < now() - cast(:age as interval)"),  # noqa: S608 (a literal)
            {"age": older_than},
        )
