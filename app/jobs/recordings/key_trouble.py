"""A provider that refuses our key, or our money: the operator hears of it, once a day for each account."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from app.conf.models import MessageKind
from app.jobs.webhooks.emit import emit
from app.logs import mask_text

NO_MONEY = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "account_deactivated"}
"""What a provider calls an account that has nothing left."""


def kind_of(code: str | None) -> MessageKind:
    """Which of the two it is."""
    return MessageKind.QUOTA if code in NO_MONEY else MessageKind.KEY_REJECTED


async def tell_of_key(db: AsyncSession, kind: str, account: str, text: str, today: date) -> None:
    """Tell, once a day for each account (`openai/default`), that a provider refuses its key or has no quota left."""
    provider, _, name = account.partition("/")
    data = {"provider": provider, "account": name, "reason": mask_text(text)}
    await emit(db, kind, f"{account} {today}", data)
