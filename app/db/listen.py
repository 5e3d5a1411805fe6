"""LISTEN: hear of changes that any process makes."""

import asyncio
from collections.abc import AsyncGenerator

from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import database_errors
from app.db.line import own_line

ALIVE_EVERY_S = 10.0
ALIVE_WITHIN_S = 5.0


async def notifications(engine: AsyncEngine, channel: str) -> AsyncGenerator[frozenset[str]]:
    """Yield when listening has begun, then the payloads of each burst; `DatabaseError` when the line is lost."""
    with database_errors():
        async with own_line(engine) as link:
            stirred = asyncio.Event()
            payloads: set[str] = set()

            def heard(_link: object, _pid: int, _channel: str, payload: str) -> None:
                payloads.add(payload)
                stirred.set()

            link.add_termination_listener(lambda *_: stirred.set())
            await link.add_listener(channel, heard)
            stirred.set()
            while True:
                try:
                    async with asyncio.timeout(ALIVE_EVERY_S):
                        await stirred.wait()
                except TimeoutError:
                    await link.fetchval("select 1", timeout=ALIVE_WITHIN_S)  # a dead host sends no goodbye
                    continue
                stirred.clear()
                if link.is_closed():
                    raise ConnectionError("the connection that listens was closed")
                told = frozenset(payloads)
                payloads.clear()
                yield told
