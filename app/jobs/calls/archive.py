"""What people may do with calls that are over: delete them, have them written down again."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.conf.models import MessageKind
from app.db import audit
from app.db.audit import Actor
from app.db.call_deletion import calls_with, count_live, delete_rows, lock_call
from app.db.call_queries import recordings_with_words
from app.db.engine import db_session
from app.db.tables import Recording, WebhookMessage
from app.errors import CallIsLive
from app.jobs.calls.delete import request_deletion
from app.jobs.recordings.transcripts import want_transcript
from app.jobs.webhooks.emit import message_id

BY_A_PERSON = "a person deleted its call"
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was deleted, and what could not be yet."""

    calls: int = 0
    recordings: int = 0
    live: int = 0
    """Calls that go on; they can be deleted when they are over."""


class Archive:
    """Calls as they are kept: rows, recordings in the storage, and folders on this machine."""

    def __init__(self, engine: AsyncEngine, calls: Path) -> None:
        self._engine = engine
        self._calls = calls

    async def delete_call(self, call_id: UUID, who: Actor) -> Deleted | None:
        """Delete the call with all that is kept of it; None where there is none. Raises `CallIsLive`."""
        async with db_session(self._engine) as db:
            if (recordings := await _delete(db, call_id, who)) is None:
                return None
        await asyncio.to_thread(shutil.rmtree, self._calls / str(call_id), ignore_errors=True)
        return Deleted(calls=1, recordings=recordings)

    async def delete_calls_with(self, number: str, who: Actor) -> Deleted:
        """Delete every call with that party; those that go on are only counted."""
        total = Deleted()
        while True:
            async with db_session(self._engine) as db:
                found = await calls_with(db, number, AT_ONCE)
                live = await count_live(db, number)
            if not found:
                return Deleted(total.calls, total.recordings, live)
            for call_id in found:
                one = await self.delete_call(call_id, who) or Deleted()
                total = Deleted(total.calls + one.calls, total.recordings + one.recordings)

    async def transcribe_again(self, recording: Recording, who: Actor) -> None:
        """Have a stored recording written down once more; the words it has stay until there are new ones."""
        async with db_session(self._engine) as db:
            await want_transcript(db, recording, again=True)
            await audit.note(db, who, "transcribe", f"recording/{recording.id}")


async def _delete(db: AsyncSession, call_id: UUID, who: Actor) -> int | None:
    """How many recordings went with the call."""
    if (found := await lock_call(db, call_id)) is None:
        return None
    call, over = found
    if not over:
        raise CallIsLive("the call is going on: end it first")
    recordings = [recording.id for recording, _ in await recordings_with_words(db, call)]
    gone = [await request_deletion(db, recording_id, BY_A_PERSON) for recording_id in recordings]
    await delete_rows(db, call_id)
    told = [message_id(kind, str(subject)) for kind in MessageKind for subject in (call_id, *recordings)]
    await db.execute(delete(WebhookMessage).where(WebhookMessage.id.in_(told)))  # they have the caller's number
    await audit.note(db, who, "delete", f"call/{call_id}")
    return sum(gone)
