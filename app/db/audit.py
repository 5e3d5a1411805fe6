"""Who changed what, and when: written in the transaction of the change itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.ids import uuid7
from app.db.tables import AuditEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: in words, and by the key where there was one."""

    name: str
    key_id: UUID | None = None


async def note(
    db: AsyncSession, who: Actor, action: str, subject: str, *, before: int | None = None, after: int | None = None
) -> None:
    """Remember an action on a subject, like `update` of `agent/sales`, with its versions before and after.

    Neither of the two words may hold a secret.
    """
    row = {"id": uuid7(), "actor": who.name, "key_id": who.key_id, "action": action, "subject": subject}
    await db.execute(insert(AuditEntry).values(row | {"version_before": before, "version_after": after}))


async def entries(
    db: AsyncSession, limit: int, *, before: UUID | None = None, subject: str | None = None
) -> Sequence[AuditEntry]:
    """What was done (to that subject), the newest first; `before` is the id of the last one that was shown."""
    wanted = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before:
        wanted = wanted.where(AuditEntry.id < before)
    if subject:
        wanted = wanted.where(AuditEntry.subject == subject)
    return (await db.scalars(wanted)).all()
