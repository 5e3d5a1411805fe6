"""The questions that people ask of calls: which there were, what happened in one, what is left of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select, tuple_, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from app.call.events import NumberedEvent
from app.call.status import CallStatus, EndReason
from app.db.call_deletion import with_party
from app.db.tables import Call, CallEvent, Recording, Transcript

Place = tuple[datetime, UUID]
"""Where a call stands in the list: by its start, and among calls that started together by its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls are wanted; all of these at once."""

    since: datetime | None = None
    until: datetime | None = None
    """Calls that started before this."""
    agent: str | None = None
    number: str | None = None
    """Of either side."""
    status: CallStatus | None = None
    end_reason: EndReason | None = None
    words: str | None = None
    """Of one turn or of one recording, as people type them into a search: `refund "next week" -invoice`."""


async def list_calls(db: AsyncSession, wanted: CallFilter, limit: int, *, after: Place | None = None) -> list[Call]:
    """The calls, newest first, without their sessions; with `after`, those that stand behind that place."""
    newest = select(Call).options(defer(Call.session)).where(*_conditions(wanted))
    if after:
        newest = newest.where(tuple_(Call.started_at, Call.id) < after)
    return list(await db.scalars(newest.order_by(Call.started_at.desc(), Call.id.desc()).limit(limit)))


async def calls_of(db: AsyncSession, number: str, limit: int, *, after: Place | None = None) -> Sequence[Place]:
    """The calls with that party, oldest first, where they stand; with `after`, those behind that place."""
    theirs = select(Call.started_at, Call.id).where(with_party(number))
    if after:
        theirs = theirs.where(tuple_(Call.started_at, Call.id) > after)
    rows = await db.execute(theirs.order_by(Call.started_at, Call.id).limit(limit))
    return [(started_at, call_id) for started_at, call_id in rows]


async def get_call(db: AsyncSession, call_id: UUID) -> Call | None:
    """The call of that id, with its session."""
    return await db.get(Call, call_id)


async def call_status(db: AsyncSession, call_id: UUID) -> str | None:
    """Where the call stands; None where there is none."""
    status: str | None = await db.scalar(select(Call.status).where(Call.id == call_id))
    return status


async def events_after(db: AsyncSession, call_id: UUID, seq: int, limit: int | None = None) -> list[NumberedEvent]:
    """The call's events behind that number, in their order."""
    ours = select(CallEvent).where(CallEvent.call_id == call_id, CallEvent.seq > seq).order_by(CallEvent.seq)
    rows = await db.scalars(ours.limit(limit))
    return [NumberedEvent(row.seq, row.kind, row.at_ms, row.data) for row in rows]


async def recordings_with_words(db: AsyncSession, call: Call) -> list[tuple[Recording, Transcript | None]]:
    """The call's recordings, oldest first, each with its transcript where there is one."""
    of_call = or_(Recording.call_id == call.id, and_(Recording.call_id.is_(None), Recording.call_sid == call.call_sid))
    rows = await db.execute(
        select(Recording, Transcript)
        .outerjoin(Transcript, Transcript.recording_id == Recording.id)
        .where(of_call)
        .order_by(Recording.created_at, Recording.id)
    )
    return [(recording, transcript) for recording, transcript in rows]


def _conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.since:
        conditions.append(Call.started_at >= wanted.since)
    if wanted.until:
        conditions.append(Call.started_at < wanted.until)
    if wanted.agent is not None:
        conditions.append(Call.agent == wanted.agent)
    if wanted.number is not None:
        conditions.append(or_(Call.from_number == wanted.number, Call.to_number == wanted.number))
    if wanted.status:
        conditions.append(Call.status == wanted.status)
    if wanted.end_reason:
        conditions.append(Call.end_reason == wanted.end_reason)
    if wanted.words is not None:
        conditions.append(Call.id.in_(_calls_with(wanted.words)))
    return conditions


def _calls_with(words: str) -> Select[tuple[UUID | None]]:
    """The calls in which that was said, by their recordings or by what was understood live."""
    query = func.websearch_to_tsquery(literal_column("'simple'"), words)
    # spelled exactly as the index `call_events_words` is
    said_live = literal_column("to_tsvector('simple', call_events.data ->> 'text')").op("@@")(query)
    by_turn: ColumnElement[bool] = literal_column("call_events.kind in ('caller.transcript', 'agent.transcript')")
    recorded = select(Transcript.call_id).where(Transcript.search.op("@@")(query))
    live = select(CallEvent.call_id).where(by_turn, said_live)
    found = union(recorded, live).subquery()
    return select(found.c.call_id)
