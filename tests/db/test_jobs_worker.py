"""Workers on a real queue."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import jobs
from app.db.engine import create_engine, db_session
from app.jobs.job import Handler, JobKind, PauseKind, TryAgain
from app.jobs.manage import resume
from app.jobs.open import working
from app.jobs.queue import enqueue

HEARTBEAT_S = 5.0
"""Long enough for a busy machine: a test of what happens after it has its own."""


@asynccontextmanager
async def worker(engine: AsyncEngine, handler: Handler, *, grace_s: float = 0.0) -> AsyncIterator[None]:
    """A worker that does every kind in the same way."""
    handlers = dict.fromkeys(JobKind, handler)
    async with working(engine, handlers, heartbeat_s=HEARTBEAT_S, grace_s=grace_s):
        yield


async def add(engine: AsyncEngine, *subjects: str, kind: JobKind = JobKind.DELIVER) -> None:
    async with db_session(engine) as db:
        for subject in subjects:
            assert await enqueue(db, kind, subject)


async def until(engine: AsyncEngine, states: dict[str, int]) -> None:
    """Return when so many jobs are in each state, and no others."""
    async with asyncio.timeout(20):
        while True:
            async with db_session(engine) as db:
                found = Counter(job.state for job in await jobs.list_jobs(db))
            if found == states:
                return
            await asyncio.sleep(0.01)


async def nothing(_job) -> None:
    pass


async def test_a_worker_does_what_waited_and_what_comes(engine):
    await add(engine, "waited")
    async with worker(engine, nothing):
        await until(engine, {"done": 1})
        await add(engine, "came")
        await until(engine, {"done": 2})


async def test_nothing_is_left_in_the_queue_of_jobs_that_are_done(engine):
    async with worker(engine, nothing):
        await add(engine, "a", "b", "c")
        await until(engine, {"done": 3})
    async with engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from pgqueuer")) == 0


async def test_a_job_that_fails_waits_in_the_queue_for_its_time(engine):
    failed = asyncio.Event()

    async def fail(_job) -> None:
        failed.set()
        raise TryAgain("not now", after_s=60)

    async with worker(engine, fail):
        await add(engine, "a")
        async with asyncio.timeout(10):
            await failed.wait()
    async with engine.connect() as connection:
        left = await connection.execute(text("select status, execute_after > now() from pgqueuer"))
        assert [tuple(row) for row in left] == [("queued", True)]


async def test_two_workers_share_the_jobs_and_each_runs_once(engine, database_url):
    other = create_engine(database_url)
    ran: Counter[str] = Counter()

    def by(name: str) -> Handler:
        async def handle(job) -> None:
            ran[job.subject] += 1
            ran[name] += 1
            await asyncio.sleep(0.005)

        return handle

    subjects = [f"subject {number}" for number in range(40)]
    async with worker(engine, by("first")), worker(other, by("second")):
        await add(engine, *subjects)
        await until(engine, {"done": 40})
    await other.dispose()

    assert [ran[subject] for subject in subjects] == [1] * 40
    assert ran["first"]
    assert ran["second"]


@pytest.mark.parametrize(("kind", "most"), [(JobKind.TRANSCRIBE, 2), (JobKind.DELIVER, 4)])
async def test_few_jobs_run_at_once(engine, kind, most):
    running, full = set(), asyncio.Event()
    go_on = asyncio.Event()
    highest = 0

    async def handle(job) -> None:
        nonlocal highest
        running.add(job.id)
        highest = max(highest, len(running))
        if len(running) == most:
            full.set()
        await go_on.wait()
        running.discard(job.id)

    async with worker(engine, handle, grace_s=5):
        await add(engine, *map(str, range(8)), kind=kind)
        async with asyncio.timeout(10):
            await full.wait()
        await add(engine, "fetched meanwhile", kind=JobKind.DELETE_RECORDING)  # another lane has its own places
        async with asyncio.timeout(10):
            while len(running) == most:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert highest == most + 1
        go_on.set()
        await until(engine, {"done": 9})


async def test_a_stop_waits_for_what_is_nearly_done_and_sends_the_rest_back(engine):
    began, go_on = asyncio.Event(), asyncio.Event()

    async def handle(job) -> None:
        began.set()
        if job.kind == JobKind.TRANSCRIBE:
            await asyncio.Event().wait()
        await go_on.wait()

    async with worker(engine, handle, grace_s=0.5):
        await add(engine, "slow", kind=JobKind.TRANSCRIBE)
        await add(engine, "quick")
        await until(engine, {"running": 2})
        asyncio.get_running_loop().call_later(0.05, go_on.set)
    await until(engine, {"done": 1, "waiting": 1})

    async with worker(engine, nothing):  # and the next worker need not wait for a heartbeat
        await until(engine, {"done": 2})


async def test_a_worker_outlives_its_database(engine, database_url, postgres_url):
    ours = create_engine(database_url)
    server = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    name = make_url(database_url).database
    async with worker(ours, nothing):
        await add(engine, "before")
        await until(engine, {"done": 1})
        await engine.dispose()

        await server.execute(f"alter database {name} allow_connections false")
        await server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
        await asyncio.sleep(0.6)  # long enough for a first try to begin again to fail
        await server.execute(f"alter database {name} allow_connections true")

        await add(engine, "after")
        await until(engine, {"done": 2})
    await server.close()
    await ours.dispose()


async def test_a_kind_without_a_handler_waits(engine):
    async with working(engine, {JobKind.DELIVER: nothing}, heartbeat_s=HEARTBEAT_S, grace_s=0):
        await add(engine, "a", kind=JobKind.TRANSCRIBE)
        await add(engine, "b")
        await until(engine, {"done": 1, "waiting": 1})


async def test_a_worker_without_any_handler_does_nothing(engine):
    async with working(engine, {}, heartbeat_s=HEARTBEAT_S, grace_s=0):
        await add(engine, "a")


async def test_a_paused_kind_goes_on_at_once_when_it_is_resumed(engine):
    mended = False

    async def handle(_job) -> None:
        if not mended:
            raise PauseKind("the key was rejected")

    async with worker(engine, handle):
        await add(engine, "a", "b", "c")
        async with asyncio.timeout(10):
            while await parked(engine) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        mended = True
        async with db_session(engine) as db:
            await resume(db, JobKind.DELIVER)
        await until(engine, {"done": 3})
    assert await parked(engine) == 0


async def parked(engine: AsyncEngine) -> int:
    """How many jobs the queue holds back."""
    async with engine.connect() as connection:
        held = text("select count(*) from pgqueuer where status = 'queued' and execute_after > now()")
        return int((await connection.scalars(held)).one())
