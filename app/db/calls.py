"""The questions we ask of calls."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.call.status import CallStatus, EndReason
from app.db.tables import Call, CallEvent, StreamClaim


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What `calls` keeps of one call."""

    id: UUID
    call_sid: str
    account_sid: str
    from_number: str
    to_number: str
    direction: str
    agent: str
    agent_version: int
    status: CallStatus
    started_at: datetime
    end_reason: EndReason | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    session: dict[str, Any] | None = None
    """The compiled session it used."""


@dataclass(frozen=True, slots=True)
class CallEventRecord:
    """One thing that happened in a call."""

    seq: int
    at_ms: int
    kind: str
    data: dict[str, Any]


async def record_call(db: AsyncSession, call: CallRecord, events: Sequence[CallEventRecord]) -> None:
    """Write the call and its events as far as they are not there; doing so again changes nothing.

    A call that has ended stays as it ended: news of its earlier life may arrive late.
    """
    values = asdict(call)
    put = insert(Call).values(values)
    not_over = or_(Call.status != CallStatus.ENDED, put.excluded.status == CallStatus.ENDED)
    await db.execute(put.on_conflict_do_update(index_elements=[Call.id], set_=values, where=not_over))
    if events:
        rows = [{"call_id": call.id, **asdict(event)} for event in events]
        await db.execute(insert(CallEvent).on_conflict_do_nothing(), rows)


async def find_call(db: AsyncSession, call_sid: str) -> CallRecord | None:
    """The call with that SID."""
    call = await db.scalar(select(Call).where(Call.call_sid == call_sid))
    if call is None:
        return None
    values = {name: getattr(call, name) for name in CallRecord.__slots__}
    values["status"] = CallStatus(call.status)
    values["end_reason"] = EndReason(call.end_reason) if call.end_reason else None
    return CallRecord(**values)


async def find_events(db: AsyncSession, call_id: UUID) -> Sequence[CallEventRecord]:
    """The call's events in their order."""
    found = await db.scalars(select(CallEvent).where(CallEvent.call_id == call_id).order_by(CallEvent.seq))
    return [CallEventRecord(event.seq, event.at_ms, event.kind, event.data) for event in found]


async def claim_token(db: AsyncSession, token_id: str) -> bool:
    """Whether this is the first use of the stream token, in any process."""
    claim = insert(StreamClaim).values(token_id=token_id).on_conflict_do_nothing().returning(StreamClaim.token_id)
    return await db.scalar(claim) is not None


async def purge_claims(db: AsyncSession, older_than: timedelta) -> None:
    """Forget claims of tokens that have long expired."""
    await db.execute(delete(StreamClaim).where(StreamClaim.claimed_at < func.now() - older_than))
