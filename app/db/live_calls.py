"""The questions we ask of calls while they go on: their copies in the database, and the news of them."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, literal_column, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.call.events import NumberedEvent
from app.call.record import CallRecord
from app.call.status import CallStatus
from app.db.tables import Call

CHANNEL = "call_events"
"""Where the id of each call is told whose events a transaction has written."""
_NUL, _REPLACEMENT = rb"\u0000", rb"\ufffd"
"""The one character that PostgreSQL cannot keep, as JSON spells it; and what stands for it."""
_MOVES = ("status", "answered_at", "session", "recording")
"""The columns that change while a call goes on."""
# one statement for all: the batch is encoded once, and not row by row in the loop that carries the audio
_ADD_EVENTS = text(
    """
    insert into call_events (call_id, seq, at_ms, kind, data)
    select call_id, seq, at_ms, kind, data
    from jsonb_to_recordset(cast(:rows as jsonb)) as new(call_id uuid, seq int, at_ms int, kind text, data jsonb)
    where exists (select from calls where calls.id = new.call_id)
    on conflict do nothing
    """
)
_TELL = text("select pg_notify(:channel, id) from unnest(cast(:ids as text[])) as id")


async def record_live(db: AsyncSession, call: CallRecord) -> bool:
    """Write how a call stands that has no end yet, unless it has ended there; says whether it was unknown until now."""
    values = asdict(call) | {"id": UUID(call.id)}
    put = insert(Call).values(values)
    is_new: ColumnElement[bool] = literal_column("xmax = 0")  # so it is where the row was inserted, and not updated
    written = put.on_conflict_do_update(
        index_elements=[Call.id], set_={name: values[name] for name in _MOVES}, where=Call.status != CallStatus.ENDED
    )
    return bool(await db.scalar(written.returning(is_new)))


async def add_events(db: AsyncSession, events: Sequence[tuple[str, NumberedEvent]]) -> None:
    """Write the events as far as they are not there, and tell who listens; those of unknown calls are left out."""
    rows = [{"call_id": call_id, **_columns(event)} for call_id, event in events]
    encoded = msgspec.json.encode(rows).replace(_NUL, _REPLACEMENT)
    await db.execute(_ADD_EVENTS, {"rows": encoded.decode()})
    await db.execute(_TELL, {"channel": CHANNEL, "ids": sorted({call_id for call_id, _ in events})})


def _columns(event: NumberedEvent) -> dict[str, object]:
    return {"seq": event.seq, "at_ms": event.at_ms, "kind": event.kind, "data": event.data}
