"""A worker that is killed at a step: for each line of standard input, which names one, a process of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import app.main  # noqa: F401 (a worker imports it: once for all of them)
from app import logs
from app.cli.worker import _work
from app.jobs.recordings import transcribe
from app.jobs.run import Runs
from app.recordings.storage import Storage
from app.settings import Settings

PLACES: dict[str, tuple[Any, str, bool]] = {
    "counted": (Runs, "_carry", False),
    "fetched": (Storage, "fetch", True),
    "answered": (transcribe, "write_down", True),
    "kept": (transcribe, "keep", True),
    "stitched": (transcribe, "finish", False),
    "finished": (transcribe, "finish", True),
    "ended": (Runs, "_end", True),
}
"""Where each step is done, and whether to die after it or before."""
NEVER_S = 600.0
"""The dead worker's jobs are left to others."""


def die_at(place: Any, name: str, after: bool) -> None:
    """Have this process killed there, as the system kills: nothing of it runs any more."""
    real: Callable[..., Awaitable[Any]] = getattr(place, name)

    async def dying(*args: Any, **options: Any) -> None:
        if after:
            await real(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(place, name, dying)


def main() -> None:
    """Say of each process which signal ended it."""
    logs.configure()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            die_at(*PLACES[line.strip()])
            asyncio.run(_work(Settings.load(_env_file=None), NEVER_S))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.WTERMSIG(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
