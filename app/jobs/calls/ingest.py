"""From the call's folder to database and storage: once for each call, as soon as both are there.

rows first, then the sound, each with a line of its own, so that a storage that is away holds up no rows; and only
then is the folder released. Between any two steps the process may die: the next one repeats the step, which changes
nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import NumberedEvent
from app.call.journal.folder import read_events, read_record
from app.call.journal.owner import end_crashed, orphans
from app.call.record import CallRecord
from app.conf.models import AgentConf
from app.conf.store import ConfStore
from app.db import calls
from app.db.engine import db_session
from app.db.recordings import forget_words_after, retention
from app.errors import ConfError, DatabaseError, StorageError
from app.jobs.calls.released import KEPT, forget_released, is_released, release
from app.jobs.calls.taken import tell_taken
from app.jobs.recordings.twilio_recording import expect_twilio_recording
from app.jobs.webhooks.emit import emit
from app.jobs.webhooks.messages import FAILED, call_ended, call_started

INGESTED = "ingested"
"""A file of this name says that the folder's rows are complete."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
TIDY_EVERY_S = 3600.0

SaveRows = Callable[[CallRecord, Sequence[NumberedEvent]], Awaitable[None]]
"""Writes a call and its events; doing it twice changes nothing. Raises `DatabaseError`."""

_log = structlog.get_logger(__name__)


class KeepsSound(Protocol):
    """What becomes of a call's recording; see `OwnRecordings`."""

    async def keep(self, call: CallRecord, folder: Path) -> bool:
        """Bring it to where it belongs; whether the folder's sound may go. Raises `StorageError`, `DatabaseError`."""

    def retention_days(self, call: CallRecord) -> int | None:
        """For how long anything of the call may be kept."""


@dataclass(frozen=True, slots=True)
class _Finished:
    """A folder whose rows are complete."""

    folder: Path
    record: CallRecord
    whole: bool
    """Whether all of it could be read."""


class Ingest:
    """Brings finished folders home, and waits as long as database or storage are away."""

    def __init__(self, root: Path, save_rows: SaveRows, sound: KeepsSound) -> None:
        self._root = root
        self._save_rows = save_rows
        self._sound = sound
        self._folders: asyncio.Queue[Path] = asyncio.Queue()
        self._sounds: asyncio.Queue[_Finished] = asyncio.Queue()

    def add(self, folder: Path) -> None:
        """This folder is finished."""
        self._folders.put_nowait(folder)

    async def finish(self) -> None:
        """Return when nothing waits any more."""
        await self._folders.join()
        await self._sounds.join()

    async def run(self) -> None:
        """Ingest until cancelled, first what an earlier process left behind."""
        for folder in await asyncio.to_thread(_left_behind, self._root):
            self.add(folder)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._bring_rows())
            group.create_task(self._bring_sounds())
            group.create_task(self._tidy())

    async def _bring_rows(self) -> None:
        while True:
            folder = await self._folders.get()
            try:
                await self._rows(folder)
            except Exception:  # a job run: this folder stays for the next start, the others go on
                _log.exception("call_not_saved", folder=str(folder))
            self._folders.task_done()

    async def _rows(self, folder: Path) -> None:
        record, events, whole = await asyncio.to_thread(_read, folder)
        pause_s = FIRST_PAUSE_S
        while not await asyncio.to_thread((folder / INGESTED).exists):
            try:
                await self._save_rows(record, events)
            except DatabaseError as error:
                _log.warning("call_not_saved_yet", call=record.id, error=str(error), again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                await asyncio.to_thread((folder / INGESTED).touch)
        self._sounds.put_nowait(_Finished(folder, record, whole))

    async def _bring_sounds(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            finished = await self._sounds.get()
            try:
                await self._home(finished)
                pause_s = FIRST_PAUSE_S
            except (DatabaseError, StorageError) as error:
                _log.warning("recording_not_kept_yet", call=finished.record.id, error=str(error), again_in_s=pause_s)
                self._sounds.put_nowait(finished)  # behind the others: it may be the one at fault
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            except Exception:  # a job run: as above
                _log.exception("recording_not_kept", folder=str(finished.folder))
            self._sounds.task_done()

    async def _home(self, finished: _Finished) -> None:
        may_go = await self._sound.keep(finished.record, finished.folder)
        days = self._sound.retention_days(finished.record)
        kept = KEPT if days is None else min(KEPT, timedelta(days=days))
        until = datetime.now(UTC) + kept if finished.whole else None
        await asyncio.to_thread(release, finished.folder, sound_too=may_go, until=until)

    async def _tidy(self) -> None:
        while True:
            try:
                await asyncio.to_thread(forget_released, self._root, datetime.now(UTC))
            except OSError as error:
                _log.warning("folders_not_tidied", error=str(error))
            await asyncio.sleep(TIDY_EVERY_S)


async def save_rows(
    engine: AsyncEngine, conf: ConfStore, poll_after_s: float, record: CallRecord, events: Sequence[NumberedEvent]
) -> None:
    """A `SaveRows` on PostgreSQL; whoever wants to know hears of the call's end in the same transaction.

    What Twilio recorded is expected from then on.
    """
    agent = _agent(conf, record.agent)
    async with db_session(engine) as db:
        await calls.record_call(db, record, events)
        if agent and (forgotten := retention(record.started_at, agent.recording.retention_days)):
            await forget_words_after(db, record.id, forgotten)
        if agent and agent.recording.twilio:
            await expect_twilio_recording(db, record, agent, poll_after_s=poll_after_s)
        await emit(db, "call.started", record.id, call_started(record))  # a short call may be over before it was told
        await tell_taken(db, record, events)
        await emit(db, "call.ended", record.id, call_ended(record))
        if record.end_reason in FAILED:
            await emit(db, "call.failed", record.id, call_ended(record))


def _agent(conf: ConfStore, name: str) -> AgentConf | None:
    try:
        return conf.agent(name)
    except ConfError:
        return None


def _read(folder: Path) -> tuple[CallRecord, list[NumberedEvent], bool]:
    """The call, its events as far as they can be read, and whether that is all of them."""
    record, events = read_record(folder), []
    try:
        for event in read_events(folder):
            events.append(event)  # one by one: those before a broken one count
    except (OSError, msgspec.DecodeError) as error:
        _log.error("events_unreadable", folder=str(folder), read=len(events), error=str(error))
        return record, events, False
    return record, events, True


def _left_behind(root: Path) -> list[Path]:
    """Folders whose call is over but not safe elsewhere; calls whose process died are ended first."""
    for folder in orphans(root):
        try:
            end_crashed(folder)
        except (OSError, msgspec.DecodeError) as error:
            _log.error("folder_not_ended", folder=str(folder), error=str(error))
    return sorted(folder for folder in root.glob("[!.]*/") if _waits(folder))


def _waits(folder: Path) -> bool:
    try:
        return not is_released(folder) and read_record(folder).end_reason is not None
    except (OSError, msgspec.DecodeError):
        return False  # `orphans` has said so
