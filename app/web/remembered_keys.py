"""Whose a key is, as far as that can be told while the database is away."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog

from app.db.api_keys import KeyHolder
from app.errors import DatabaseError

REMEMBERED = 1000
WITHIN_S = 3600.0
"""A key that the database knew so recently is still believed in while it is away."""

FindKey = Callable[[str], Awaitable[KeyHolder | None]]
_log = structlog.stdlib.get_logger(__name__)


class RememberedKeys:
    """A `FindKey` that asks the database, and remembers: else nobody could hang up a live call without it.

    The database always has the last word where it can be asked, so that a key which is revoked is refused at once.
    """

    def __init__(self, find: FindKey, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._now_s = now_s
        self._known: OrderedDict[bytes, tuple[float, KeyHolder]] = OrderedDict()  # by digest: keys are not kept

    async def __call__(self, key: str) -> KeyHolder | None:
        """The key's holder, where it is valid; raises `DatabaseError` where nobody can tell."""
        digest = hashlib.sha256(key.encode()).digest()
        try:
            holder = await self._find(key)
        except DatabaseError:
            if holder := self._recall(digest):
                _log.warning("key_remembered", key=holder.name)
                return holder
            raise
        self._known.pop(digest, None)
        if holder:
            self._known[digest] = (self._now_s(), holder)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return holder

    def _recall(self, digest: bytes) -> KeyHolder | None:
        seen_s, holder = self._known.get(digest, (0.0, None))
        if holder is None or self._now_s() - seen_s > WITHIN_S:
            return None
        return None if holder.expires_at and holder.expires_at <= datetime.now(UTC) else holder
