"""Takes jobs from the queue, a few at once, however often the database goes and comes back."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.models import Job as Entry
from pgqueuer.errors import RetryRequested
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.line import own_line
from app.jobs.job import Handlers, JobKind
from app.jobs.run import Runs

LOOK_EVERY_S = 5.0
"""New jobs are announced; those of a worker that died are not."""
BEGIN_AGAIN_S = (0.5, 15.0)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lane:
    """Kinds that share their places, so that none waits for what another lane is busy with."""

    kinds: frozenset[JobKind]
    places: int
    """So many jobs at once in each process; even."""


LANES = (
    Lane(frozenset({JobKind.TRANSCRIBE}), 2),
    Lane(frozenset({JobKind.DELIVER}), 4),
    Lane(frozenset(JobKind) - {JobKind.TRANSCRIBE, JobKind.DELIVER}, 4),
)


class Worker:
    """Works at every kind that has a handler, until told to stop."""

    def __init__(self, engine: AsyncEngine, handlers: Handlers, *, heartbeat_s: float) -> None:
        """Jobs of a process that was silent for `heartbeat_s` go to another."""
        self._engine = engine
        self._kinds = frozenset(handlers)
        self._runs = Runs(engine, handlers)
        self._heartbeat_s = heartbeat_s
        self._managers: list[QueueManager] = []
        self._stopping = asyncio.Event()

    def stop(self, grace_s: float) -> None:
        """Take no more jobs; those that run may finish within this, or else wait again."""
        self._stopping.set()
        self._runs.stop(grace_s)
        self._end_managers()

    async def run(self) -> None:
        """Work until `stop`, and until what runs then is over."""
        logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # it tells with stacks what we tell in a line
        pause_s, longest_s = BEGIN_AGAIN_S
        while not self._stopping.is_set():
            began_s = asyncio.get_running_loop().time()
            try:
                await self._work()
            except Exception as error:  # a job run, all of them: calls go on without it
                if asyncio.get_running_loop().time() - began_s > longest_s:
                    pause_s = BEGIN_AGAIN_S[0]
                _log.warning("worker_waits", reason=_first(error), again_in_s=pause_s)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._stopping.wait()
                pause_s = min(2 * pause_s, longest_s)

    async def _work(self) -> None:
        async with own_line(self._engine) as link:
            lanes = list(self._lanes(AsyncpgDriver(link)))
            self._managers = [manager for manager, _ in lanes]
            link.add_termination_listener(lambda *_: self._end_managers())  # they would notice seconds later
            if self._stopping.is_set():
                return
            _log.info("worker_ready", kinds=sorted(kind.value for kind in self._kinds))
            async with asyncio.TaskGroup() as group:
                for manager, places in lanes:
                    group.create_task(self._run(manager, places))
            if link.is_closed():
                raise ConnectionError("the connection to the database was closed")
            await self._stopping.wait()

    def _end_managers(self) -> None:
        for manager in self._managers:
            manager.shutdown.set()

    def _lanes(self, driver: AsyncpgDriver) -> Iterator[tuple[QueueManager, int]]:
        for lane in LANES:
            if kinds := lane.kinds & self._kinds:
                manager = QueueManager(Queries(driver))
                for kind in kinds:
                    manager.entrypoint(kind)(self._take)
                yield manager, lane.places

    async def _run(self, manager: QueueManager, places: int) -> None:
        await manager.run(
            dequeue_timeout=timedelta(seconds=min(LOOK_EVERY_S, self._heartbeat_s)),
            batch_size=places // 2,
            max_concurrent_tasks=places,
            shutdown_on_listener_failure=True,
            heartbeat_timeout=timedelta(seconds=self._heartbeat_s),
            log_aggregation_interval=timedelta(0),
        )

    async def _take(self, entry: Entry) -> None:
        again_in_s = await self._runs(UUID((entry.payload or b"").decode()))
        if again_in_s is not None:
            raise RetryRequested(timedelta(seconds=again_in_s))


def _first(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error).strip() or type(error).__name__
