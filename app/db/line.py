"""A connection of one's own, past the pool: for listening, and for what cannot share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine


@asynccontextmanager
async def own_line(engine: AsyncEngine) -> AsyncIterator[Any]:
    """asyncpg's own connection, outside of any transaction; closed with the block."""
    async with engine.connect() as connection:
        link = (await connection.get_raw_connection()).driver_connection
        await connection.run_sync(lambda pooled: pooled.detach())  # ours for good: the pool makes up for it
        yield link
