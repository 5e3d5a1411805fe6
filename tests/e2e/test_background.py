"""What goes on beside the calls, and must never take one with it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.status import EndReason
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain

HELLO = Reply.of(Say.words("Hello.", 1000))


@pytest.fixture
async def old_claims_cannot_be_deleted(engine: AsyncEngine) -> AsyncIterator[None]:
    async with engine.begin() as db:
        await db.execute(
            text("create function refuse() returns trigger language plpgsql as $$ begin raise 'not now'; end $$")
        )
        await db.execute(
            text("create trigger refuse before delete on stream_claims for each statement execute function refuse()")
        )
    yield
    async with engine.begin() as db:
        await db.execute(text("drop function refuse cascade"))


@pytest.mark.usefixtures("old_claims_cannot_be_deleted")
async def test_work_in_the_background_that_breaks_takes_no_call_with_it(rig):
    house = await rig(ScriptedBrain([HELLO]), agent={})
    call = await house.ring()
    await call.wait_heard(500)
    await call.hang_up()
    record, _ = await house.settled(call)
    assert record.end_reason is EndReason.CALLER_HANGUP
