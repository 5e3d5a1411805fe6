"""A signed test message to one of the operator's servers, sent at once and past the queue."""

from datetime import UTC, datetime
from uuid import uuid4

from app.conf.models import WebhookConf
from app.jobs.webhooks.sending import Message, Try, send

KIND = "webhook.test"


async def try_webhook(name: str, webhook: WebhookConf) -> tuple[Message, Try]:
    """What was sent, and how it went."""
    now = datetime.now(UTC)
    message = Message(f"msg_{uuid4().hex}", KIND, now, {"webhook": name})
    return message, await send(webhook, message, now)
