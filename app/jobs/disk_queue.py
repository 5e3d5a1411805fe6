"""News that must not be lost at a bad time: kept in files until the database has them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import structlog

from app.db.files import write_private
from app.db.ids import uuid7
from app.errors import DatabaseError

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
_WAITING, _REFUSED = ".json", ".refused"

T = TypeVar("T")

_log = structlog.stdlib.get_logger(__name__)


class DiskQueue(Generic[T]):
    """Takes news in whatever state the database is, and brings it there in the order in which it came."""

    def __init__(self, folder: Path, kind: type[T], save: Callable[[T], Awaitable[None]]) -> None:
        """`save` writes to the database, raising `DatabaseError` where that is away; twice must change nothing."""
        self._folder = folder
        self._kind = kind
        self._save = save
        self._new = asyncio.Event()
        self._new.set()  # an earlier process may have left some

    async def take(self, news: T) -> None:
        """It is safe when this returns: on disk, or, with the disk full, in the database (else `DatabaseError`)."""
        try:
            await asyncio.to_thread(self._keep, news)
        except OSError as error:
            _log.error("news_not_kept", news=self._folder.name, reason=str(error))
            await self._save(news)
        self._new.set()

    async def run(self) -> None:
        """Bring what is kept into the database, until cancelled."""
        pause_s = FIRST_PAUSE_S
        while True:
            await self._new.wait()
            self._new.clear()
            try:
                for file in await asyncio.to_thread(self._kept):
                    await self._bring(file)
                pause_s = FIRST_PAUSE_S
            except DatabaseError as error:
                _log.warning("news_waits", news=self._folder.name, error=str(error), again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                self._new.set()

    async def _bring(self, file: Path) -> None:
        try:
            await self._save(msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=self._kind))
        except DatabaseError:
            raise
        except Exception:  # a job run: this one is put aside, the others go on
            _log.exception("news_refused", news=self._folder.name, file=file.name)
            await asyncio.to_thread(file.replace, file.with_suffix(_REFUSED))
            return
        await asyncio.to_thread(file.unlink, missing_ok=True)

    def _keep(self, news: T) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._folder / f"{uuid7()}{_WAITING}", msgspec.json.encode(news).decode())

    def _kept(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_WAITING}"))
