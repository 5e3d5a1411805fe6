"""The questions we ask of outgoing messages and of what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.ids import uuid7
from app.db.tables import CoreConf, Job, WebhookDelivery, WebhookMessage


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """A delivery as a person sees it."""

    id: UUID
    message_id: str
    kind: str
    subject: str
    webhook: str
    state: str
    """`delivered`; `waiting` for its next try; or `failed`: nobody tries any more."""
    attempts: int
    last_status: int | None
    last_error: str | None
    last_answer: str | None
    created_at: datetime
    tried_at: datetime | None
    next_try_at: datetime | None
    delivered_at: datetime | None


async def add_message(db: AsyncSession, message_id: str, kind: str, subject: str, data: Mapping[str, Any]) -> bool:
    """A new message; False where it is there already."""
    row = {"id": message_id, "kind": kind, "subject": subject, "data": data}
    put = insert(WebhookMessage).values(row).on_conflict_do_nothing().returning(WebhookMessage.id)
    return await db.scalar(put) is not None


async def find_message(db: AsyncSession, message_id: str) -> WebhookMessage | None:
    """The message of that id."""
    return await db.get(WebhookMessage, message_id)


async def webhook_rows(db: AsyncSession) -> dict[str, Mapping[str, Any]]:
    """The rows of the servers by their names, as the database has them: secrets encrypted."""
    found = await db.execute(select(CoreConf.name, CoreConf.value).where(CoreConf.section == "webhook"))
    return {row.name: row.value for row in found}


async def put_delivery(db: AsyncSession, message_id: str, webhook: str) -> UUID:
    """The delivery of a message to a server, as not delivered yet."""
    row = {"id": uuid7(), "message_id": message_id, "webhook": webhook, "attempts": 0}
    put = insert(WebhookDelivery).values(row)
    key = [WebhookDelivery.message_id, WebhookDelivery.webhook]
    put = put.on_conflict_do_update(index_elements=key, set_={"delivered_at": None})
    found: UUID = (await db.scalars(put.returning(WebhookDelivery.id))).one()
    return found


async def find_delivery(db: AsyncSession, delivery_id: UUID) -> tuple[WebhookDelivery, WebhookMessage] | None:
    """The delivery and what it delivers."""
    wanted = select(WebhookDelivery, WebhookMessage).join(WebhookMessage).where(WebhookDelivery.id == delivery_id)
    found = (await db.execute(wanted)).one_or_none()
    return (found[0], found[1]) if found else None


async def note_try(
    db: AsyncSession, delivery_id: UUID, *, status: int | None, answer: str | None, error: str | None
) -> None:
    """Write down how a try went; without an error the message is delivered."""
    row = {"last_status": status, "last_answer": answer, "last_error": error, "tried_at": func.now()}
    if error is None:
        row["delivered_at"] = func.now()
    tried = update(WebhookDelivery).where(WebhookDelivery.id == delivery_id)
    await db.execute(tried.values(attempts=WebhookDelivery.attempts + 1, **row))


async def list_deliveries(
    db: AsyncSession, *, failed: bool = False, webhook: str | None = None, most: int = 100
) -> list[LoggedDelivery]:
    """The newest deliveries, or those that nobody tries any more."""
    delivery, message = WebhookDelivery, WebhookMessage
    open_job = and_(Job.kind == "deliver", Job.subject == func.cast(delivery.id, Job.subject.type), _open())
    wanted = (
        select(delivery, message.kind, message.subject, Job.run_after)
        .join(message)
        .outerjoin(Job, open_job)
        .order_by(delivery.created_at.desc(), delivery.id.desc())
        .limit(most)
    )
    if failed:
        wanted = wanted.where(delivery.delivered_at.is_(None), Job.id.is_(None))
    if webhook is not None:
        wanted = wanted.where(delivery.webhook == webhook)
    return [_logged(*row) for row in await db.execute(wanted)]


async def open_job_of(db: AsyncSession, delivery_id: UUID) -> UUID | None:
    """The job that is about to deliver it."""
    found: UUID | None = await db.scalar(
        select(Job.id).where(Job.kind == "deliver", Job.subject == str(delivery_id), _open())
    )
    return found


async def purge_messages(db: AsyncSession, kept: timedelta) -> None:
    """Forget messages that are older than that, and their deliveries."""
    await db.execute(delete(WebhookMessage).where(WebhookMessage.created_at < func.now() - kept))


def _open() -> Any:
    return Job.state.in_(("waiting", "running"))


def _logged(delivery: WebhookDelivery, kind: str, subject: str, next_try_at: datetime | None) -> LoggedDelivery:
    waits = "waiting" if next_try_at else "failed"
    return LoggedDelivery(
        id=delivery.id,
        message_id=delivery.message_id,
        kind=kind,
        subject=subject,
        webhook=delivery.webhook,
        state="delivered" if delivery.delivered_at else waits,
        attempts=delivery.attempts,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        last_answer=delivery.last_answer,
        created_at=delivery.created_at,
        tried_at=delivery.tried_at,
        next_try_at=None if delivery.delivered_at else next_try_at,
        delivered_at=delivery.delivered_at,
    )
