"""The questions we ask of jobs."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.ids import uuid7
from app.db.tables import Job

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
