"""What a server and a worker of its own open in the same way: storage, what jobs work with, and the worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial

from app.background import background
from app.conf.opening import Opened
from app.jobs.calls.delete import keep_retention
from app.jobs.context import JobContext
from app.jobs.handlers import handlers
from app.jobs.open import HEARTBEAT_S, open_context, working
from app.jobs.workroom import Workroom
from app.recordings.storage import open_storage
from app.settings import Settings
from app.timing import Deadlines


@asynccontextmanager
async def open_jobs(
    settings: Settings, opened: Opened, deadlines: Deadlines, *, heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[JobContext]:
    """Work at jobs as long as the block lasts; raises `SettingsError` for a storage that there cannot be."""
    storage_url = settings.storage_url.get_secret_value() if settings.storage_url else None
    with closing(Workroom(settings.data_dir / "work")) as workroom:
        async with (
            open_context(
                engine=opened.engine,
                conf=opened.store,
                storage=open_storage(storage_url, settings.data_dir),
                workroom=workroom,
                twilio_api_base_url=settings.twilio_api_base_url,
                transcription_url=settings.openai_transcription_url,
                deadlines=deadlines,
            ) as context,
            working(opened.engine, handlers(context), heartbeat_s=heartbeat_s),
            background(partial(keep_retention, opened.engine)),
        ):
            yield context
