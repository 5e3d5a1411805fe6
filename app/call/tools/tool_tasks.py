"""The tasks that tools run in: a call ends at once, whatever its tools do."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

import structlog

CLOSE_S = 2.0
STOP_S = 0.5
"""A tool that is told to stop may take this long to do so."""

_log = structlog.get_logger(__name__)


class ToolTasks:
    """Owns every tool that runs. Enter it once; what still runs when it closes has `close_s` left, and is given up.

    A tool that does not let itself be stopped holds up neither its call nor anybody else: it is left alone.
    """

    def __init__(self, close_s: float = CLOSE_S) -> None:
        self._close_s = close_s
        self._tasks: set[asyncio.Task[str]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._close_s)
        if self._tasks:
            _log.warning("tools_given_up", tools=sorted(self.running))
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=STOP_S)

    @property
    def running(self) -> frozenset[str]:
        """The names of those that run."""
        return frozenset(task.get_name() for task in self._tasks)

    async def run(self, name: str, work: Coroutine[Any, Any, str], *, within_s: float, finishes: bool) -> str:
        """What the work says; it is stopped after that time, with a `TimeoutError`.

        When the one who waits is cancelled, because the call is over, the work is cancelled as well, or `finishes`:
        then it has the rest of its time.
        """
        loop = asyncio.get_running_loop()
        over_s = loop.time() + within_s
        task = loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            done, _ = await asyncio.wait({task}, timeout=within_s)
        except asyncio.CancelledError:
            task.add_done_callback(_tell)
            if finishes:
                stop = loop.call_at(over_s, task.cancel)
                task.add_done_callback(lambda _: stop.cancel())
            else:
                task.cancel()
            raise
        if not done:
            task.add_done_callback(_tell)
            task.cancel()
            raise TimeoutError
        if task.cancelled():
            raise RuntimeError("the tool cancelled itself")
        return task.result()


def _tell(task: asyncio.Task[str]) -> None:
    """What became of a tool that nobody waits for any more."""
    if task.cancelled():
        _log.info("tool_stopped", tool=task.get_name())
    elif error := task.exception():
        _log.warning("tool_failed_late", tool=task.get_name(), error=repr(error))
    else:
        _log.info("tool_finished_late", tool=task.get_name())
