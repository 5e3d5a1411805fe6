"""What the calls of all processes cost in a day, as it is read from their events."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import Kind, NumberedEvent
from app.call.money.day_spend import DaySpend
from app.db.calls import record_call
from app.db.engine import create_engine, db_session
from app.db.spend import spent_on
from app.jobs.calls.spend import SpendReader
from tests.db.test_calls import a_call

MIDNIGHT = datetime(2026, 7, 1, tzinfo=UTC)
TODAY = MIDNIGHT.date()
NOON = MIDNIGHT + timedelta(hours=12)


async def a_call_of(
    engine: AsyncEngine, *answers: tuple[int, str | None], at: datetime, lasted: timedelta | None = None
) -> str:
    """A call with answers, each so many milliseconds after its start at so many dollars."""
    call = replace(a_call(), started_at=at, ended_at=at + lasted if lasted else None)
    events = [
        NumberedEvent(seq, Kind.RESPONSE_DONE, at_ms, {"usage": {}} | ({"cost_usd": usd} if usd else {}))
        for seq, (at_ms, usd) in enumerate(answers, start=1)
    ]
    async with db_session(engine) as db:
        await record_call(db, call, events)
    return call.id


async def test_every_answer_counts_on_the_day_on_which_it_was_given(engine: AsyncEngine):
    night = await a_call_of(
        engine, (0, "1"), (3_599_999, "2"), (3_600_000, "0.25"), (3_700_000, "0.50"), at=MIDNIGHT - timedelta(hours=1)
    )
    day = await a_call_of(engine, (1000, "0.0000000001"), (2000, None), at=NOON)
    async with db_session(engine) as db:
        today = await spent_on(db, TODAY)
        yesterday = await spent_on(db, TODAY - timedelta(days=1))

    assert today == {UUID(night): Decimal("0.75"), UUID(day): Decimal("0.0000000001")}
    assert yesterday == {UUID(night): Decimal(3)}


async def test_after_the_first_reading_only_calls_that_may_have_changed_are_read(engine: AsyncEngine):
    over = await a_call_of(engine, (0, "1"), at=NOON, lasted=timedelta(minutes=1))
    going_on = await a_call_of(engine, (0, "2"), at=NOON)
    just_over = await a_call_of(engine, (0, "4"), at=NOON, lasted=timedelta(minutes=9, seconds=30))
    async with db_session(engine) as db:
        assert set(await spent_on(db, TODAY, since=NOON + timedelta(minutes=9))) == {UUID(going_on), UUID(just_over)}
        assert set(await spent_on(db, TODAY)) == {UUID(over), UUID(going_on), UUID(just_over)}


async def test_a_process_that_starts_knows_what_was_spent_before_and_one_that_goes_on_what_others_spend(
    engine: AsyncEngine,
):
    spend = DaySpend()
    reader = SpendReader(engine, spend)
    await a_call_of(engine, (0, "1"), at=NOON, lasted=timedelta(minutes=1))
    await reader.look(NOON + timedelta(minutes=5))
    assert spend.on(TODAY) == 1

    await a_call_of(engine, (0, "2"), at=NOON)
    await reader.look(NOON + timedelta(minutes=6))
    assert spend.on(TODAY) == 3
    await a_call_of(engine, (0, "4"), at=NOON, lasted=timedelta(minutes=1))  # it reached the database late
    await reader.look(NOON + timedelta(minutes=7))
    assert spend.on(TODAY) == 3
    await reader.look(NOON + timedelta(minutes=15))
    assert spend.on(TODAY) == 7
    await reader.look(NOON + timedelta(hours=12))
    assert spend.on(TODAY + timedelta(days=1)) == 0


async def test_while_the_database_is_away_what_our_own_calls_cost_counts_and_the_reading_goes_on(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("app.jobs.calls.spend.EVERY_S", 0.01)
    nowhere, spend = create_engine("postgresql+asyncpg://x:x@127.0.0.1:1/x"), DaySpend()
    reading = asyncio.create_task(SpendReader(nowhere, spend).run())
    spend.hear("a call", Decimal(2), NOON)
    await asyncio.sleep(0.1)
    assert (spend.on(TODAY), spend.read_at, reading.done()) == (2, None, False)
    reading.cancel()
