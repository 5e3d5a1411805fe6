"""Bringing a message to one of the operator's servers: signed, logged, and again until it is taken."""

from datetime import UTC, datetime
from uuid import UUID

import structlog

from app.db import webhooks
from app.db.engine import db_session
from app.db.tables import WebhookDelivery, WebhookMessage
from app.egress.client import tls_context
from app.errors import ConfMissing
from app.jobs.context import JobContext
from app.jobs.job import GiveUp, Handler, Job, TryAgain
from app.jobs.webhooks.sending import Message, Try, send

NOT_READ_YET_S = 1.0
"""The database has the server's row already, and this process will within moments."""

_log = structlog.get_logger(__name__)


def deliver_handler(context: JobContext) -> Handler:
    """Sends the message of a delivery (its id is the subject), and writes down what came of it."""
    tls_context()  # slow to make: now, and not while people talk

    async def deliver(job: Job) -> None:
        delivery_id = UUID(job.subject)
        async with db_session(context.engine) as db:
            found = await webhooks.find_delivery(db, delivery_id)
            rows = await webhooks.webhook_rows(db)
        if found is None or found[0].delivered_at:
            return
        tried = await _tried(context, *found, configured=found[0].webhook in rows)
        async with db_session(context.engine) as db:
            error = str(tried.failure) if tried.failure else None
            await webhooks.note_try(db, delivery_id, status=tried.status, answer=tried.answer, error=error)
        _tell(found[0].webhook, found[1], tried)
        if tried.failure:
            raise tried.failure

    return deliver


async def _tried(context: JobContext, delivery: WebhookDelivery, message: WebhookMessage, *, configured: bool) -> Try:
    try:
        webhook = context.conf.webhook(delivery.webhook)
    except ConfMissing:
        if configured:
            return Try(failure=TryAgain("its row is not read yet", after_s=NOT_READ_YET_S))
        return Try(failure=GiveUp(f"there is no webhook/{delivery.webhook} any more"))
    if not webhook.enabled:
        return Try(failure=GiveUp(f"webhook/{delivery.webhook} is not enabled"))
    return await send(webhook, Message(message.id, message.kind, message.created_at, message.data), datetime.now(UTC))


def _tell(webhook: str, message: WebhookMessage, tried: Try) -> None:
    match tried.failure:
        case None:
            _log.info("webhook_delivered", webhook=webhook, message=message.id, event_kind=message.kind)
        case GiveUp() as reason:
            _log.warning("webhook_given_up", webhook=webhook, message=message.id, reason=str(reason))
        case TryAgain():
            pass  # the queue says so, and when
