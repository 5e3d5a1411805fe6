"""The journals of all live calls, and who writes them to disk."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from app.call.journal.call_journal import Journal, Listener
from app.call.journal.folder import CALL, EVENTS, NUL, RECORDING, REPLACEMENT, TRANSCRIPT, read_events, read_record
from app.call.journal.owner import Owner
from app.call.record import CallRecord

__all__ = [
    "CALL", "EVENTS", "NUL", "RECORDING", "REPLACEMENT", "TRANSCRIPT",
    "Finished", "Journal", "JournalWriter", "Listener", "read_events", "read_record",
]  # fmt: skip

Finished = Callable[[Path], None]
"""Told of a folder that is complete, once."""

_log = structlog.get_logger(__name__)


class JournalWriter:
    """Writes journals, a second's worth at a time, in one thread. What the disk refuses is tried again each time."""

    def __init__(self, root: Path, *, period_s: float, listeners: Sequence[Listener] = ()) -> None:
        self.root = root
        self._listeners = listeners
        self._period_s = period_s
        self._open: dict[str, Journal] = {}
        self._ended: list[tuple[Journal, CallRecord, Finished]] = []
        self._writing = asyncio.Lock()  # a journal is written by one thread at a time
        self._owner: Owner | None = None

    @property
    def refused(self) -> int:
        """How many calls the disk does not take right now, those included that are over."""
        ended = [journal for journal, _, _ in self._ended]
        return sum(journal.refused for journal in (*self._open.values(), *ended))

    def open(self, record: CallRecord, *, now_ms: Callable[[], float], **options: Any) -> Journal:
        """A new call's journal, with such `options` of it; its folder appears with the next round."""
        journal = Journal(self.root / record.id, record, now_ms=now_ms, listeners=self._listeners, **options)
        self._open[record.id] = journal
        return journal

    async def flush(self, journal: Journal) -> bool:
        """Write what there is now; False where the disk refuses."""
        async with self._writing:
            journal.collect()
            return await asyncio.to_thread(self._write, journal)

    async def close(self, journal: Journal, record: CallRecord, finished: Finished) -> None:
        """The call is over: write the rest and tell of the folder, now or as soon as the disk takes it."""
        self._open.pop(record.id, None)
        async with self._writing:
            if not await asyncio.to_thread(self._finish, journal, record):
                self._ended.append((journal, record, finished))
                return
        finished(journal.folder)

    async def run(self) -> None:
        """Write until cancelled; what is unfinished then is nobody's."""
        try:
            while True:
                await asyncio.sleep(self._period_s)
                await self._round()
        except asyncio.CancelledError:
            if self._owner is not None:
                self._owner.leave()
                self._owner = None
            raise

    async def _round(self) -> None:
        async with self._writing:
            journals = list(self._open.values())
            for journal in journals:
                journal.collect()
            await asyncio.to_thread(self._write_all, journals)
            await self._finish_ended()

    async def _finish_ended(self) -> None:
        waiting, self._ended = self._ended, []
        for journal, record, finished in waiting:
            if await asyncio.to_thread(self._finish, journal, record):
                finished(journal.folder)
            else:
                self._ended.append((journal, record, finished))

    # -- in the thread

    def _write_all(self, journals: Sequence[Journal]) -> None:
        for journal in journals:
            self._write(journal)

    def _write(self, journal: Journal) -> bool:
        return _tried(journal, lambda: journal.write(self._token()))

    def _finish(self, journal: Journal, record: CallRecord) -> bool:
        return _tried(journal, lambda: journal.finish(record, self._token()))

    def _token(self) -> str:
        if self._owner is None:
            self._owner = Owner(self.root)
        return self._owner.token


def _tried(journal: Journal, work: Callable[[], None]) -> bool:
    """Whether it could be done; trouble is reported when it begins and when it ends."""
    try:
        work()
    except OSError as error:
        if not journal.refused:
            _log.error("journal_not_written", folder=str(journal.folder), error=str(error))
        journal.refused = True
        return False
    if journal.refused:
        _log.warning("journal_written_again", folder=str(journal.folder))
    journal.refused = False
    return True
