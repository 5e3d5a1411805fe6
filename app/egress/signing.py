"""Signatures by which an operator's server knows that a message is ours (Standard Webhooks)."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import SecretStr
from standardwebhooks import Webhook


def signature(secrets: Iterable[SecretStr], message_id: str, body: str, now: datetime) -> dict[str, str]:
    """The headers of the standard; more than one signature while a secret is being changed.

    Raises `ValueError` for a secret that cannot sign.
    """
    signed = [Webhook(secret.get_secret_value()).sign(message_id, now, body) for secret in secrets]
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signed),
    }
