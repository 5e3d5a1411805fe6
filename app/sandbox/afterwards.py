"""What a rehearsed call leaves behind: its rows, its recording, and the recording in words."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.call.events import NumberedEvent
from app.call.journal.digest import digest
from app.call.journal.transcript import Turn
from app.call.record import CallRecord
from app.db import calls
from app.db.engine import db_session
from app.db.recordings import find_transcript, recordings_of
from app.db.tables import Transcript
from app.recordings.segments import Segment, from_json
from app.recordings.states import TranscriptState

SAVED_WITHIN_S = 10.0
WRITTEN_WITHIN_S = 30.0
LOOK_EVERY_S = 0.2

FoundT = TypeVar("FoundT")


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What was found; empty where it did not come in time."""

    record: CallRecord | None
    events: Sequence[NumberedEvent]
    recordings: Sequence[Path]
    segments: Sequence[Segment]

    @property
    def turns(self) -> Sequence[Turn]:
        """The call as it was written down live."""
        return digest(self.events).turns


async def look(engine: AsyncEngine, storage: Path, call_sid: str) -> Afterwards:
    """Everything that the call leaves behind, as soon as it is there."""
    record, events = await _wait(engine, SAVED_WITHIN_S, lambda db: _rows(db, call_sid)) or (None, [])
    recordings = await _wait(engine, SAVED_WITHIN_S, lambda db: _recordings(db, storage, call_sid)) or []
    segments = await _wait(engine, WRITTEN_WITHIN_S, lambda db: _segments(db, call_sid)) if recordings else None
    return Afterwards(record, events, recordings, segments or [])


async def _wait(
    engine: AsyncEngine, within_s: float, ask: Callable[[AsyncSession], Awaitable[FoundT | None]]
) -> FoundT | None:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while True:
                async with db_session(engine) as db:
                    if found := await ask(db):
                        return found
                await asyncio.sleep(LOOK_EVERY_S)
    return None


async def _rows(db: AsyncSession, call_sid: str) -> tuple[CallRecord, list[NumberedEvent]] | None:
    record = await calls.find_call(db, call_sid)
    return (record, await calls.find_events(db, record.id)) if record and record.end_reason else None


async def _recordings(db: AsyncSession, storage: Path, call_sid: str) -> list[Path]:
    return [storage / each.key for each in await recordings_of(db, call_sid) if each.key]


async def _segments(db: AsyncSession, call_sid: str) -> list[Segment] | None:
    found: list[Transcript | None] = [await find_transcript(db, each.id) for each in await recordings_of(db, call_sid)]
    done = [each for each in found if each and each.state == TranscriptState.DONE]
    return from_json(done[0].segments) if done else None
