"""`parley calls` as the shell has it."""

import asyncio
import json
import zipfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import typer
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner

from app.call.events import Kind, NumberedEvent
from app.cli.calls import app
from app.cli.telling import moment
from app.db.calls import record_call
from app.db.engine import create_engine, db_session
from app.db.recordings import add_recording
from app.recordings.states import RecordingState
from app.recordings.storage import open_storage
from app.settings import Settings
from tests.db.test_call_queries import ALICE, BOB, over

HELLO = [
    NumberedEvent(1, Kind.CALLER_SPEECH_STARTED, 61_000, {"item_id": "u"}),
    NumberedEvent(2, Kind.CALLER_TRANSCRIPT, 62_000, {"item_id": "u", "text": "Hello \x1b[31m[red]", "final": True}),
    NumberedEvent(3, Kind.TOOL_CALLED, 63_000, {"call_id": "c", "name": "lookup", "arguments": '{"key":"a"}'}),
    NumberedEvent(4, Kind.TOOL_ANSWERED, 63_040, {"call_id": "c", "name": "lookup", "output": "one", "took_ms": 40}),
]


@pytest.fixture
def calls(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def in_database(url: str, work: Callable[[AsyncSession], Awaitable[object]]) -> None:
    async def opened() -> None:
        engine = create_engine(url)
        async with db_session(engine) as db:
            await work(db)
        await engine.dispose()

    asyncio.run(opened())


def test_calls_are_listed_shown_and_exported(calls, empty_database_url: str, tmp_path: Path):
    alice, bob = over(from_number=ALICE), over(from_number=BOB, agent="sales")

    async def keep(db: AsyncSession) -> None:
        await record_call(db, alice, HELLO)
        await record_call(db, bob, [])
        storage = open_storage(None, tmp_path / "data")
        (tmp_path / "sound").write_bytes(b"sound")
        stored = await storage.put("2026/01/a.wav", tmp_path / "sound")
        await add_recording(
            db, id=UUID(alice.id), call_sid=alice.call_sid, account_sid="AC1", call_id=UUID(alice.id), source="own",
            agent="default", state=RecordingState.STORED, key=stored.key, duration_ms=90_000,
        )  # fmt: skip

    assert calls("list").stdout == "No calls.\n"  # and now the tables are there
    in_database(empty_database_url, keep)

    listed = calls("list").stdout
    assert alice.id in listed
    assert bob.id in listed
    assert alice.id not in calls("list", "--agent", "sales").stdout
    [found] = json.loads(calls("list", "--text", "hello", "--json").stdout)
    assert found["id"] == alice.id
    assert calls("list", "--since", "1h").stdout == "No calls.\n"

    told = calls("show", alice.call_sid).stdout
    assert f"{ALICE} → +15550000002, inbound, with default (version 3)" in told
    assert "[01:01] Caller: Hello \ufffd[31m[red]" in told  # a stranger's words do not steer the terminal
    assert '[01:03] Tool lookup({"key":"a"}) answered in 40 ms: one' in told
    assert f"Recording {alice.id} (own): stored, 01:30" in told
    assert json.loads(calls("show", alice.id, "--json").stdout)["tools"][0]["state"] == "answered"

    assert calls("export", "--number", ALICE, "--output", "alice").stdout == "1 call in alice\n"
    [folder] = (tmp_path / "alice").iterdir()
    assert (folder / f"{alice.id}.wav").read_bytes() == b"sound"
    assert calls("export", "--number", BOB, "--output", "bob.zip").exit_code == 0
    assert [name for name in zipfile.ZipFile("bob.zip").namelist() if name.endswith("call.json")]


@pytest.mark.parametrize(
    "arguments", [("show", "CA0"), ("export", "--number", "+1", "--output", "x"), ("list", "--since", "soon")]
)
def test_what_is_not_there_ends_with_a_status(calls, arguments):
    assert calls(*arguments).exit_code != 0


def test_moments_are_read_as_people_write_them():
    assert moment("2026-11-21") == datetime(2026, 11, 21, tzinfo=UTC)
    assert moment("2026-11-21T09:30+01:00") == datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
    assert abs(moment("90m") - (datetime.now(UTC) - timedelta(minutes=90))) < timedelta(seconds=5)
    with pytest.raises(typer.BadParameter):
        moment("soon")
