"""Whose turn it is to be called: one at a time for each account, however many processes ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables import OutboundPace, OutboundRequest
from app.outbound.states import UNDER_WAY, OutboundState


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is, or in how many seconds somebody's may be; neither where nobody waits, or a call must end."""

    request: OutboundRequest | None = None
    wait_s: float | None = None


async def waiting_accounts(db: AsyncSession) -> Sequence[str]:
    """The accounts for which a request's time has come."""
    due = (OutboundRequest.state == OutboundState.QUEUED) & (OutboundRequest.not_before <= func.now())
    return (await db.scalars(select(OutboundRequest.account).where(due).distinct())).all()


async def take_turn(db: AsyncSession, account: str, *, at_once: int) -> Turn:
    """The request whose turn it is; nobody else gets it, or any other of the account, while the transaction lasts."""
    await db.execute(insert(OutboundPace).values(account=account, next_at=func.now()).on_conflict_do_nothing())
    next_at = select(OutboundPace.next_at).where(OutboundPace.account == account).with_for_update()
    may_at = (await db.scalars(next_at)).one()
    now: datetime = (await db.scalars(select(func.clock_timestamp()))).one()  # we may have waited for the lock
    if may_at > now:
        return Turn(wait_s=(may_at - now).total_seconds())
    ours = OutboundRequest.account == account
    under_way = select(func.count()).select_from(OutboundRequest).where(ours, OutboundRequest.state.in_(UNDER_WAY))
    if (await db.scalar(under_way) or 0) >= at_once:
        return Turn()
    due = (OutboundRequest.state == OutboundState.QUEUED) & (OutboundRequest.not_before <= now)
    first = select(OutboundRequest).where(ours, due).order_by(OutboundRequest.not_before, OutboundRequest.id).limit(1)
    return Turn(await db.scalar(first.with_for_update(skip_locked=True)))


async def use_turn(db: AsyncSession, account: str, interval_s: float) -> None:
    """The account's turn is used: the next one comes after this."""
    next_at = func.clock_timestamp() + timedelta(seconds=interval_s)
    await db.execute(update(OutboundPace).where(OutboundPace.account == account).values(next_at=next_at))


async def take_unsure(db: AsyncSession, *, dialing_s: float, silent_s: float, most: int = 20) -> list[OutboundRequest]:
    """Requests of which nobody knows what became, for whoever asks first: he has so long to find out.

    Those are requests that Twilio was asked to place, with no answer for `dialing_s`, and calls that it said nothing
    of for `silent_s`.
    """
    table = OutboundRequest
    last = func.greatest(table.dialed_at, func.coalesce(table.checked_at, table.dialed_at))
    unanswered = table.call_sid.is_(None) & (last < func.now() - timedelta(seconds=dialing_s))
    silent = table.call_sid.is_not(None) & (last < func.now() - timedelta(seconds=silent_s))
    unsure = select(table.id).where(table.state.in_(UNDER_WAY), or_(unanswered, silent)).limit(most)
    taken = update(table).where(table.id.in_(unsure.with_for_update(skip_locked=True))).values(checked_at=func.now())
    return list(await db.scalars(taken.returning(table)))


async def linked_sids(db: AsyncSession, sids: Sequence[str]) -> set[str]:
    """Those of the calls that are known to be some request's."""
    return set(await db.scalars(select(OutboundRequest.call_sid).where(OutboundRequest.call_sid.in_(sids))))
