"""Telling the operator's servers of messages that callers left."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from app.call.events import Kind, NumberedEvent
from app.call.record import CallRecord
from app.jobs.webhooks.emit import emit
from app.jobs.webhooks.messages import message_taken


async def tell_taken(db: AsyncSession, call: CallRecord, events: Iterable[NumberedEvent]) -> None:
    """Tell of each message among the call's events, however often it is asked: once."""
    for event in events:
        if event.kind == Kind.MESSAGE_TAKEN:
            await emit(db, "message.taken", f"{call.id} {event.seq}", message_taken(call, event))
