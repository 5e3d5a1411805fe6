from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import db_session
from app.jobs.job import JobKind
from app.jobs.queue import enqueue


async def test_a_job_is_in_the_queue_once_its_transaction_is(engine: AsyncEngine):
    async with db_session(engine) as db:
        assert await enqueue(db, JobKind.TRANSCRIBE, "a")

    assert await counts(engine) == {"jobs": 1, "pgqueuer": 1}


async def test_a_transaction_that_is_rolled_back_leaves_no_job_in_either_table(engine: AsyncEngine):
    async with db_session(engine) as db:
        await enqueue(db, JobKind.TRANSCRIBE, "a")
        await db.rollback()

    assert await counts(engine) == {"jobs": 0, "pgqueuer": 0}


async def test_a_subject_has_one_open_job_of_a_kind(engine: AsyncEngine):
    async with db_session(engine) as db:
        assert await enqueue(db, JobKind.TRANSCRIBE, "a")
        assert not await enqueue(db, JobKind.TRANSCRIBE, "a")
        assert await enqueue(db, JobKind.DELETE_RECORDING, "a")
        assert await enqueue(db, JobKind.TRANSCRIBE, "b")

    assert await counts(engine) == {"jobs": 3, "pgqueuer": 3}


async def counts(engine: AsyncEngine) -> dict[str, int]:
    async with engine.connect() as connection:
        found = await connection.execute(
            text("select (select count(*) from jobs) as jobs, (select count(*) from pgqueuer) as pgqueuer")
        )
        return dict(found.mappings().one())
