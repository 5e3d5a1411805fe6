"""The questions we ask of requests for calls."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.ids import uuid7
from app.db.tables import Call, OutboundRequest
from app.outbound.states import OutboundState


async def add_request(db: AsyncSession, **values: Any) -> OutboundRequest | None:
    """A new queued request; None where its idempotency key was used before."""
    row = {"id": uuid7(), "state": OutboundState.QUEUED, "attempts": 0} | values
    added = insert(OutboundRequest).values(row)
    added = added.on_conflict_do_nothing(index_elements=["key_id", "idempotency_key"])
    found: OutboundRequest | None = await db.scalar(added.returning(OutboundRequest))
    return found


async def find_by_idempotency_key(db: AsyncSession, key_id: UUID, idempotency_key: str) -> OutboundRequest | None:
    """The request that was made with that idempotency key by that holder."""
    ours = (OutboundRequest.key_id == key_id) & (OutboundRequest.idempotency_key == idempotency_key)
    found: OutboundRequest | None = await db.scalar(select(OutboundRequest).where(ours))
    return found


async def find_request(db: AsyncSession, request_id: UUID, *, lock: bool = False) -> OutboundRequest | None:
    """The request of that id; locked, it stays as it is until the transaction ends."""
    wanted = select(OutboundRequest).where(OutboundRequest.id == request_id)
    found: OutboundRequest | None = await db.scalar(wanted.with_for_update() if lock else wanted)
    return found


async def list_requests(
    db: AsyncSession, limit: int, *, state: str | None = None, to_number: str | None = None, before: UUID | None = None
) -> Sequence[OutboundRequest]:
    """Requests, the newest first; `before` is the id of the last one that was shown."""
    wanted = select(OutboundRequest).order_by(OutboundRequest.id.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(OutboundRequest.state == state)
    if to_number is not None:
        wanted = wanted.where(OutboundRequest.to_number == to_number)
    return (await db.scalars(wanted.where(OutboundRequest.id < before) if before else wanted)).all()


async def positions(db: AsyncSession, requests: Sequence[OutboundRequest]) -> dict[UUID, int]:
    """Where those of the requests that are queued stand in their account's queue, counted from 1."""
    found = {}
    for each in requests:
        if each.state == OutboundState.QUEUED:
            place = tuple_(OutboundRequest.not_before, OutboundRequest.id)
            ahead = (OutboundRequest.account == each.account) & (place < (each.not_before, each.id))
            found[each.id] = 1 + await _count(db, ahead & (OutboundRequest.state == OutboundState.QUEUED))
    return found


async def queued(db: AsyncSession, account: str) -> int:
    """How many requests wait for that account."""
    return await _count(db, (OutboundRequest.account == account) & (OutboundRequest.state == OutboundState.QUEUED))


async def call_ids(db: AsyncSession, requests: Sequence[OutboundRequest]) -> dict[str, UUID]:
    """The calls that came of the requests, by Twilio's SID: of each phone call the first, if its stream was lost."""
    sids = [each.call_sid for each in requests if each.call_sid]
    if not sids:
        return {}
    rows = await db.execute(select(Call.call_sid, Call.id).where(Call.call_sid.in_(sids)).order_by(Call.attempt.desc()))
    return {row.call_sid: row.id for row in rows}


async def cancel(db: AsyncSession, request_id: UUID) -> bool:
    """Take the request from the queue; False where it is not there."""
    queued_one = (OutboundRequest.id == request_id) & (OutboundRequest.state == OutboundState.QUEUED)
    canceled = update(OutboundRequest).where(queued_one).values(state=OutboundState.CANCELED, ended_at=func.now())
    return await db.scalar(canceled.returning(OutboundRequest.id)) is not None


async def _count(db: AsyncSession, condition: Any) -> int:
    return await db.scalar(select(func.count()).select_from(OutboundRequest).where(condition)) or 0
