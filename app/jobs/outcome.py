"""What follows a run, in one transaction: the job's row, its kind's pause, and how the queue goes on.

The queue's library would tell the queue after our commit, and undo what a person did in between.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import job_entries, jobs
from app.db.tables import Job as JobRow
from app.jobs.failed import note_failure
from app.jobs.job import GiveUp, Job, JobKind, JobState, PauseKind, TryAgain
from app.jobs.policy import PAUSE_S, Fail, on_failure
from app.jobs.queue import hand_out_again
from app.logs import mask_text

LONGEST_REASON = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stopped:
    """The process ended; the job is not at fault."""


Outcome = GiveUp | PauseKind | TryAgain | Stopped | None
"""How a run went; None is well."""


async def write_down(db: AsyncSession, job: Job, outcome: Outcome, *, chance: float) -> None:
    """Write how the run went, unless another process has run the job since."""
    found = await jobs.lock_job(db, UUID(job.id))
    if found is None or found[0].state != JobState.RUNNING or found[0].attempts != job.attempt:
        return  # somebody thought us dead, and runs it now
    row, now = found
    row.updated_at, row.crashes = now, 0
    match outcome:
        case None:
            row.state, row.reason = JobState.DONE, None
            await job_entries.drop(db, row.id)
            await end_pause(db, job.kind)
        case GiveUp():
            await fail(db, row, str(outcome))
        case PauseKind():
            row.attempts, row.reason = row.attempts - 1, _short(str(outcome))
            await _pause(db, job.kind, row.reason)
            await wait(db, row, PAUSE_S)
        case Stopped():
            row.attempts -= 1
            await wait(db, row, 0)
        case TryAgain():
            await _again(db, row, outcome, chance)


async def wait(db: AsyncSession, row: JobRow, after_s: float) -> None:
    """Have the queue hand the job out again after this."""
    row.state = JobState.WAITING
    await db.flush()
    await hand_out_again(db, row.id, row.kind, after_s=after_s)


async def fail(db: AsyncSession, row: JobRow, reason: str) -> None:
    """No more tries: say so on the job and on its subject."""
    row.state, row.reason = JobState.FAILED, _short(reason)
    await job_entries.drop(db, row.id)
    await note_failure(db, JobKind(row.kind), row.subject, row.reason)
    _log.error("job_failed", job=str(row.id), kind=row.kind, subject=row.subject, reason=row.reason)


async def end_pause(db: AsyncSession, kind: str) -> bool:
    """The kind can be worked at again, whatever it was paused for; False where it was not."""
    if not await jobs.end_pause(db, kind):
        return False
    await job_entries.release(db, kind=kind)
    _log.info("jobs_resumed", kind=kind)
    return True


async def _pause(db: AsyncSession, kind: str, reason: str) -> None:
    if await jobs.pause(db, kind, reason, PAUSE_S):
        _log.error("jobs_paused", kind=kind, reason=reason, probed_again_in_s=PAUSE_S)
    await job_entries.park(db, kind, PAUSE_S)


async def _again(db: AsyncSession, row: JobRow, outcome: TryAgain, chance: float) -> None:
    decision = on_failure(
        JobKind(row.kind),
        str(outcome),
        attempt=row.attempts,
        age_s=(row.updated_at - row.created_at).total_seconds(),
        asked_s=outcome.after_s,
        chance=chance,
    )
    if isinstance(decision, Fail):
        await fail(db, row, decision.reason)
        return
    row.reason = _short(str(outcome))
    row.run_after = row.updated_at + timedelta(seconds=decision.after_s)
    _log.info("job_waits", reason=row.reason, attempt=row.attempts, again_in_s=round(decision.after_s))
    await wait(db, row, decision.after_s)


def _short(reason: str) -> str:
    """As it may be kept and shown: no secret of another side's error text, no page of HTML."""
    reason = mask_text(reason)
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}…"
