"""Wakes whoever follows a live call, in whichever process that call is carried."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.listen import notifications
from app.db.live_calls import CHANNEL
from app.errors import DatabaseError

AGAIN_S = 1.0

_log = structlog.stdlib.get_logger(__name__)


class CallNews:
    """One connection that listens for all followers of this process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._followers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def follow(self, call_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something of the call was written."""
        stirred = asyncio.Event()
        self._followers[call_id].add(stirred)
        try:
            yield stirred
        finally:
            self._followers[call_id].discard(stirred)
            if not self._followers[call_id]:
                del self._followers[call_id]

    async def run(self) -> None:
        """Listen until cancelled, however often the database goes and comes back."""
        while True:
            try:
                async with contextlib.aclosing(notifications(self._engine, CHANNEL)) as news:
                    async for told in news:
                        self._wake(told or list(self._followers))  # at the beginning: who knows what was missed
            except DatabaseError as error:
                _log.warning("call_news_lost", reason=str(error))
            await asyncio.sleep(AGAIN_S)

    def _wake(self, call_ids: Iterable[str]) -> None:
        for call_id in call_ids:
            for stirred in self._followers.get(call_id, ()):
                stirred.set()
