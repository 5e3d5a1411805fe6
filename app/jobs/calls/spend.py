"""Reads, now and then, what the calls of all processes have cost today."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.money.day_spend import DaySpend
from app.db.engine import db_session
from app.db.spend import spent_on
from app.errors import DatabaseError

EVERY_S = 15.0
WHOLE_EVERY = timedelta(minutes=10)
"""So often calls that are long over are read again as well: some reach the database late."""
OVERLAP = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


class SpendReader:
    """Keeps a `DaySpend` right; while the database is away, it goes on with what our own calls tell."""

    def __init__(self, engine: AsyncEngine, spend: DaySpend) -> None:
        self._engine = engine
        self._spend = spend
        self._whole_at: datetime | None = None

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                await self.look(datetime.now(UTC))
            except DatabaseError as error:
                _log.debug("spend_not_read", reason=str(error))
            await asyncio.sleep(EVERY_S)

    async def look(self, now: datetime) -> None:
        """Read once; raises `DatabaseError`."""
        since = self._since(now)
        async with db_session(self._engine) as db:
            sums = await spent_on(db, now.date(), since=since)
        self._spend.read(now.date(), {str(call_id): usd for call_id, usd in sums.items()}, now)
        if since is None:
            self._whole_at = now

    def _since(self, now: datetime) -> datetime | None:
        """From when on calls may have changed; None for all of them."""
        last = self._spend.read_at
        is_due = self._whole_at is None or now - self._whole_at >= WHOLE_EVERY
        return None if is_due or last is None or last.date() != now.date() else last - OVERLAP
