from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import NumberedEvent
from app.call.record import CallRecord
from app.call.status import CallStatus, EndReason
from app.db.calls import claim_token, find_call, find_events, purge_claims, record_call
from app.db.engine import db_session
from app.db.ids import uuid7

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVENTS = [NumberedEvent(1, "started", 0), NumberedEvent(2, "turn", 850, {"text": "Hello"})]


def a_call() -> CallRecord:
    return CallRecord(
        id=str(uuid7()),
        call_sid=f"CA{uuid7().hex}",
        account_sid="AC" + "0" * 32,
        from_number="+15550000001",
        to_number="+15550000002",
        direction="inbound",
        agent="default",
        agent_version=3,
        status=CallStatus.LIVE,
        started_at=NOON,
        session={"voice": "marin"},
    )


def ended(call: CallRecord) -> CallRecord:
    return replace(call, status=CallStatus.ENDED, end_reason=EndReason.CALLER_HANGUP, ended_at=NOON)


async def test_a_call_recorded_twice_is_there_once(engine: AsyncEngine):
    call = a_call()
    for _ in range(2):
        async with db_session(engine) as db:
            await record_call(db, call, EVENTS)

    async with db_session(engine) as db:
        assert await find_call(db, call.call_sid) == call
        assert await find_events(db, call.id) == EVENTS


async def test_a_call_that_has_ended_stays_as_it_ended(engine: AsyncEngine):
    call = a_call()
    async with db_session(engine) as db:
        await record_call(db, ended(call), [])
        await record_call(db, call, EVENTS)  # late news

    async with db_session(engine) as db:
        assert await find_call(db, call.call_sid) == ended(call)
        assert await find_events(db, call.id) == EVENTS


async def test_an_unknown_call_is_none(engine: AsyncEngine):
    async with db_session(engine) as db:
        assert await find_call(db, "CA0") is None


async def test_a_failed_block_leaves_nothing(engine: AsyncEngine):
    call = a_call()
    try:
        async with db_session(engine) as db:
            await record_call(db, call, EVENTS)
            raise KeyError
    except KeyError:
        pass

    async with db_session(engine) as db:
        assert await find_call(db, call.call_sid) is None


async def test_a_token_is_claimed_once(engine: AsyncEngine):
    async with db_session(engine) as db:
        assert await claim_token(db, "token-1")
    async with db_session(engine) as db:
        assert not await claim_token(db, "token-1")
        assert await claim_token(db, "token-2")


async def test_old_claims_are_forgotten_and_young_ones_kept(engine: AsyncEngine):
    async with db_session(engine) as db:
        await claim_token(db, "token-1")
    async with db_session(engine) as db:
        await purge_claims(db, timedelta(hours=1))
        assert not await claim_token(db, "token-1")
        await purge_claims(db, timedelta(0))
        assert await claim_token(db, "token-1")
