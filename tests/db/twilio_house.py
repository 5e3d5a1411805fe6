"""A database, a storage and a Twilio that does as it is told, for recordings whose jobs are run by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.record import CallRecord
from app.conf.models import AgentConf
from app.conf.models.recording import RecordingPolicy as Policy
from app.db.calls import record_call
from app.db.engine import db_session
from app.db.tables import Job as JobRow
from app.db.tables import Recording
from app.errors import ConfMissing
from app.jobs.context import JobContext
from app.jobs.job import Handler, Job, JobKind
from app.jobs.recordings.twilio_recording import expect_twilio_recording, take_notice
from app.jobs.workroom import Workroom
from app.recordings.storage import Storage, open_storage
from app.sandbox.twilio.recordings import wav
from app.timing import Deadlines
from app.twilio.recordings import Course, Notice
from tests.db.test_calls import a_call, ended
from tests.unit.twilio.accounts import OURS, account

SID = "RE" + "7" * 32
ACCOUNT = f"https://api.example.com/2010-04-01/Accounts/{OURS}"
SOUND, META = f"{ACCOUNT}/Recordings/{SID}.wav?RequestedChannels=2", f"{ACCOUNT}/Recordings/{SID}.json"
STEREO, MONO = wav(bytes(64_000), channels=2), wav(bytes(32_000), channels=1)


@dataclass
class Twilio:
    """Gives each request the next answer of its address, and its last one for ever."""

    answers: dict[str, list[httpx.Response]] = field(default_factory=lambda: {SOUND: [sound(STEREO)]})
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, str(request.url)))
        answers = self.answers[str(request.url)]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return httpx.Response(found.status_code, headers=found.headers, stream=httpx.ByteStream(found.content))


@dataclass
class House:
    """A database, a storage, a Twilio and the agents; `run` does a job once."""

    engine: AsyncEngine
    context: JobContext
    storage: Storage
    twilio: Twilio
    agents: dict[str, AgentConf]
    files: Path

    async def told(self, notice: Notice) -> None:
        async with db_session(self.engine) as db:
            await take_notice(db, notice)

    async def saved(self, call: CallRecord, *, expected: bool = True) -> None:
        """As the ingest does it."""
        async with db_session(self.engine) as db:
            await record_call(db, call, [])
            if expected:
                await expect_twilio_recording(db, call, self.agents[call.agent])

    async def recordings(self) -> list[Recording]:
        async with db_session(self.engine) as db:
            return list(await db.scalars(select(Recording)))

    async def the(self) -> Recording:
        [recording] = await self.recordings()
        return recording

    async def jobs(self) -> list[str]:
        """The kinds of the open jobs."""
        async with db_session(self.engine) as db:
            return sorted(await db.scalars(select(JobRow.kind).where(JobRow.state == "waiting")))

    async def run(self, handler: Callable[[JobContext], Handler], attempt: int = 1) -> None:
        recording = await self.the()
        await handler(self.context)(Job("1", JobKind.FETCH_RECORDING, str(recording.id), attempt))

    async def messages(self) -> list[str]:
        async with self.engine.connect() as connection:
            return list(await connection.scalars(text("select kind from webhook_messages")))

    def stored_files(self) -> list[bytes]:
        return [file.read_bytes() for file in self.files.rglob("*.wav")]


@pytest.fixture(name="house")
async def open_house(engine: AsyncEngine, tmp_path: Path) -> House:
    agents = {"default": AgentConf(recording=Policy(source="twilio"))}

    def agent(name: str) -> AgentConf:
        if name not in agents:
            raise ConfMissing(name)
        return agents[name]

    twilio, storage = Twilio(), open_storage(None, tmp_path)
    context = JobContext(
        engine=engine,
        conf=SimpleNamespace(agent=agent, twilio_accounts=lambda: [account()]),  # type: ignore[arg-type] # what is used
        storage=storage,
        workroom=Workroom(tmp_path / "work"),
        http=httpx.AsyncClient(transport=httpx.MockTransport(twilio)),
        twilio_api_base_url="https://api.example.com",
        transcription_url="",
        deadlines=Deadlines(),
    )
    return House(engine, context, storage, twilio, agents, tmp_path / "recordings")


def sound(body: bytes) -> httpx.Response:
    return httpx.Response(200, content=body)


def listed(*recordings: dict[str, Any]) -> list[httpx.Response]:
    return [httpx.Response(200, json={"recordings": list(recordings)})]


def a_recorded_call(**changes: Any) -> CallRecord:
    return replace(ended(a_call()), **({"account_sid": OURS, "recording": "on"} | changes))


def notice(call: CallRecord, course: Course = Course.READY, reason: str | None = None, sid: str = SID) -> Notice:
    return Notice(OURS, call.call_sid, sid, course, reason)
