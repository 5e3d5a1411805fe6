"""What keeps the queue in order, in every process that works at it: each doing the same at once changes nothing."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import job_entries, jobs
from app.db.engine import db_session
from app.errors import DatabaseError
from app.jobs.queue import hand_out

LOOK_EVERY_S = 5.0
SWEEP_EVERY = 12
"""Looks from one sweep to the next."""
LOG_KEPT, DONE_KEPT = timedelta(days=1), timedelta(days=30)

_log = structlog.get_logger(__name__)


async def tend(engine: AsyncEngine) -> None:
    """Do all of it until cancelled."""
    looks = 0
    while True:
        try:
            await resume_mended(engine)
            if looks % SWEEP_EVERY == 0:
                await sweep(engine)
            looks += 1
        except DatabaseError as error:
            _log.debug("jobs_not_tended", error=str(error))
        await asyncio.sleep(LOOK_EVERY_S)


async def resume_mended(engine: AsyncEngine) -> None:
    """Let kinds be worked at again that were paused before somebody changed the configuration."""
    async with db_session(engine) as db:
        for kind in await jobs.end_mended_pauses(db):
            await job_entries.release(db, kind=kind)
            _log.info("jobs_resumed", kind=kind, reason="the configuration was changed")


async def sweep(engine: AsyncEngine) -> None:
    """Hand out the open jobs that the queue has lost, and forget what is long over."""
    async with db_session(engine) as db:
        lost = await job_entries.lost_entries(db)
        for job_id, kind, due_in_s in lost:
            await hand_out(db, job_id, kind, after_s=due_in_s)
        await job_entries.forget_log(db, LOG_KEPT)
        await jobs.forget_done(db, DONE_KEPT)
    if lost:
        _log.warning("jobs_found_again", jobs=len(lost))
