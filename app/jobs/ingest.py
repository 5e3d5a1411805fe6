"""From the call's folder to the database: once for each call, as soon as the database is there."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import structlog

from app.call.events import NumberedEvent
from app.call.journal import read_events, read_record
from app.call.record import CallRecord
from app.errors import DatabaseError

INGESTED = "ingested"
"""A file of this name says that the folder's rows are complete."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0

Save = Callable[[CallRecord, Sequence[NumberedEvent]], Awaitable[None]]
"""Writes a call and its events; doing it twice changes nothing. Raises `DatabaseError`."""

_log = structlog.get_logger(__name__)


class Ingest:
    """Brings finished folders into the database, in order, and waits as long as the database is away."""

    def __init__(self, root: Path, save: Save) -> None:
        self._root = root
        self._save = save
        self._waiting: asyncio.Queue[Path] = asyncio.Queue()

    def add(self, folder: Path) -> None:
        """This folder is finished."""
        self._waiting.put_nowait(folder)

    async def finish(self) -> None:
        """Return when nothing waits any more."""
        await self._waiting.join()

    async def run(self) -> None:
        """Ingest until cancelled, first what an earlier process left behind."""
        for folder in await asyncio.to_thread(_left_behind, self._root):
            self.add(folder)
        while True:
            folder = await self._waiting.get()
            try:
                await self._ingest(folder)
            except Exception:  # a job run: this folder stays for the next start, the others go on
                _log.exception("call_not_saved", folder=str(folder))
            self._waiting.task_done()

    async def _ingest(self, folder: Path) -> None:
        record, events = await asyncio.to_thread(_read, folder)
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await self._save(record, events)
                break
            except DatabaseError as error:
                _log.warning("call_not_saved_yet", call=record.id, error=str(error), again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        await asyncio.to_thread((folder / INGESTED).touch)


def _read(folder: Path) -> tuple[CallRecord, list[NumberedEvent]]:
    return read_record(folder), list(read_events(folder))


def _left_behind(root: Path) -> list[Path]:
    """Folders whose call ended but whose rows are not known to be complete."""
    return sorted(folder for folder in root.glob("*/") if _waits(folder))


def _waits(folder: Path) -> bool:
    try:
        return not (folder / INGESTED).exists() and read_record(folder).end_reason is not None
    except (OSError, msgspec.DecodeError):
        return False
