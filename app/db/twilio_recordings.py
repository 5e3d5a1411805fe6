"""The questions we ask of Twilio's recordings, which may be known before their call is."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables import Call, Recording

TWILIO = "twilio"
"""What `recordings.source` says of them."""
VOICEMAIL, ONLY_CALLER = "voicemail", "only"
"""And of messages that callers leave: Twilio makes them too, but they are no recordings of a conversation."""


async def hold_call(db: AsyncSession, call_sid: str) -> None:
    """Let nobody else write down recordings of that phone call until the transaction ends."""
    await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"twilio-recordings:{call_sid}", 0))))


async def find_by_sid(db: AsyncSession, twilio_sid: str) -> Recording | None:
    """The recording that has this SID at Twilio; it stays as it is until the transaction ends."""
    wanted = select(Recording).where(Recording.twilio_sid == twilio_sid).with_for_update()
    found: Recording | None = await db.scalar(wanted)
    return found


async def of_twilio(db: AsyncSession, call_sid: str) -> list[Recording]:
    """Twilio's recordings of a phone call, oldest first; they stay as they are until the transaction ends."""
    ours = select(Recording).where(Recording.call_sid == call_sid, Recording.source == TWILIO)
    return list(await db.scalars(ours.order_by(Recording.created_at).with_for_update()))


async def streams_of(db: AsyncSession, call_sid: str) -> list[Call]:
    """The phone call's rows, one for each stream it had, in their order."""
    return list(await db.scalars(select(Call).where(Call.call_sid == call_sid).order_by(Call.attempt)))


async def is_declined(db: AsyncSession, call_sid: str) -> bool:
    """Whether its caller declined to be recorded, in whichever of the phone call's streams."""
    return any(stream.recording == "declined" for stream in await streams_of(db, call_sid))
