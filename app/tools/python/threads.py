"""Threads for functions that are not async. One that hangs holds up neither the others nor the end of the process."""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any

MOST_THREADS = 32
"""Of one function: where so many of its runs hang, the next ones wait, within their time, and all others go on."""


class Threads:
    """The threads of one function.

    Python cannot stop a thread: a run whose time is over is left alone, and keeps its place until it ends by itself.
    They are daemons, so the process ends without them, which those of `concurrent.futures` would not let it do.
    """

    def __init__(self, name: str, most: int = MOST_THREADS) -> None:
        self._name = name
        self._places = asyncio.Semaphore(most)

    async def run(self, function: Callable[[], Any]) -> Any:
        """What it returns, or whatever it raises."""
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()

        def settle(result: Any, error: BaseException | None) -> None:
            self._places.release()
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def work() -> None:
            result, error = None, None
            try:
                result = context.run(function)
            except BaseException as raised:  # a tool is somebody's code
                error = raised
                if isinstance(raised, StopIteration) or not isinstance(raised, Exception):
                    # a future refuses the one; the others (`sys.exit()`) would end the loop
                    error = RuntimeError(f"the tool raised {type(raised).__name__}")
            with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(settle, result, error)

        try:
            threading.Thread(target=work, name=f"tool {self._name}", daemon=True).start()
        except BaseException:
            self._places.release()
            raise
        return await future
