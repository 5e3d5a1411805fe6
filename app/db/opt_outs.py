"""The do-not-call list."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import audit
from app.db.audit import Actor
from app.db.tables import OptOut


async def opt_out(
    db: AsyncSession, number: str, who: Actor, *, note: str | None = None, call_id: UUID | None = None
) -> bool:
    """Never call that number; False where it is on the list already, and stays as it is."""
    row = {"number": number, "added_by": who.name, "note": note, "call_id": call_id}
    added = insert(OptOut).values(row).on_conflict_do_nothing().returning(OptOut.number)
    if await db.scalar(added) is None:
        return False
    await audit.note(db, who, "create", f"do-not-call/{number}")
    return True


async def opt_in(db: AsyncSession, number: str, who: Actor) -> bool:
    """The number may be called again; False where it was not on the list."""
    if await db.scalar(delete(OptOut).where(OptOut.number == number).returning(OptOut.number)) is None:
        return False
    await audit.note(db, who, "delete", f"do-not-call/{number}")
    return True


async def find_opt_out(db: AsyncSession, number: str) -> OptOut | None:
    """The number's entry on the list."""
    return await db.get(OptOut, number)


async def list_opt_outs(db: AsyncSession, limit: int | None, *, after: str | None = None) -> Sequence[OptOut]:
    """The list in the order of numbers; `after` is the last one that was shown."""
    wanted = select(OptOut).order_by(OptOut.number).limit(limit)
    return (await db.scalars(wanted.where(OptOut.number > after) if after else wanted)).all()
