"""The questions we ask of recordings and their transcripts."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.call.events import Kind
from app.db.ids import uuid7
from app.db.tables import Call, CallEvent, Recording, Transcript

WORDS = (
    Kind.CALLER_TRANSCRIPT,
    Kind.CALLER_DTMF,
    Kind.AGENT_TRANSCRIPT,
    Kind.AGENT_TEXT,
    Kind.AGENT_INTERRUPTED,
    Kind.TOOL_CALLED,
    Kind.TOOL_ANSWERED,
    Kind.TOOL_FAILED,
    Kind.MCP_CALLED,
    Kind.MESSAGE_TAKEN,
)
"""The events that say what was spoken, typed, and told to tools."""


async def add_recording(db: AsyncSession, **values: Any) -> Recording | None:
    """A new recording; None where its id or its Twilio sid is there already."""
    row = {"id": uuid7(), "caller_channel": "left", "at_twilio": False} | values
    added = insert(Recording).values(row).on_conflict_do_nothing().returning(Recording)
    found: Recording | None = await db.scalar(added)
    return found


async def find_recording(db: AsyncSession, recording_id: str | UUID, *, lock: bool = False) -> Recording | None:
    """The recording of that id; locked, it stays as it is until the transaction ends."""
    wanted = select(Recording).where(Recording.id == UUID(str(recording_id)))
    found: Recording | None = await db.scalar(wanted.with_for_update() if lock else wanted)
    return found


async def recordings_of(db: AsyncSession, call_sid: str) -> list[Recording]:
    """The recordings of a phone call, oldest first."""
    return list(
        await db.scalars(select(Recording).where(Recording.call_sid == call_sid).order_by(Recording.created_at))
    )


async def change_recording(db: AsyncSession, recording_id: UUID, **values: Any) -> None:
    """Write these columns."""
    await db.execute(update(Recording).where(Recording.id == recording_id).values(values))


async def expire(db: AsyncSession, now: datetime, *, most: int = 100) -> list[UUID]:
    """Recordings whose retention is over, and that are still somewhere."""
    over = select(Recording.id).where(Recording.delete_after <= now, Recording.deleted_at.is_(None)).limit(most)
    return list(await db.scalars(over))


async def forget_words(db: AsyncSession, *call_ids: UUID) -> None:
    """Take what was spoken out of the events of these calls."""
    await db.execute(delete(CallEvent).where(CallEvent.call_id.in_(call_ids), CallEvent.kind.in_(WORDS)))
    await db.execute(update(Call).where(Call.id.in_(call_ids)).values(forget_after=None))


async def forget_words_after(db: AsyncSession, call_id: str, moment: datetime) -> None:
    """Let what is spoken in that call be forgotten then, whether there is a recording of it or not."""
    await db.execute(update(Call).where(Call.id == UUID(call_id)).values(forget_after=moment))


async def outspoken(db: AsyncSession, now: datetime, *, most: int = 100) -> list[UUID]:
    """Calls whose words nobody may keep any longer; they stay as they are until the transaction ends."""
    over = select(Call.id).where(Call.forget_after <= now).limit(most)
    return list(await db.scalars(over.with_for_update(skip_locked=True)))


async def delete_transcript(db: AsyncSession, recording_id: UUID) -> None:
    """Forget the recording's transcript."""
    await db.execute(delete(Transcript).where(Transcript.recording_id == recording_id))


def retention(started_at: datetime, days: int | None) -> datetime | None:
    """When a recording is to be deleted."""
    return None if days is None else started_at + timedelta(days=days)


async def save_transcript(db: AsyncSession, recording_id: UUID, **values: Any) -> None:
    """Write the recording's transcript; it has one, and the last word counts."""
    empty = {"text": "", "segments": [], "differences": []}
    row = empty | {"recording_id": recording_id} | values
    put = insert(Transcript).values(row | {"created_at": func.now()})
    await db.execute(put.on_conflict_do_update(index_elements=[Transcript.recording_id], set_=row))


async def find_transcript(db: AsyncSession, recording_id: UUID) -> Transcript | None:
    """The transcript of that recording."""
    return await db.get(Transcript, recording_id)
