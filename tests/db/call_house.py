"""Folders of calls, a storage and a database, for tests of what brings one to the others."""

import asyncio
import hashlib
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.journal import folder as folders
from app.call.journal.folder import AGENT_TRACK, CALL, CALLER_TRACK, EVENTS, RECORDING, TRANSCRIPT, write_record
from app.call.journal.transcript import Transcript
from app.call.record import CallRecord
from app.call.status import CallStatus, EndReason
from app.conf.models import AgentConf
from app.db import tables
from app.db.engine import db_session
from app.db.ids import uuid7
from app.errors import ConfMissing
from app.jobs.calls.ingest import INGESTED, Ingest, save_rows
from app.jobs.calls.released import RELEASED
from app.jobs.recordings.own_recording import OwnRecordings
from app.recordings.storage import Storage, open_storage

STARTED = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SOUND = b"\xff\x7f" * 8000


class Conf:
    """What ingest asks of the configuration."""

    def __init__(self, agent: AgentConf | None = None) -> None:
        self._agent = agent or AgentConf()

    def agent(self, name: str) -> AgentConf:
        if name != "default":
            raise ConfMissing(name)
        return self._agent


class House:
    """A folder of calls, a storage, and the database."""

    def __init__(self, engine: AsyncEngine, home: Path) -> None:
        self.engine = engine
        self.root = home / "calls"
        self.root.mkdir()
        self.stored = home / "recordings"
        self.storage: Storage = open_storage(self.stored.as_uri(), home)
        self.conf = Conf()

    def call(self, sound: bytes = SOUND, agent_sound: bytes | None = None, *, over: bool = True, **values) -> Path:
        """The folder of a call; both sides sound alike unless the agent's is given."""
        call_id = str(uuid7())
        record = CallRecord(
            id=call_id,
            call_sid=f"CA{call_id}",
            account_sid="AC1",
            from_number="+15550100123",
            to_number="+15550100100",
            direction="inbound",
            agent="default",
            agent_version=1,
            started_at=STARTED,
            recording="on",
        )
        folder = self.root / call_id
        folder.mkdir()
        (folder / CALLER_TRACK).write_bytes(sound)
        (folder / AGENT_TRACK).write_bytes(sound if agent_sound is None else agent_sound)
        (folder / EVENTS).write_bytes(b'{"seq":1,"kind":"call.started","at_ms":0}\n')
        write_record(folder, replace(record, **values))
        if over:
            ended = replace(record, status=CallStatus.ENDED, end_reason=EndReason.CALLER_HANGUP, ended_at=STARTED)
            folders.finish(folder, replace(ended, **values), Transcript())
        return folder

    def ingest(self) -> Ingest:
        own = OwnRecordings(self.engine, self.conf, self.storage)  # type: ignore[arg-type]
        return Ingest(self.root, partial(save_rows, self.engine, self.conf, 120.0), own)

    @asynccontextmanager
    async def running(self):
        ingest = self.ingest()
        task = asyncio.create_task(ingest.run())
        try:
            yield ingest
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def all_home(self) -> None:
        """Ingest what is there, as a server does that starts."""
        async with self.running() as ingest, asyncio.timeout(10):
            while not all((each / RELEASED).exists() for each in self.readable()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            await ingest.finish()

    def readable(self) -> list[Path]:
        return [each for each in self.root.glob("[!.]*/") if (each / CALL).read_bytes() != b"{"]

    def files(self) -> list[str]:
        """The keys of everything that is stored."""
        return [str(each.relative_to(self.stored)) for each in self.stored.rglob("*") if each.is_file()]

    async def rows(self, table) -> list:
        async with db_session(self.engine) as db:
            return list(await db.scalars(select(table)))

    async def count(self, table) -> int:
        async with db_session(self.engine) as db:
            return int(await db.scalar(select(func.count()).select_from(table)) or 0)

    async def messages(self) -> dict[str, int]:
        async with db_session(self.engine) as db:
            found = await db.execute(text("select kind, count(*) from webhook_messages group by kind"))
            return {row[0]: row[1] for row in found}


async def whole(house: House, folder: Path, sha256: str) -> None:
    """The call is home, once."""
    [recording] = await house.rows(tables.Recording)
    assert (str(recording.id), str(recording.call_id), recording.state) == (folder.name, folder.name, "stored")
    assert recording.key == f"2026/11/{folder.name}.wav"
    assert (recording.sha256, recording.channels, recording.duration_ms) == (sha256, 2, 2000)
    stored = (house.stored / recording.key).read_bytes()
    assert (hashlib.sha256(stored).hexdigest(), len(stored)) == (sha256, recording.bytes)
    assert house.files() == [recording.key]
    assert [transcript.state for transcript in await house.rows(tables.Transcript)] == ["waiting"]
    assert [(job.kind, job.subject) for job in await house.rows(tables.Job)] == [("transcribe", folder.name)]
    messages = await house.messages()
    assert messages == {"call.started": 1, "call.ended": 1, "recording.ready": 1}, messages
    assert await house.count(tables.Call) == await house.count(tables.CallEvent) == 1
    names = names_in(folder)
    assert {CALL, EVENTS, TRANSCRIPT, INGESTED, RELEASED} <= names
    assert not {RECORDING, CALLER_TRACK, AGENT_TRACK} & names


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / RECORDING).read_bytes()).hexdigest()


async def test_a_finished_call_is_brought_home_and_its_folder_released(house):
    folder = house.call()
    sha256 = digest(folder)
    await house.all_home()
    await whole(house, folder, sha256)
