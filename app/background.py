"""Work that goes on beside the calls."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

BEGIN_AGAIN_S = 5.0
"""Work that broke is begun again after this."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def background(*work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Work that goes on as long as the block does."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_kept_up(each)) for each in work]
        yield
        for task in tasks:
            task.cancel()


async def _kept_up(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do it until cancelled; what breaks there is begun again, for calls go on without it."""
    while True:
        try:
            await work()
        except Exception:  # a job run: its failure would end the task group, and with it every live call
            _log.exception("background_work_broke", again_in_s=BEGIN_AGAIN_S)
        await asyncio.sleep(BEGIN_AGAIN_S)
