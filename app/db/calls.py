"""The questions we ask of calls."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.call.events import NumberedEvent
from app.call.record import CallRecord
from app.call.status import CallStatus, EndReason
from app.db.tables import Call, CallEvent, StreamClaim


async def record_call(db: AsyncSession, call: CallRecord, events: Sequence[NumberedEvent]) -> None:
    """Write the call and its events as far as they are not there; doing so again changes nothing.

    A call that has ended stays as it ended: news of its earlier life may arrive late.
    """
    values = asdict(call) | {"id": UUID(call.id)}
    put = insert(Call).values(values)
    not_over = or_(Call.status != CallStatus.ENDED, put.excluded.status == CallStatus.ENDED)
    await db.execute(put.on_conflict_do_update(index_elements=[Call.id], set_=values, where=not_over))
    if events:
        rows = [{"call_id": values["id"], **asdict(event)} for event in events]
        await db.execute(insert(CallEvent).on_conflict_do_nothing(), rows)


async def find_call(db: AsyncSession, call_sid: str) -> CallRecord | None:
    """The call with that SID, as it went on after its last reconnection."""
    latest = select(Call).where(Call.call_sid == call_sid).order_by(Call.attempt.desc()).limit(1)
    call = await db.scalar(latest)
    if call is None:
        return None
    values = {field.name: getattr(call, field.name) for field in fields(CallRecord)}
    values["id"] = str(call.id)
    values["status"] = CallStatus(call.status)
    values["end_reason"] = EndReason(call.end_reason) if call.end_reason else None
    return CallRecord(**values)


async def find_events(db: AsyncSession, call_id: str) -> list[NumberedEvent]:
    """The call's events in their order."""
    ours = select(CallEvent).where(CallEvent.call_id == UUID(call_id)).order_by(CallEvent.seq)
    return [NumberedEvent(event.seq, event.kind, event.at_ms, event.data) for event in await db.scalars(ours)]


async def claim_token(db: AsyncSession, token_id: str) -> bool:
    """Whether this is the first use of the stream token, in any process."""
    claim = insert(StreamClaim).values(token_id=token_id).on_conflict_do_nothing().returning(StreamClaim.token_id)
    return await db.scalar(claim) is not None


async def purge_claims(db: AsyncSession, older_than: timedelta) -> None:
    """Forget claims of tokens that have long expired."""
    await db.execute(delete(StreamClaim).where(StreamClaim.claimed_at < func.now() - older_than))
