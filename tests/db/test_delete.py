"""Recordings are deleted for real, with their words, and by nobody else than those who may."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import Kind, NumberedEvent
from app.conf.models import AgentConf, Known
from app.conf.secrets import load_key_ring
from app.conf.store import ConfStore
from app.db.calls import find_events, record_call
from app.db.engine import db_session
from app.db.recordings import add_recording, change_recording, expire, find_recording, find_transcript, save_transcript
from app.db.tables import Job as JobRow
from app.db.tables import Recording
from app.errors import NotStored, StorageError
from app.jobs.calls.delete import RETENTION, delete_handler, request_deletion, sweep
from app.jobs.calls.ingest import save_rows
from app.jobs.context import JobContext
from app.jobs.job import Job, JobKind, TryAgain
from app.jobs.workroom import Workroom
from app.recordings.states import RecordingState
from app.recordings.storage import open_storage
from app.timing import Deadlines
from tests.db.test_calls import a_call, ended

KEY = "2026/11/sound.wav"
EVENTS = [
    NumberedEvent(1, Kind.CALLER_TRANSCRIPT, 5, {"text": "my secret"}),
    NumberedEvent(2, Kind.MESSAGE_TAKEN, 6, {"message": "my secret"}),
    NumberedEvent(3, Kind.TOOL_CALLED, 7, {"call_id": "1", "name": "x", "arguments": "my secret"}),
    NumberedEvent(4, Kind.CALL_ENDED, 9),
]


@pytest.fixture
def context(engine: AsyncEngine, tmp_path: Path) -> JobContext:
    return JobContext(
        engine=engine,
        conf=ConfStore(engine, load_key_ring(None, tmp_path), Known(), tmp_path),
        storage=open_storage(None, tmp_path),
        workroom=Workroom(tmp_path / "work"),
        http=httpx.AsyncClient(),
        twilio_api_base_url="http://127.0.0.1:9",
        transcription_url="http://127.0.0.1:9",
        deadlines=Deadlines(),
    )


@pytest.fixture
async def recording(context: JobContext, tmp_path: Path) -> Recording:
    """A stored recording of a call that is over, with a transcript."""
    call = ended(a_call())
    sound = tmp_path / "sound.wav"
    sound.write_bytes(b"sound")
    await context.storage.put(KEY, sound)
    async with db_session(context.engine) as db:
        await record_call(db, call, EVENTS)
        about = {"call_sid": call.call_sid, "account_sid": call.account_sid, "agent": call.agent, "source": "own"}
        added = await add_recording(db, id=UUID(call.id), call_id=UUID(call.id), state="stored", key=KEY, **about)
        await save_transcript(db, UUID(call.id), call_id=UUID(call.id), state="done", text="my secret")
    assert added
    return added


async def run(context: JobContext, recording: Recording) -> None:
    await delete_handler(context)(Job("1", JobKind.DELETE_RECORDING, str(recording.id), attempt=1))


async def request(context: JobContext, recording: Recording, reason: str) -> bool:
    async with db_session(context.engine) as db:
        return await request_deletion(db, recording.id, reason)


async def test_what_a_person_deletes_is_gone_at_once_and_its_file_soon(context: JobContext, recording: Recording):
    assert await request(context, recording, "by a person")
    async with db_session(context.engine) as db:
        shown = await find_recording(db, recording.id)
        assert shown
        assert (shown.state, shown.reason, shown.deleted_at) == (RecordingState.DELETED, "by a person", None)
        assert await find_transcript(db, recording.id) is None
        assert [(job.kind, job.subject) for job in await db.scalars(select(JobRow))] == [
            (JobKind.DELETE_RECORDING, str(recording.id))
        ]

    for _ in range(2):  # a job may run twice
        await run(context, recording)

    with pytest.raises(NotStored):
        await context.storage.size(KEY)
    async with db_session(context.engine) as db:
        gone = await find_recording(db, recording.id)
        assert gone
        assert gone.deleted_at
        assert gone.key is None
        assert len(await find_events(db, str(recording.call_id))) == len(EVENTS)


async def test_it_can_be_requested_once(context: JobContext, recording: Recording):
    assert await request(context, recording, "by a person")
    assert not await request(context, recording, RETENTION)


async def test_a_recording_nobody_asked_to_delete_stays(context: JobContext, recording: Recording):
    await run(context, recording)

    assert await context.storage.size(KEY) == 5


async def test_the_end_of_a_retention_takes_the_words_of_the_call_as_well(context: JobContext, recording: Recording):
    now = datetime.now(UTC)
    async with db_session(context.engine) as db:
        await change_recording(db, recording.id, delete_after=now + timedelta(seconds=1))
        assert await expire(db, now) == []
        assert await expire(db, now + timedelta(seconds=2)) == [recording.id]

    await request(context, recording, RETENTION)

    async with db_session(context.engine) as db:
        assert [event.kind for event in await find_events(db, str(recording.call_id))] == [Kind.CALL_ENDED]
        assert await expire(db, now + timedelta(seconds=2)) == []


async def test_the_words_of_a_call_without_a_recording_are_forgotten_in_time_and_others_stay(engine: AsyncEngine):
    now = datetime.now(UTC)
    due, later, kept = (ended(a_call()) for _ in range(3))
    days = {due.id: 1, later.id: 2, kept.id: None}

    def policy(days: int | None) -> SimpleNamespace:
        agent = AgentConf.model_validate({"recording": {"source": "none", "retention_days": days}})
        return SimpleNamespace(agent=lambda _: agent)

    for call in due, later, kept:
        begun = replace(call, started_at=now - timedelta(days=1, seconds=1))
        for _ in range(2):
            await save_rows(engine, policy(days[call.id]), 0, begun, EVENTS)  # type: ignore[arg-type] # what is used
    assert await sweep(engine, now)
    assert not await sweep(engine, now)

    async with db_session(engine) as db:
        left = [[event.kind for event in await find_events(db, call.id)] for call in (due, later, kept)]
    whole = [event.kind for event in EVENTS]
    assert left == [[Kind.CALL_ENDED], whole, whole]


async def test_a_storage_that_is_away_is_tried_again(context: JobContext, recording: Recording):
    class Away:
        async def delete(self, key: str) -> None:
            raise StorageError(f"{key}: away")

    await request(context, recording, "by a person")

    with pytest.raises(TryAgain, match="away"):
        await run(replace(context, storage=Away()), recording)  # type: ignore[arg-type]

    async with db_session(context.engine) as db:
        left = await find_recording(db, recording.id)
        assert left
        assert left.key == KEY
        assert left.deleted_at is None
