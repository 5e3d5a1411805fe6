"""One signed message on the wire, and what its answer means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from app.conf.models import WebhookConf
from app.egress.client import guarded_client
from app.egress.exchange import Answer, exchange
from app.egress.retry_after import retry_after_s
from app.egress.signing import signature
from app.errors import EgressFailed, EgressRefused
from app.jobs.job import GiveUp, TryAgain

ANSWER_S = 15.0
ANSWER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Message:
    """What a server is told."""

    id: str
    kind: str
    at: datetime
    data: Mapping[str, Any]

    @property
    def body(self) -> str:
        """The same bytes at every try."""
        told = {"type": self.kind, "timestamp": self.at.astimezone(UTC).isoformat().replace("+00:00", "Z")}
        return json.dumps(told | {"data": dict(self.data)}, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Try:
    """How sending it went."""

    status: int | None = None
    answer: str | None = None
    """The beginning of what the server said, without our secrets."""
    failure: TryAgain | GiveUp | None = None


async def send(webhook: WebhookConf, message: Message, now: datetime) -> Try:
    """Send the message, signed as of now; what goes wrong is in the answer."""
    try:
        headers = signed(webhook, message, now)
    except ValueError:
        return Try(failure=GiveUp("its secret cannot sign: give it a new one"))
    try:
        async with guarded_client(webhook.allow_private, timeout_s=ANSWER_S) as client:
            request = client.build_request("POST", webhook.url, content=message.body.encode(), headers=headers)
            answer = await exchange(client, request, within_s=ANSWER_S, most_bytes=ANSWER_BYTES)
    except EgressRefused as error:
        return Try(failure=GiveUp(f"{error}; allow_private lets private addresses in"))
    except EgressFailed as error:
        return Try(failure=TryAgain(str(error)))
    text = _without_secrets(answer.body.decode(errors="replace").replace("\0", "\ufffd"), webhook)
    return Try(answer.status, text, judged(answer, now))


def signed(webhook: WebhookConf, message: Message, now: datetime) -> dict[str, str]:
    """The headers that the message is sent with."""
    return signature((webhook.secret, *webhook.previous_secrets), message.id, message.body, now)


def judged(answer: Answer, now: datetime) -> TryAgain | GiveUp | None:
    """What follows from an answer; None is success."""
    status = answer.status
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return TryAgain(f"it answered with a redirect ({status}), which is not followed: give the final address")
    if status == HTTPStatus.GONE:
        return GiveUp("it answered 410: it wants no more of these")
    return TryAgain(f"it answered {status}", after_s=retry_after_s(answer.headers, now))


def _without_secrets(text: str, webhook: WebhookConf) -> str:
    for secret in (webhook.secret, *webhook.previous_secrets):
        whole = secret.get_secret_value()
        for part in (whole, whole.partition("_")[2]):
            text = text.replace(part, "***") if part else text
    return text
