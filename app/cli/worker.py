"""`parley worker`: work at jobs without answering calls."""

import asyncio
import signal
from typing import Annotated

import typer

from app.settings import Settings


def worker(
    heartbeat_s: Annotated[
        float, typer.Option(min=0.5, help="The jobs of a worker that was silent for this long go to another.")
    ] = 30.0,
) -> None:
    """Work at jobs only: fetch, transcribe, deliver, delete. SIGTERM stops it; what runs goes back to the queue.

    A server does the same beside its calls; start workers where that is not enough.
    Any number, on any machine that has the same DATABASE_URL (directly, not through
    a pooler of transactions), the same SECRET_KEY and the same STORAGE_URL. A folder
    as storage must be one that all of them see.
    """
    from app import logs

    settings = Settings.load()
    logs.configure(level=settings.log_level, form=settings.log_format)
    asyncio.run(_work(settings, heartbeat_s))


async def _work(settings: Settings, heartbeat_s: float) -> None:
    """Until a signal; a second one ends at once."""
    from app.background import background
    from app.conf.opening import open_store
    from app.known import known
    from app.timing import Deadlines
    from app.wiring import open_jobs

    stopped = asyncio.Event()
    _on_signal(stopped)  # first: from here on nothing is cut off
    async with (
        open_store(settings, known()) as opened,
        background(opened.store.listen),
        open_jobs(settings, opened, Deadlines(), heartbeat_s=heartbeat_s),
    ):
        await stopped.wait()


def _on_signal(stopped: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.set()
        for each in signal.SIGTERM, signal.SIGINT:
            loop.remove_signal_handler(each)

    for each in signal.SIGTERM, signal.SIGINT:
        loop.add_signal_handler(each, stop)
