"""What happens in live calls, as the database gets it while they go on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import CallEvent, Kind, NumberedEvent
from app.call.status import CallStatus
from app.db.calls import find_call, find_events, record_call
from app.db.engine import db_session
from app.db.listen import notifications
from app.db.live_calls import CHANNEL, add_events, record_live
from app.db.tables import CallEvent as EventRow
from app.db.tables import WebhookMessage
from app.errors import DatabaseError
from app.jobs.calls.live_copy import LiveBatch, LiveCopy, save_live
from tests.db.test_calls import a_call, ended

FAST_S = 0.005


def spoken(seq: int, text: str = "Hello") -> CallEvent:
    return CallEvent(Kind.CALLER_TRANSCRIPT, seq * 10, {"text": text, "final": True}, seq=seq)


@contextlib.asynccontextmanager
async def running(copy: LiveCopy) -> AsyncIterator[None]:
    task = asyncio.create_task(copy.run())
    yield
    task.cancel()
    await asyncio.wait([task])


async def copied(engine: AsyncEngine, call_id: str, count: int) -> list[NumberedEvent]:
    async with asyncio.timeout(5):
        while True:
            async with db_session(engine) as db:
                if len(events := await find_events(db, call_id)) >= count:
                    return events
            await asyncio.sleep(FAST_S)


async def test_a_call_and_its_events_are_there_while_it_goes_on(engine: AsyncEngine):
    copy, call = LiveCopy(partial(save_live, engine), period_s=FAST_S), a_call()
    connecting = replace(call, status=CallStatus.CONNECTING)
    async with running(copy):
        copy(connecting, CallEvent(Kind.CALL_STARTED, 0, seq=1))
        await copied(engine, call.id, 1)
        async with db_session(engine) as db:
            assert await find_call(db, call.call_sid) == connecting
        copy(call, CallEvent(Kind.SESSION_READY, 5, seq=2))
        copy(call, CallEvent(Kind.CALLER_TRANSCRIPT, 6, {"text": "Hel"}, fleeting=True))
        copy(call, spoken(3))
        events = await copied(engine, call.id, 3)

    assert [(event.seq, event.kind, event.at_ms) for event in events] == [
        (1, "call.started", 0), (2, "session.ready", 5), (3, "caller.transcript", 30),
    ]  # fmt: skip
    async with db_session(engine) as db:
        assert await find_call(db, call.call_sid) == call


async def test_the_end_is_left_to_the_folder_which_tells_all_of_it(engine: AsyncEngine):
    copy, call = LiveCopy(partial(save_live, engine), period_s=FAST_S), a_call()
    over = replace(call, status=CallStatus.ENDED)
    async with running(copy):
        copy(over, CallEvent(Kind.CALL_ENDED, 9, {"reason": "caller_hangup"}, seq=1))
        await copied(engine, call.id, 1)

    async with db_session(engine) as db:
        row = await find_call(db, call.call_sid)
    assert row
    assert (row.status, row.end_reason, row.ended_at) == (CallStatus.CONNECTING, None, None)


async def test_late_copies_change_nothing_in_a_call_that_has_ended(engine: AsyncEngine):
    call = a_call()
    async with db_session(engine) as db:
        await record_call(db, ended(call), [NumberedEvent(1, Kind.CALL_STARTED, 0)])
    async with db_session(engine) as db:
        assert not await record_live(db, call)
        await add_events(db, [(call.id, NumberedEvent(1, Kind.CALL_STARTED, 77)), (call.id, NumberedEvent(2, "x", 1))])

    async with db_session(engine) as db:
        assert await find_call(db, call.call_sid) == ended(call)
        assert [(event.seq, event.at_ms) for event in await find_events(db, call.id)] == [(1, 0), (2, 1)]


async def test_a_call_is_new_once(engine: AsyncEngine):
    call = a_call()
    async with db_session(engine) as db:
        assert await record_live(db, call)
        assert not await record_live(db, replace(call, recording="on"))
    async with db_session(engine) as db:
        found = await find_call(db, call.call_sid)
        assert found
        assert found.recording == "on"


async def test_events_of_a_deleted_call_do_not_bring_it_back(engine: AsyncEngine):
    call = a_call()
    async with db_session(engine) as db:
        await add_events(db, [(call.id, NumberedEvent(1, "x", 0))])
        assert await db.scalar(select(func.count()).select_from(EventRow)) == 0


async def test_a_character_that_postgresql_cannot_keep_is_replaced(engine: AsyncEngine):
    call = a_call()
    async with db_session(engine) as db:
        await record_live(db, call)
        await add_events(db, [(call.id, NumberedEvent(1, "x", 0, {"text": "a\0b"}))])
    async with db_session(engine) as db:
        [event] = await find_events(db, call.id)
    assert event.data == {"text": "a\ufffdb"}


async def test_every_process_hears_whose_events_were_written(engine: AsyncEngine):
    call = a_call()
    async with contextlib.aclosing(notifications(engine, CHANNEL)) as news:
        assert await anext(news) == frozenset()
        async with db_session(engine) as db:
            await record_live(db, call)
            await add_events(db, [(call.id, NumberedEvent(1, "x", 0)), (call.id, NumberedEvent(2, "x", 0))])
        async with asyncio.timeout(5):
            assert await anext(news) == {call.id}


async def test_while_the_database_is_away_copies_wait_and_beyond_the_bound_they_are_dropped(engine: AsyncEngine):
    away, call = asyncio.Event(), a_call()
    tried = asyncio.Event()
    away.set()

    async def save(batch):
        tried.set()
        if away.is_set():
            raise DatabaseError("away")
        await save_live(engine, batch)

    copy = LiveCopy(save, period_s=FAST_S, most_waiting=3)
    async with running(copy):
        for seq in range(1, 6):
            copy(call, spoken(seq))
        await tried.wait()
        away.clear()
        assert [event.seq for event in await copied(engine, call.id, 3)] == [1, 2, 3]
        copy(call, spoken(6))
        assert [event.seq for event in await copied(engine, call.id, 4)] == [1, 2, 3, 6]


async def test_an_event_that_the_database_refuses_holds_up_no_other_call(engine: AsyncEngine):
    broken, call = replace(a_call(), id="no uuid"), a_call()
    copy = LiveCopy(partial(save_live, engine), period_s=FAST_S)
    async with running(copy):
        copy(broken, spoken(1))
        copy(call, spoken(1))
        await copied(engine, call.id, 1)
        copy(call, spoken(2))
        assert [event.seq for event in await copied(engine, call.id, 2)] == [1, 2]


@pytest.mark.parametrize("events", [2500])
async def test_a_burst_is_brought_over_whole_and_in_order(engine: AsyncEngine, events: int):
    copy, call = LiveCopy(partial(save_live, engine), period_s=FAST_S), a_call()
    async with running(copy):
        for seq in range(1, events + 1):
            copy(call, spoken(seq))
        assert [event.seq for event in await copied(engine, call.id, events)] == list(range(1, events + 1))


async def test_the_world_hears_once_that_a_call_started(engine: AsyncEngine):
    call = a_call()
    for live in (call, replace(call, recording="on")):
        await save_live(engine, LiveBatch([live], [(call.id, NumberedEvent(1, Kind.CALL_STARTED, 0))]))

    async with db_session(engine) as db:
        [told] = (await db.scalars(select(WebhookMessage))).all()
    assert (told.kind, told.data["call_id"], told.data["agent"]) == ("call.started", call.id, "default")
