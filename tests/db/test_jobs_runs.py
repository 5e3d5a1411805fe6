"""One run of a job, without a queue: what its row says before and after."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import jobs
from app.db.engine import db_session
from app.db.tables import Job as JobRow
from app.errors import DatabaseError
from app.jobs.job import GiveUp, JobKind, PauseKind, TryAgain
from app.jobs.manage import JobError, resume, retry
from app.jobs.policy import MOST_CRASHES, PAUSE_S
from app.jobs.queue import enqueue
from app.jobs.run import AWAY_S, Runs
from app.jobs.tend import resume_mended, sweep

KIND = JobKind.DELIVER


async def added(engine: AsyncEngine, subject: str = "a") -> UUID:
    async with db_session(engine) as db:
        assert await enqueue(db, KIND, subject)
        job, *_ = [job for job in await jobs.list_jobs(db) if job.subject == subject]
        return job.id


async def row(engine: AsyncEngine, job_id: UUID) -> JobRow:
    async with db_session(engine) as db:
        found = await db.get(JobRow, job_id)
        assert found
        return found


async def put(engine: AsyncEngine, job_id: UUID, **values: object) -> None:
    async with db_session(engine) as db:
        await db.execute(update(JobRow).where(JobRow.id == job_id).values(**values))


def runs(engine: AsyncEngine, outcome: BaseException | None = None) -> Runs:
    async def handle(_job) -> None:
        if outcome:
            raise outcome

    return Runs(engine, {KIND: handle}, chance=lambda: 0.5)


async def test_a_run_that_goes_well_ends_the_job(engine):
    job_id = await added(engine)

    assert await runs(engine)(job_id) is None
    job = await row(engine, job_id)
    assert (job.state, job.attempts, job.reason) == ("done", 1, None)
    assert await entries(engine) == []


async def test_the_attempt_is_counted_before_the_handler_runs(engine):
    job_id = await added(engine)
    seen = []

    async def look(job) -> None:
        seen.append((job.attempt, (await row(engine, job_id)).attempts, (await row(engine, job_id)).state))

    await Runs(engine, {KIND: look})(job_id)
    assert seen == [(1, 1, "running")]


@pytest.mark.parametrize("error", [TryAgain("not now"), ValueError("not now")])
async def test_a_run_that_fails_waits_for_a_later_one(engine, error):
    job_id = await added(engine)

    await runs(engine, error)(job_id)
    job = await row(engine, job_id)
    assert (job.state, job.attempts) == ("waiting", 1)
    assert "not now" in (job.reason or "")
    assert await due_in_s(engine, job_id) == pytest.approx(6, abs=2)

    await runs(engine)(job_id)  # handed out too early
    assert (await row(engine, job_id)).state == "waiting"
    assert await due_in_s(engine, job_id) == pytest.approx(6, abs=2)


async def test_the_other_side_says_when(engine):
    job_id = await added(engine)
    await runs(engine, TryAgain("busy", after_s=100))(job_id)
    assert await due_in_s(engine, job_id) == pytest.approx(106, abs=2)


async def test_a_job_that_is_given_up_keeps_its_reason(engine):
    job_id = await added(engine)

    assert await runs(engine, GiveUp("no such server"))(job_id) is None
    job = await row(engine, job_id)
    assert (job.state, job.reason) == ("failed", "no such server")
    assert await entries(engine) == []


async def test_no_secret_is_kept_with_a_reason(engine):
    job_id = await added(engine)
    await runs(engine, GiveUp(f"refused: Bearer sk-{'a' * 40} {'x' * 10_000}"))(job_id)

    reason = (await row(engine, job_id)).reason or ""
    assert "aaaa" not in reason
    assert len(reason) < 1000


async def test_a_job_that_kills_its_process_ends(engine):
    job_id = await added(engine)
    for _ in range(MOST_CRASHES):
        began, run = stuck(engine)
        killed = asyncio.create_task(run(job_id))
        await began.wait()
        killed.cancel()
        await asyncio.wait({killed})
        assert (await row(engine, job_id)).state == "running"

    assert await runs(engine)(job_id) is None
    job = await row(engine, job_id)
    assert (job.state, job.attempts) == ("failed", MOST_CRASHES)
    assert "poison" in (job.reason or "")


def stuck(engine: AsyncEngine) -> tuple[asyncio.Event, Runs]:
    """A handler that never ends, and when it has begun."""
    began = asyncio.Event()

    async def never(_job) -> None:
        began.set()
        await asyncio.Event().wait()

    return began, Runs(engine, {KIND: never})


async def test_crashes_with_an_orderly_end_between_them_are_no_poison(engine):
    job_id = await added(engine)
    await put(engine, job_id, state="running", crashes=MOST_CRASHES - 2, attempts=20)

    await runs(engine, TryAgain("later"))(job_id)
    assert (await row(engine, job_id)).crashes == 0


async def test_a_stop_sends_a_running_job_back_without_counting_it(engine):
    job_id = await added(engine)
    began, working = stuck(engine)
    run = asyncio.create_task(working(job_id))
    await began.wait()
    working.stop(grace_s=0)

    await run
    job = await row(engine, job_id)
    assert (job.state, job.attempts, job.crashes) == ("waiting", 0, 0)
    assert await due_in_s(engine, job_id) <= 0
    assert await working(job_id) == 0.0  # and it begins nothing more


async def test_a_paused_kind_waits_uncounted_until_a_person_resumes_it(engine):
    first, second = await added(engine, "a"), await added(engine, "b")

    await runs(engine, PauseKind("the key was rejected"))(first)
    await runs(engine)(second)
    assert [(await row(engine, each)).attempts for each in (first, second)] == [0, 0]
    async with db_session(engine) as db:
        assert [(pause.kind, pause.reason) for pause in await jobs.pauses(db)] == [(KIND, "the key was rejected")]
    assert [await due_in_s(engine, each) for each in (first, second)] == [pytest.approx(PAUSE_S, abs=2)] * 2

    async with db_session(engine) as db:
        await resume(db, KIND)
    assert [await due_in_s(engine, each) <= 0 for each in (first, second)] == [True, True]
    async with db_session(engine) as db:
        with pytest.raises(JobError, match="not paused"):
            await resume(db, KIND)
    await runs(engine)(second)
    assert (await row(engine, second)).state == "done"


async def test_a_job_that_succeeds_ends_the_pause(engine):
    first, second = await added(engine, "a"), await added(engine, "b")
    await runs(engine, PauseKind("no quota"))(first)
    async with db_session(engine) as db:
        await db.execute(text("update job_pauses set until = now()"))

    await runs(engine)(second)
    async with db_session(engine) as db:
        assert await jobs.pauses(db) == []
    assert await due_in_s(engine, first) <= 0


async def test_a_change_of_the_configuration_ends_a_pause(engine):
    job_id = await added(engine)
    await runs(engine, PauseKind("the key was rejected"))(job_id)
    await resume_mended(engine)
    await runs(engine)(job_id)
    assert (await row(engine, job_id)).state == "waiting"

    async with db_session(engine) as db:
        await db.execute(
            text(
                "insert into core_conf (section, name, value, version, updated_by)"
                " values ('openai', 'default', '{}', 1, 'test')"
            )
        )
    await resume_mended(engine)
    await runs(engine)(job_id)
    assert (await row(engine, job_id)).state == "done"


async def test_a_run_that_was_taken_over_writes_nothing(engine):
    job_id = await added(engine)

    async def slow(_job) -> None:
        await put(engine, job_id, attempts=2)  # another process thought us dead, and runs it

    await Runs(engine, {KIND: slow})(job_id)
    assert (await row(engine, job_id)).state == "running"


async def test_what_is_handed_out_after_its_end_is_not_run(engine):
    job_id = await added(engine)
    await runs(engine)(job_id)
    assert await runs(engine, AssertionError())(job_id) is None
    assert (await row(engine, job_id)).attempts == 1


async def test_with_the_database_away_the_job_stays_in_the_queue(engine, monkeypatch):
    async def away(*_args) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(jobs, "lock_job", away)
    assert await runs(engine)(UUID(int=1)) == AWAY_S


async def test_a_failed_job_gets_all_its_tries_again(engine):
    job_id = await added(engine)
    await runs(engine, GiveUp("no"))(job_id)
    async with db_session(engine) as db:
        await db.execute(text("truncate pgqueuer"))
        await retry(db, job_id)

    job = await row(engine, job_id)
    assert (job.state, job.attempts) == ("waiting", 0)
    assert await entries(engine) == [str(job_id)]


async def test_only_what_failed_or_waits_is_tried_again(engine):
    job_id = await added(engine)
    await runs(engine, GiveUp("no"))(job_id)
    again = await added(engine)  # somebody asked for the same work since

    async with db_session(engine) as db:
        with pytest.raises(JobError, match="same work"):
            await retry(db, job_id)
    await runs(engine)(again)
    async with db_session(engine) as db:
        with pytest.raises(JobError, match="done"):
            await retry(db, again)
        with pytest.raises(JobError, match="no job"):
            await retry(db, UUID(int=1))


async def test_a_job_that_waits_is_hurried(engine):
    job_id = await added(engine)
    await runs(engine, TryAgain("later", after_s=3600))(job_id)
    async with db_session(engine) as db:
        await retry(db, job_id)
    await runs(engine)(job_id)
    assert (await row(engine, job_id)).state == "done"


@pytest.mark.parametrize("state", ["waiting", "running"])
async def test_an_open_job_that_the_queue_has_lost_is_found_again(engine, state):
    job_id, other = await added(engine, "a"), await added(engine, "b")
    await put(engine, job_id, state=state)
    async with db_session(engine) as db:
        await db.execute(text("delete from pgqueuer where dedupe_key = :id"), {"id": str(job_id)})

    await asyncio.gather(sweep(engine), sweep(engine))
    assert sorted(await entries(engine)) == sorted([str(job_id), str(other)])


async def test_jobs_that_are_over_are_not_found_again(engine):
    job_id = await added(engine)
    await runs(engine)(job_id)
    async with db_session(engine) as db:
        await db.execute(text("truncate pgqueuer"))
    await sweep(engine)
    assert await entries(engine) == []


async def test_what_is_long_over_is_forgotten_but_not_what_failed(engine):
    done, failed = await added(engine, "a"), await added(engine, "b")
    await runs(engine)(done)
    await runs(engine, GiveUp("no"))(failed)
    async with db_session(engine) as db:
        await db.execute(text("update jobs set updated_at = now() - interval '40 days'"))
        await db.execute(text("update pgqueuer_log set created = now() - interval '2 days'"))
    await sweep(engine)

    async with db_session(engine) as db:
        assert [job.id for job in await jobs.list_jobs(db)] == [failed]
        assert (await db.scalars(text("select count(*) from pgqueuer_log"))).one() == 0


async def due_in_s(engine: AsyncEngine, job_id: UUID) -> float:
    """When the queue hands the job out."""
    async with engine.connect() as connection:
        due = text(
            "select extract(epoch from execute_after - now())::float8 from pgqueuer"
            " where dedupe_key = :id and status = 'queued'"
        )
        return float((await connection.scalars(due, {"id": str(job_id)})).one())


async def entries(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return [str(key) for key in await connection.scalars(text("select dedupe_key from pgqueuer"))]
