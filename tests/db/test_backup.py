"""A house into a file and back, elsewhere: whole, readable, or refused with nothing changed."""

import asyncio
import os
import shutil
import stat
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.backup.archive import MANIFEST, README, ArchiveReader
from app.backup.load import drop_all
from app.backup.make import Made, make_backup
from app.backup.place import Place, open_place
from app.backup.restore import Restored, Wanted, check_backup, restore_backup
from app.call.record import CallRecord
from app.call.status import CallStatus, EndReason
from app.conf.models import OpenAICoreConf
from app.conf.secrets import load_key_ring
from app.conf.store import ConfStore
from app.db.audit import Actor
from app.db.calls import find_call, find_events, record_call
from app.db.engine import create_engine, db_session
from app.db.knowledge import keep_document
from app.db.migrate import revisions, upgrade
from app.db.recordings import add_recording, find_recording, find_transcript, save_transcript
from app.db.tables import Table
from app.errors import BackupError
from app.jobs.job import JobKind
from app.jobs.queue import enqueue
from app.knowledge.document import read_document
from app.known import known
from app.recordings.states import RecordingState
from app.settings import Settings
from tests.db.call_house import House
from tests.db.test_calls import EVENTS, a_call, ended

KEY = "sk-proj-abcdefghijkl"
SOUND = bytes(range(256)) * 2000


@dataclass
class Old:
    """The house that is backed up: rows of every kind, a recording, a call on its way."""

    settings: Settings
    engine: AsyncEngine
    file: Path
    call: CallRecord
    live: CallRecord
    recording_id: UUID
    folder: Path

    async def backup(self, *, with_recordings: bool = True) -> Made:
        async with open_place(self.settings) as place:
            return await make_backup(place, self.file, with_recordings=with_recordings, tell=quiet)


def quiet(_what: str, _done: int, _total: int) -> None:
    pass


def settings_of(url: str, data_dir: Path, **more: Any) -> Settings:
    return Settings.load(_env_file=None, **({"database_url": url, "data_dir": data_dir, "secret_key": None} | more))


@pytest.fixture
async def old(engine: AsyncEngine, database_url: str, tmp_path: Path) -> Old:
    data_dir = tmp_path / "old"
    data_dir.mkdir()
    store = ConfStore(engine, load_key_ring(None, data_dir), known(), data_dir)
    await store.put("openai", "default", {"openai_api_key": KEY}, by="tester")
    await store.put("agent", "default", {"greeting": "Grüezi \\ \t \n „hello“"}, by="tester")
    await store.put("agent", "default", {"voice": "cedar"}, by="tester")
    house = House(engine, data_dir)
    folder = house.call()
    call, live = ended(a_call()), a_call()
    async with db_session(engine) as db:
        await record_call(db, call, EVENTS)
        await record_call(db, live, EVENTS)
    sound = tmp_path / "sound.wav"
    sound.write_bytes(SOUND)
    key = f"2026/01/{call.id}.wav"
    await house.storage.put(key, sound)
    async with db_session(engine) as db:
        about = {"call_sid": call.call_sid, "account_sid": call.account_sid, "agent": "default", "source": "own"}
        recording = await add_recording(
            db, id=UUID(call.id), call_id=UUID(call.id), state=RecordingState.STORED, key=key, **about
        )
        await save_transcript(
            db, recording.id, call_id=UUID(call.id), state="done", text="Hello there", cost_usd=Decimal("0.000123")
        )
        await enqueue(db, JobKind.TRANSCRIBE, str(recording.id))
        document = read_document("# Café\n\nAB-4711 \\ costs\t5.".encode(), name="prices.md", language="de")
        await keep_document(db, "shop", "prices.md", document, Actor("tester"))
    settings = settings_of(database_url, data_dir)
    return Old(settings, engine, tmp_path / "backup.tar", call, live, recording.id, folder)


@pytest.fixture
def new(empty_database_url: str, tmp_path: Path) -> Settings:
    """The settings of another house, in which there is nothing."""
    return settings_of(empty_database_url, tmp_path / "new")


async def restore(file: Path, settings: Settings, wanted: Wanted = Wanted()) -> Restored:  # noqa: B008 (frozen)
    with ArchiveReader(file) as archive:
        async with open_place(settings) as place:
            return await restore_backup(place, archive, known(), wanted, quiet)


async def opened(settings: Settings) -> AsyncIterator[tuple[AsyncEngine, ConfStore]]:
    engine = create_engine(settings.database_url.get_secret_value())
    store = ConfStore(engine, load_key_ring(settings.secret_key, settings.data_dir), known(), settings.data_dir)
    await store.refresh()
    yield engine, store
    await engine.dispose()


async def rows(engine: AsyncEngine) -> dict[str, list[str]]:
    """Every row of every table of ours, as text."""
    async with engine.connect() as connection:
        return {
            table: sorted((await connection.scalars(text(f'select t::text from "{table}" t'))).all())  # noqa: S608
            for table in Table.metadata.tables
        }


async def test_a_house_stands_again_elsewhere_with_every_row_and_its_secrets(old: Old, new: Settings):
    made = await old.backup()
    before = await rows(old.engine)
    restored = await restore(old.file, new)

    async for engine, store in opened(new):
        after = await rows(engine)
        assert {name: lines for name, lines in after.items() if name != "calls"} == {
            name: lines for name, lines in before.items() if name != "calls"
        }
        conf = store.get("openai", "default")
        assert isinstance(conf, OpenAICoreConf)
        assert conf.openai_api_key.get_secret_value() == KEY
        assert store.agent_version("default") == 2
        async with db_session(engine) as db:
            assert await find_call(db, old.call.call_sid) == old.call
            assert await find_events(db, old.call.id) == EVENTS
            assert (await find_transcript(db, old.recording_id)).cost_usd == Decimal("0.000123")
            recording = await find_recording(db, old.recording_id)
        async with engine.connect() as connection:
            found = "select count(*) from transcripts where search @@ to_tsquery('simple', 'hello')"
            assert await connection.scalar(text(found)) == 1
    assert (new.data_dir / "recordings" / recording.key).read_bytes() == SOUND
    assert restored == Restored(
        rows=sum(len(lines) for lines in before.values()), calls=1, recordings=1, ended=1, unreadable=[]
    )
    assert made.manifest.with_key_ring


async def test_a_call_on_its_way_home_gets_there_in_the_new_house(old: Old, new: Settings):
    expected = {file.name: file.read_bytes() for file in old.folder.iterdir()}
    (old.folder / "owner").write_text("a process of the old house")
    await old.backup()
    await restore(old.file, new)

    folder = new.data_dir / "calls" / old.folder.name
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == expected
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


async def test_a_call_that_came_home_while_the_backup_was_made_keeps_its_sound(old: Old, new: Settings):
    sound = (old.folder / "call.wav").read_bytes()
    key = old.settings.data_dir / "recordings/2026/11" / f"{old.folder.name}.wav"
    key.parent.mkdir(parents=True)
    key.write_bytes(sound)
    (old.folder / "call.wav").unlink()
    (old.folder / "released").write_text("2099-01-01T00:00:00+00:00")
    await old.backup()
    await restore(old.file, new)
    folder = new.data_dir / "calls" / old.folder.name
    assert (folder / "call.wav").read_bytes() == sound
    assert not (folder / "released").exists()


async def test_a_call_that_was_home_before_is_not_in_it_twice(old: Old):
    (old.folder / "released").write_text("2099-01-01T00:00:00+00:00")
    os.utime(old.folder / "released", (0, 0))
    assert (await old.backup()).calls == 0


async def test_a_call_that_nobody_carries_any_more_is_ended_and_waiting_jobs_are_handed_out(old: Old, new: Settings):
    await old.backup()
    await restore(old.file, new)
    async for engine, _ in opened(new):
        async with db_session(engine) as db:
            lost = await find_call(db, old.live.call_sid)
        assert (lost.status, lost.end_reason) == (CallStatus.ENDED, EndReason.SERVER_CRASH)
        async with engine.connect() as connection:
            queued = (await connection.execute(text("select entrypoint, status from pgqueuer"))).all()
        assert queued == [("transcribe", "queued")]


async def test_only_its_owner_may_read_the_file_and_it_says_what_it_is(old: Old):
    await old.backup()
    assert stat.S_IMODE(old.file.stat().st_mode) == 0o600
    with tarfile.open(old.file) as tar:
        readme = tar.extractfile(README).read().decode()
        names = tar.getnames()
        held = b"".join(tar.extractfile(name).read() for name in names if name != "secret_key")
    assert "THE KEY RING IS IN THIS FILE" in readme
    assert KEY.encode() not in held
    assert names[-1] == MANIFEST
    assert [path.name for path in old.file.parent.iterdir() if path.name.startswith(".")] == []


async def test_a_backup_is_of_one_moment_though_calls_go_on(old: Old, new: Settings):
    later = replace(a_call(), status=CallStatus.LIVE)
    began = asyncio.Event()

    def tell(what: str, done: int, _total: int) -> None:
        if (what, done) == ("tables", 1):
            began.set()

    async def go_on() -> None:
        await began.wait()
        async with db_session(old.engine) as db:
            await record_call(db, later, EVENTS)

    async with open_place(old.settings) as place, asyncio.TaskGroup() as group:
        group.create_task(go_on())
        group.create_task(make_backup(place, old.file, with_recordings=True, tell=tell))
    await restore(old.file, new)
    async for engine, _ in opened(new):
        async with db_session(engine) as db:
            assert await find_call(db, later.call_sid) is None
    async with db_session(old.engine) as db:
        assert await find_call(db, later.call_sid) is not None


async def test_recordings_can_be_left_out_and_missing_ones_are_named(old: Old, new: Settings):
    shutil.rmtree(old.settings.data_dir / "recordings")
    made = await old.backup()
    assert made.manifest.missing == [f"2026/01/{old.call.id}.wav"]
    old.file.unlink()
    made = await old.backup(with_recordings=False)
    assert (made.recordings, made.manifest.missing) == (0, [])
    assert (await restore(old.file, new)).recordings == 0


async def test_a_backup_is_not_written_over_another(old: Old):
    old.file.write_text("the only copy")
    with pytest.raises(BackupError, match="is there already"):
        await old.backup()
    assert old.file.read_text() == "the only copy"


# -- keys


async def test_a_key_of_the_environment_is_not_in_the_file_and_is_needed_to_restore_it(old: Old, new: Settings):
    ring_text = (old.settings.data_dir / "secret_key").read_text()
    old.settings = old.settings.model_copy(update={"secret_key": SecretStr(ring_text)})
    made = await old.backup()
    assert not made.manifest.with_key_ring
    with tarfile.open(old.file) as tar:
        assert "secret_key" not in tar.getnames()
        assert "THE KEY RING IS NOT IN THIS FILE" in tar.extractfile(README).read().decode()

    with pytest.raises(BackupError, match="no key ring"):
        await restore(old.file, new)
    right = new.model_copy(update={"secret_key": SecretStr(ring_text)})
    assert (await restore(old.file, right)).unreadable == []
    assert not (new.data_dir / "secret_key").exists()


async def test_the_wrong_key_is_told_and_nothing_is_restored(old: Old, new: Settings):
    await old.backup()
    wrong = new.model_copy(update={"secret_key": SecretStr("w" * 40)})
    with pytest.raises(BackupError) as caught:
        await restore(old.file, wrong)
    assert "SECRET_KEY is not the one" in str(caught.value)
    assert "openai/default" in str(caught.value)
    assert "start without SECRET_KEY" in str(caught.value)
    assert KEY not in str(caught.value)
    engine = create_engine(new.database_url.get_secret_value())
    async with engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from pg_tables where schemaname = 'public'")) == 0
    await engine.dispose()
    assert not list(new.data_dir.glob("calls/*"))

    restored = await restore(old.file, wrong, Wanted(without_key=True))
    assert len(restored.unreadable) == 1


async def test_another_key_ring_that_is_here_is_kept_beside(old: Old, new: Settings):
    await old.backup()
    new.data_dir.mkdir()
    (new.data_dir / "secret_key").write_text("k" * 40)
    with pytest.raises(BackupError, match="another key ring"):
        await restore(old.file, new)
    restored = await restore(old.file, new, Wanted(replace=True))
    assert restored.old_key_file.read_text() == "k" * 40
    assert stat.S_IMODE((new.data_dir / "secret_key").stat().st_mode) == 0o600


# -- what is refused


async def test_a_house_with_rows_is_replaced_only_by_somebody_who_says_so(old: Old, new: Settings):
    await old.backup()
    await restore(old.file, new)
    async for engine, store in opened(new):
        await store.put("agent", "added-later", {}, by="tester")
        await engine.dispose()
    with pytest.raises(BackupError, match=r"not empty.*core_conf.*--replace"):
        await restore(old.file, new)
    await restore(old.file, new, Wanted(replace=True))
    async for _, store in opened(new):
        assert store.agents().keys() == {"default"}


async def test_nothing_of_another_program_in_the_same_database_is_touched(old: Old, new: Settings):
    engine = create_engine(new.database_url.get_secret_value())
    async with engine.begin() as connection:
        await connection.execute(text("create table somebody_elses as select 1 as x"))
    await engine.dispose()
    await old.backup()
    await restore(old.file, new, Wanted(replace=True))
    async for restored, _ in opened(new):
        async with restored.connect() as connection:
            assert await connection.scalar(text("select x from somebody_elses")) == 1


async def test_a_house_at_work_is_not_restored_into(old: Old, new: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.backup.load.LOOKS", 1)
    await old.backup()
    engine = create_engine(new.database_url.get_secret_value())
    async with engine.connect() as connection:
        await connection.execute(text("select 1"))
        with pytest.raises(BackupError, match="stop every Parley"):
            await restore(old.file, new)
    await engine.dispose()


async def test_a_damaged_backup_is_refused_before_anything_is_changed(old: Old, new: Settings):
    await old.backup()
    body = bytearray(old.file.read_bytes())
    at = body.index(b"Hello there")
    body[at : at + 5] = b"HELLO"
    old.file.write_bytes(body)
    with pytest.raises(BackupError, match=r"damaged: database/transcripts.copy"):
        await restore(old.file, new)


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.97])
async def test_half_a_backup_is_none(old: Old, kept: float):
    await old.backup()
    body = old.file.read_bytes()
    old.file.write_bytes(body[: kept if isinstance(kept, int) else int(len(body) * kept)])
    with pytest.raises(BackupError, match="no whole backup"):
        ArchiveReader(old.file)


async def test_a_backup_of_a_later_release_is_refused(old: Old, new: Settings):
    async with old.engine.begin() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999'"))
    try:
        with pytest.raises(BackupError, match="later release"):
            await old.backup()
    finally:
        async with old.engine.begin() as connection:
            newest = {"newest": revisions()[0]}
            await connection.execute(text("update alembic_version set version_num = :newest"), newest)
    await old.backup()
    with ArchiveReader(old.file) as archive:
        archive.manifest.schema = "9999"
        async with open_place(new) as place:
            with pytest.raises(BackupError, match="later release"):
                await restore_backup(place, archive, known(), Wanted(), quiet)


async def test_a_backup_of_an_older_release_is_brought_up_to_date(tmp_path: Path, old: Old, new: Settings):
    """As one made before the webhooks' migration would be."""
    async with open_place(new) as place, place.engine.begin() as connection:
        await upgrade(connection, "0005")
        await connection.execute(text("insert into core_conf (section, name, value, version, updated_by) values "
                                      "('agent', 'default', '{}', 1, 'tester')"))  # fmt: skip
    (new.data_dir / "secret_key").write_text("k" * 40)
    async with open_place(new) as place:
        made = await make_backup(place, old.file, with_recordings=True, tell=quiet)
        assert made.manifest.schema == "0005"
    restored = await restore(old.file, new, Wanted(replace=True))
    assert restored.rows == 1
    async for _, store in opened(new):
        assert store.agents().keys() == {"default"}


async def test_everything_our_migrations_made_is_taken_away(new: Settings):
    async with open_place(new) as place, place.engine.begin() as connection:
        await upgrade(connection)
        await drop_all(connection)
        for left in ("pg_class where relnamespace", "pg_type where typnamespace", "pg_proc where pronamespace"):
            counted = f"select count(*) from {left} = 'public'::regnamespace"  # noqa: S608
            assert await connection.scalar(text(counted)) == 0, left


async def test_checking_reads_all_of_it_and_tells_how_far_it_is(old: Old):
    made = await old.backup()
    told: list[tuple[int, int]] = []
    with ArchiveReader(old.file) as archive:
        await check_backup(archive, lambda _, done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > len(SOUND)
    assert len(told) == len(made.manifest.files)


async def test_a_member_that_leads_out_of_the_archive_is_refused(old: Old):
    await old.backup()
    body = old.file.read_bytes().replace(b'"calls/', b'"../../')
    old.file.write_bytes(body)
    with pytest.raises(BackupError, match="leads out of it"):
        ArchiveReader(old.file)


def test_a_place_shows_no_password_and_no_key(tmp_path: Path):
    async def shown() -> str:
        settings = settings_of("postgresql://u:hunter2@127.0.0.1:1/x", tmp_path, secret_key=SecretStr("s" * 40))
        async with open_place(settings) as place:
            assert isinstance(place, Place)
            return repr(place)

    assert "hunter2" not in asyncio.run(shown())
