"""What jobs work with."""

from dataclasses import dataclass

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.store import ConfStore
from app.jobs.workroom import Workroom
from app.recordings.storage import Storage
from app.timing import Deadlines


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """Everything that the handlers share; opened in `app.main` and by `parley worker`."""

    engine: AsyncEngine
    conf: ConfStore
    storage: Storage
    workroom: Workroom
    http: httpx.AsyncClient
    """Ignores the environment's proxies, follows no redirects, has no time limit of its own."""
    twilio_api_base_url: str
    transcription_url: str
    deadlines: Deadlines
