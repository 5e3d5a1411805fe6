"""One run of a job: counted before it begins, and its outcome written down, whatever that is."""

import asyncio
import random
from collections.abc import Callable
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import jobs
from app.db.engine import db_session
from app.errors import DatabaseError
from app.jobs.job import GiveUp, Handlers, Job, JobKind, JobState, PauseKind, TryAgain
from app.jobs.outcome import Outcome, Stopped, fail, wait, write_down
from app.jobs.policy import POLICIES, Drop, Fail, Run, Wait, on_pick

AWAY_S = 5.0
"""With the database away, the queue may try its luck with the job again after this."""
WRITE_AGAIN_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""The outcome cannot be written: pauses between the tries; after them, the run counts as one that never ended."""

_log = structlog.get_logger(__name__)


class Runs:
    """Runs the jobs that the queue hands to this process."""

    def __init__(self, engine: AsyncEngine, handlers: Handlers, *, chance: Callable[[], float] = random.random) -> None:
        self._engine = engine
        self._handlers = handlers
        self._chance = chance
        self._limits: set[asyncio.Timeout] = set()
        self._stopping = False

    def stop(self, grace_s: float) -> None:
        """Begin nothing more; what runs may finish within this, or else waits again as if it had not begun."""
        self._stopping = True
        for limit in self._limits:
            limit.reschedule(asyncio.get_running_loop().time() + grace_s)

    async def __call__(self, job_id: UUID) -> float | None:
        """Run the job if it may, and write down what became of it.

        Where that cannot be written: in how many seconds the queue should come back with it.
        """
        if self._stopping:
            return 0.0
        try:
            picked = await self._begin(job_id)
        except DatabaseError:
            return AWAY_S
        if picked is None:
            return None
        with structlog.contextvars.bound_contextvars(job=picked.id, kind=picked.kind, subject=picked.subject):
            return await self._end(picked, await self._carry(picked))

    async def _begin(self, job_id: UUID) -> Job | None:
        async with db_session(self._engine) as db:
            if (found := await jobs.lock_job(db, job_id)) is None:
                return None
            row, now = found
            pause = await jobs.find_pause(db, row.kind)
            died = row.state == JobState.RUNNING
            decision = on_pick(
                row.state,
                crashes=row.crashes + died,
                due_in_s=(row.run_after - now).total_seconds(),
                paused_for_s=(pause.until - now).total_seconds() if pause else 0,
            )
            if isinstance(decision, Drop):
                return None
            row.crashes += died
            row.updated_at = now
            match decision:
                case Fail(reason):
                    await fail(db, row, reason)
                    return None
                case Wait(after_s):
                    await wait(db, row, after_s)
                    return None
                case Run():
                    row.state, row.attempts = JobState.RUNNING, row.attempts + 1
                    return Job(str(row.id), JobKind(row.kind), row.subject, row.attempts)

    async def _carry(self, job: Job) -> Outcome:
        run_s = POLICIES[job.kind].run_s
        try:
            async with asyncio.timeout(run_s) as limit:
                self._limits.add(limit)
                try:
                    await self._handlers[job.kind](job)
                finally:
                    self._limits.discard(limit)
        except (GiveUp, PauseKind, TryAgain) as outcome:
            return outcome
        except Exception as error:  # a job run
            if limit.expired():
                return Stopped() if self._stopping else TryAgain(f"not done within {run_s:.0f} s")
            if not isinstance(error, DatabaseError):
                _log.exception("job_broke")
            return TryAgain(f"{type(error).__name__}: {error}")
        return None

    async def _end(self, job: Job, outcome: Outcome) -> float | None:
        for pause_s in WRITE_AGAIN_S:
            try:
                async with db_session(self._engine) as db:
                    await write_down(db, job, outcome, chance=self._chance())
                return None
            except DatabaseError as error:
                _log.warning("job_end_not_written_yet", error=str(error), again_in_s=pause_s)
            if self._stopping:
                break
            await asyncio.sleep(pause_s)
        return AWAY_S
