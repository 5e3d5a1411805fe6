"""What an operator hears of without asking."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import CallEvent, Kind
from app.call.record import CallRecord
from app.conf.secrets import KeyRing
from app.conf.store import ConfStore
from app.db import jobs
from app.db.engine import create_engine, db_session
from app.db.tables import Job as JobRow
from app.db.tables import WebhookMessage
from app.errors import DatabaseError
from app.jobs.calls.watch import Watch
from app.jobs.job import JobKind
from app.jobs.queue import enqueue
from app.known import known

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
RECORD = CallRecord(
    id="1",
    call_sid="CA1",
    account_sid="AC1",
    from_number="+15550100123",
    to_number="+15550100100",
    direction="inbound",
    agent="sales",
    agent_version=1,
    started_at=NOW,
)


@pytest.fixture
def store(engine: AsyncEngine, tmp_path: Path) -> ConfStore:
    return ConfStore(engine, KeyRing(["k" * 32]), known(), tmp_path)


@pytest.fixture
def watch(engine: AsyncEngine, store: ConfStore) -> Watch:
    return Watch(engine, store, known())


async def told(engine: AsyncEngine) -> list[tuple[str, dict[str, Any]]]:
    async with db_session(engine) as db:
        found = await db.scalars(select(WebhookMessage).order_by(WebhookMessage.created_at, WebhookMessage.subject))
        return [(message.kind, message.data) for message in found]


async def job(engine: AsyncEngine, kind: JobKind = JobKind.TRANSCRIBE, **values: Any) -> None:
    async with db_session(engine) as db:
        assert await enqueue(db, kind, "1")
        await db.execute(update(JobRow).where(JobRow.kind == kind).values(values or {"state": "waiting"}))


async def test_where_all_is_well_nobody_hears_of_it(engine: AsyncEngine, store: ConfStore, watch: Watch) -> None:
    await store.put("agent", "sales", {}, by="me")
    await job(engine)

    await watch.look(datetime.now(UTC))

    assert await told(engine) == []


async def test_jobs_that_wait_too_long_are_told_once_an_hour(engine: AsyncEngine, watch: Watch) -> None:
    await job(engine, run_after=datetime.now(UTC) - timedelta(minutes=16))
    async with db_session(engine) as db:
        await jobs.pause(db, JobKind.TRANSCRIBE, "the key is refused", 600)

    for now in (NOW, NOW + timedelta(minutes=20), NOW + timedelta(minutes=40)):
        await watch.look(now)

    kinds = [kind for kind, _ in await told(engine)]
    assert kinds == ["system.jobs_stuck"] * 2
    data = (await told(engine))[0][1]
    assert (data["jobs"], data["kinds"]) == (1, ["transcribe"])
    assert data["paused"] == {"transcribe": "the key is refused"}


async def test_jobs_that_were_given_up_are_told_once_a_day_for_each_kind(engine: AsyncEngine, watch: Watch) -> None:
    await job(engine, state="failed", reason="no such file", updated_at=NOW)
    await job(engine, JobKind.FETCH_RECORDING, state="failed", reason="404", updated_at=NOW)
    await job(engine, JobKind.DELETE_RECORDING, state="failed", reason="old", updated_at=NOW - timedelta(days=2))

    await watch.look(NOW)
    await watch.look(NOW + timedelta(hours=13))  # after midnight: still the same failures

    found = {data["kind"]: data["last_reason"] for _, data in await told(engine)}
    assert found == {"transcribe": "no such file", "fetch_recording": "404"}
    assert len(await told(engine)) == 2


async def test_a_model_that_ends_is_told_once_a_week_for_each_agent(
    engine: AsyncEngine, store: ConfStore, watch: Watch
) -> None:
    await store.put("agent", "sales", {"model": "gpt-realtime", "turn_detection": {"create_response": False}}, by="me")
    await store.put("agent", "notes", {"recording": {"transcription": {"model": "whisper-1"}}}, by="me")
    near = datetime(2026, 12, 7, tzinfo=UTC)

    for day in (0, 1, 6, 7):
        await watch.look(near + timedelta(days=day))

    found = [(data["agent"], data["field"], data["last_day"]) for _, data in await told(engine)]
    assert sorted(found) == [
        ("notes", "recording.transcription.model", "2027-02-26"),
        ("notes", "recording.transcription.model", "2027-02-26"),
        ("sales", "model", "2027-01-20"),
        ("sales", "model", "2027-01-20"),
    ]


@pytest.mark.parametrize(
    ("code", "kind"), [("invalid_api_key", "system.key_rejected"), ("insufficient_quota", "system.quota")]
)
async def test_a_key_that_a_call_found_refused_is_told_once_a_day(
    engine: AsyncEngine, store: ConfStore, watch: Watch, code: str, kind: str
) -> None:
    await store.put("agent", "sales", {"account": "acme"}, by="me")
    problem = CallEvent(Kind.SESSION_ERROR, 0, {"code": code, "message": "refused: sk-abcdefghijkl"})

    for now in (NOW, NOW + timedelta(hours=1), NOW + timedelta(days=1)):
        watch.listen(RECORD, problem)
        watch.listen(RECORD, problem)
        await watch.look(now)
        await watch.look(now)

    account = {"provider": "openai", "account": "acme"}
    assert await told(engine) == [(kind, account | {"reason": "refused: sk-***"})] * 2


async def test_what_else_goes_wrong_in_a_call_is_no_trouble_of_the_key(engine: AsyncEngine, watch: Watch) -> None:
    watch.listen(RECORD, CallEvent(Kind.SESSION_ERROR, 0, {"code": "rate_limit_exceeded"}))
    watch.listen(RECORD, CallEvent(Kind.CALL_ENDED, 0, {"code": "invalid_api_key"}))
    watch.listen(RECORD, CallEvent(Kind.RESPONSE_DONE, 0, {"reason": None}))
    await watch.look(NOW)

    assert await told(engine) == []


async def test_what_calls_told_waits_while_the_database_is_away(
    engine: AsyncEngine, store: ConfStore, watch: Watch
) -> None:
    nowhere = create_engine("postgresql+asyncpg://parley:x@127.0.0.1:1/parley")
    away = Watch(nowhere, store, known())
    away.listen(RECORD, CallEvent(Kind.SESSION_ERROR, 0, {"code": "invalid_api_key"}))
    with pytest.raises(DatabaseError):
        await away.look(NOW)
    await nowhere.dispose()

    away._engine = engine
    await away.look(NOW)

    assert [kind for kind, _ in await told(engine)] == ["system.key_rejected"]
