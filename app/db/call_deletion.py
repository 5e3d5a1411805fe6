"""Taking calls out of the database, for good."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.call.status import CallStatus
from app.db.tables import Call, Recording

NO_CALL_LASTS = timedelta(days=1)
"""A call that still seems to live after this lost its server, and its folder with it."""


def with_party(number: str) -> ColumnElement[bool]:
    """Calls with that number at the other end: who called us, or whom we called. Our own numbers have none."""
    return or_(
        and_(Call.direction == "inbound", Call.from_number == number),
        and_(Call.direction == "outbound", Call.to_number == number),
    )


def is_over() -> ColumnElement[bool]:
    """Calls that no server carries any more."""
    return or_(Call.status == CallStatus.ENDED, Call.started_at < func.now() - NO_CALL_LASTS)


async def calls_with(db: AsyncSession, number: str, most: int) -> Sequence[UUID]:
    """Some of the calls with that party that are over, oldest first."""
    over = select(Call.id).where(with_party(number), is_over()).order_by(Call.started_at, Call.id).limit(most)
    return (await db.scalars(over)).all()


async def count_live(db: AsyncSession, number: str) -> int:
    """How many calls with that party are going on."""
    return await db.scalar(select(func.count(Call.id)).where(with_party(number), ~is_over())) or 0


async def lock_call(db: AsyncSession, call_id: UUID) -> tuple[Call, bool] | None:
    """The call, which nobody else changes until the transaction ends, and whether it is over."""
    row = (await db.execute(select(Call, is_over()).where(Call.id == call_id).with_for_update())).one_or_none()
    return (row[0], row[1]) if row else None


async def delete_rows(db: AsyncSession, call_id: UUID) -> None:
    """The call, its events and its transcripts; its recordings stay as what tells that they were deleted."""
    await db.execute(update(Recording).where(Recording.call_id == call_id).values(call_id=None))
    await db.execute(delete(Call).where(Call.id == call_id))
