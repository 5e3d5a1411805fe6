"""Opens what jobs need, the same for a server and for a worker of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.store import ConfStore
from app.jobs.context import JobContext
from app.jobs.job import Handlers
from app.jobs.tend import tend
from app.jobs.worker import Worker
from app.jobs.workroom import Workroom
from app.recordings.storage import Storage
from app.timing import Deadlines

HEARTBEAT_S = 30.0
"""Jobs of a process that was silent for this long go to another."""
GRACE_S = 4.0
"""At a stop, running jobs may finish within this; then they go back to where they waited."""
LEAVE_S = 2.0
"""And the queue may take this long to hear of it."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_context(
    *,
    engine: AsyncEngine,
    conf: ConfStore,
    storage: Storage,
    workroom: Workroom,
    twilio_api_base_url: str,
    transcription_url: str,
    deadlines: Deadlines,
) -> AsyncIterator[JobContext]:
    """What the handlers share, open as long as the block."""
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=None) as http:  # noqa: S113 (each
        yield JobContext(
            engine=engine,
            conf=conf,
            storage=storage,
            workroom=workroom,
            http=http,
            twilio_api_base_url=twilio_api_base_url,
            transcription_url=transcription_url,
            deadlines=deadlines,
        )


@asynccontextmanager
async def working(
    engine: AsyncEngine, handlers: Handlers, *, heartbeat_s: float = HEARTBEAT_S, grace_s: float = GRACE_S
) -> AsyncIterator[None]:
    """Work at jobs as long as the block lasts."""
    worker = Worker(engine, handlers, heartbeat_s=heartbeat_s)
    tasks = asyncio.create_task(worker.run(), name="worker"), asyncio.create_task(tend(engine), name="tend")
    try:
        yield
    finally:
        worker.stop(grace_s)
        tasks[1].cancel()
        await asyncio.wait(tasks, timeout=grace_s + LEAVE_S)
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(tasks, timeout=LEAVE_S)
