"""Whether jobs get done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables import Job, JobPause


@dataclass(frozen=True, slots=True)
class Overdue:
    """Jobs that should have run long ago."""

    jobs: int
    oldest_since: datetime
    kinds: list[str]
    paused: Mapping[str, str]
    """The kinds among them that wait for a person, and what for."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Jobs of a kind that were given up on a day."""

    kind: str
    day: date
    last_reason: str | None


async def overdue(db: AsyncSession, by: timedelta) -> Overdue | None:
    """The waiting jobs that are overdue by more than that; None where there are none."""
    late = Job.state == "waiting", Job.run_after < func.now() - by
    counted = select(func.count(), func.min(Job.run_after), func.array_agg(Job.kind.distinct())).where(*late)
    jobs, oldest_since, kinds = (await db.execute(counted)).one()
    if not jobs:
        return None
    paused = await db.execute(select(JobPause.kind, JobPause.reason).where(JobPause.kind.in_(kinds)))
    return Overdue(jobs, oldest_since, sorted(kinds), {row.kind: row.reason for row in paused})


async def failures(db: AsyncSession, since: datetime) -> list[Failures]:
    """What was given up since then, by kind and day."""
    day = func.date(func.timezone("UTC", Job.updated_at))
    last_reason = func.array_agg(Job.reason)  # any of them says what is wrong
    wanted = (
        select(Job.kind, day, last_reason).where(Job.state == "failed", Job.updated_at >= since).group_by(Job.kind, day)
    )
    return [Failures(kind, on, reasons[0]) for kind, on, reasons in await db.execute(wanted)]
