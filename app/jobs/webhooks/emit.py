"""Messages to the operator's servers: written with what they tell of, or not at all."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import structlog
from pydantic import ValidationError
from pydantic_core import to_jsonable_python
from sqlalchemy.ext.asyncio import AsyncSession

from app.conf.models import MessageKind, WebhookConf
from app.db import webhooks
from app.jobs.job import JobKind
from app.jobs.manage import retry
from app.jobs.queue import enqueue

_MESSAGES = UUID("9f0bfb5c-4e0b-4a53-9b42-8f7a1c0f6a55")
"""The namespace of our message ids."""

_log = structlog.get_logger(__name__)


async def emit(db: AsyncSession, kind: str, subject: str, data: Mapping[str, Any]) -> None:
    """Tell every server that wants to hear of `kind`, in the transaction of `db`; twice for a subject changes nothing.

    `agent` in the data lets servers that hear of some agents only choose. The data outlives a recording's retention
    by weeks: ids and facts belong in it, spoken words do not.
    """
    known = MessageKind(kind)
    plain = _plain(to_jsonable_python(dict(data)))
    message = message_id(known, subject)
    if await webhooks.add_message(db, message, known, subject, plain):
        await _address(db, message, known, plain.get("agent"))


async def replay(db: AsyncSession, message: str) -> int:
    """Send a message again, under its old id, to every server that wants it now; returns to how many.

    Raises `JobError` while it is being sent anyway.
    """
    found = await webhooks.find_message(db, message)
    return 0 if found is None else await _address(db, found.id, found.kind, found.data.get("agent"))


async def redeliver(db: AsyncSession, delivery_id: UUID) -> bool:
    """Send one delivery again, under its message's old id; False where there is none."""
    found = await webhooks.find_delivery(db, delivery_id)
    if found is None:
        return False
    await _send(db, found[1].id, found[0].webhook)
    return True


def message_id(kind: str, subject: str) -> str:
    """The id of what happened: the same however often it is told."""
    return f"msg_{uuid5(_MESSAGES, f'{kind} {subject}').hex}"


async def _address(db: AsyncSession, message: str, kind: str, agent: str | None) -> int:
    wanted = [name for name, row in (await webhooks.webhook_rows(db)).items() if _wants(name, row, kind, agent)]
    for name in wanted:
        await _send(db, message, name)
    return len(wanted)


async def _send(db: AsyncSession, message: str, webhook: str) -> None:
    delivery_id = await webhooks.put_delivery(db, message, webhook)
    if await enqueue(db, JobKind.DELIVER, str(delivery_id)):
        return
    if job_id := await webhooks.open_job_of(db, delivery_id):
        await retry(db, job_id)


def _wants(name: str, row: Mapping[str, Any], kind: str, agent: str | None) -> bool:
    try:
        return WebhookConf.model_validate(row).wants(kind, agent)
    except ValidationError:
        _log.warning("webhook_unreadable", webhook=name)
        return False


def _plain(value: Any) -> Any:
    """The value without the one character that PostgreSQL cannot keep."""
    match value:
        case str():
            return value.replace("\0", "\ufffd")
        case dict():
            return {_plain(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case _:
            return value
