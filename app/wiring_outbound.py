"""What a server opens to place calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.background import background
from app.call.registry import Registry
from app.conf.opening import Opened
from app.jobs.context import JobContext
from app.jobs.outbound.dial import Dialer
from app.jobs.outbound.outbound_news import OutboundNews
from app.outbound.tokens import OutboundTokens
from app.settings import Settings
from app.web.lobby import Lobby
from app.web.outbound import Outbound


@asynccontextmanager
async def open_outbound(
    settings: Settings, opened: Opened, context: JobContext, registry: Registry, lobby: Lobby
) -> AsyncIterator[Outbound]:
    """Dial as long as the block lasts, unless Twilio could not reach us, while there is room for one more call."""
    tokens = OutboundTokens([key.hex() for key in opened.key_ring.signing_keys])

    def has_room() -> bool:
        return not registry.draining and registry.live_count + lobby.waiting < registry.max_calls

    dialer = Dialer(context, settings.public_url or "", tokens, has_room=has_room)
    news = OutboundNews(settings.data_dir, opened.engine, opened.store, saved=dialer.stir)
    work = [news.run, dialer.run] if settings.public_url else [news.run]
    async with background(*work):
        yield Outbound(tokens, news.take, dialer.stir)
