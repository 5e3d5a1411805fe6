"""From the environment to a `Transcriber`: for programs that only want recordings written down."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from app.conf.opening import open_store
from app.openai.transcriber import Transcriber
from app.settings import Settings


@asynccontextmanager
async def open_transcriber(settings: Settings | None = None) -> AsyncIterator[Transcriber]:
    """A transcriber with the key from `core_conf`; everything closes with the block.

    Without settings it reads the environment; raises `SettingsError` when that is wrong.
    """
    settings = settings or Settings.load()
    async with (
        open_store(settings, strict=False) as opened,
        httpx.AsyncClient(trust_env=False, timeout=None) as http,  # noqa: S113 (each request has its own limits)
    ):
        yield Transcriber(http, opened.store.openai, settings.openai_transcription_url, prices=opened.store.prices)
