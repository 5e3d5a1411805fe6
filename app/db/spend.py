"""What calls cost, as the events of each tell it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

LONGEST_CALL = timedelta(hours=5)
_SUMS = text(
    """
    select id, sum(usd) from (
        select calls.id, calls.started_at + event.at_ms * interval '1 millisecond' as at,
               (event.data ->> 'cost_usd')::numeric as usd
        from calls join call_events event on event.call_id = calls.id
        where calls.started_at >= cast(:from_ as timestamptz) and calls.started_at < cast(:until as timestamptz)
          and (calls.ended_at is null or calls.ended_at >= cast(:since as timestamptz))
          and event.data ? 'cost_usd'
    ) answers
    where at >= cast(:midnight as timestamptz) and at < cast(:until as timestamptz)
    group by id
    """
)


async def spent_on(db: AsyncSession, day: date, *, since: datetime | None = None) -> dict[UUID, Decimal]:
    """What each call cost on that day of UTC so far; with `since`, only of calls that had not ended by then."""
    midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    rows = await db.execute(
        _SUMS,
        {
            "from_": midnight - LONGEST_CALL,
            "midnight": midnight,
            "until": midnight + timedelta(days=1),
            "since": since or midnight,
        },
    )
    return {call_id: usd for call_id, usd in rows if usd is not None}
