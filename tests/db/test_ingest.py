"""From a call's folder to database and storage, whatever dies or is away in between."""

import asyncio
from pathlib import Path

import pytest

from app.call.journal.folder import RECORDING
from app.db import tables
from app.errors import DatabaseError, StorageError
from app.jobs.calls import ingest as ingest_module
from app.jobs.calls import released
from app.jobs.recordings.own_recording import OwnRecordings
from app.recordings.storage import Storage
from tests.db.call_house import House, digest, whole


@pytest.fixture
def house(engine, tmp_path) -> House:
    return House(engine, tmp_path)


async def test_a_finished_call_is_brought_home_and_its_folder_released(house):
    folder = house.call()
    sha256 = digest(folder)
    await house.all_home()
    await whole(house, folder, sha256)


class Killed(BaseException):
    """As SIGKILL does: nothing of ours runs any more."""


STEPS = ["rows", "rows marked", "put", "written down", "sound gone", "released"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_process_that_is_killed_between_two_steps_leaves_nothing_undone_or_twice(
    house, monkeypatch, step, after
):
    folder = house.call()
    sha256 = digest(folder)
    with monkeypatch.context() as patch:
        kill_at(patch, step, after=after)
        task = asyncio.create_task(house.ingest().run())
        await asyncio.wait({task}, timeout=10)
        with pytest.raises(BaseException) as died:  # noqa: PT011 (a group, or what is in it)
            task.result()
        assert "Killed" in repr(died.value)

    await house.all_home()
    await whole(house, folder, sha256)


def kill_at(patch: pytest.MonkeyPatch, step: str, *, after: bool) -> None:
    """Let the process die right before or after that step."""
    place = {
        "rows": (ingest_module.calls, "record_call"),
        "rows marked": (Path, "touch"),
        "put": (Storage, "put"),
        "written down": (OwnRecordings, "_write_down"),
        "sound gone": (released, "forget_sound"),
        "released": (Path, "write_text"),
    }[step]
    real = getattr(*place)

    async def awaited(*args, **options):
        if not after:
            raise Killed
        await real(*args, **options)
        raise Killed

    def called(*args, **options):
        if not after:
            raise Killed
        real(*args, **options)
        raise Killed

    patch.setattr(*place, awaited if asyncio.iscoroutinefunction(real) else called)


async def test_a_storage_that_is_away_holds_up_no_rows(house, monkeypatch):
    calls = [house.call(), house.call()]
    tries, back = 0, asyncio.Event()
    real = Storage.put

    async def put(storage, key, file):
        nonlocal tries
        tries += 1
        if not back.is_set():
            raise StorageError("away")
        return await real(storage, key, file)

    monkeypatch.setattr(Storage, "put", put)
    monkeypatch.setattr(ingest_module, "FIRST_PAUSE_S", 0.01)
    async with house.running():
        async with asyncio.timeout(10):
            while await house.count(tables.Call) < 2 or not tries:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            back.set()
            while await house.count(tables.Recording) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
    assert not any((folder / RECORDING).exists() for folder in calls)


async def test_a_database_that_is_away_delays_everything_and_loses_nothing(house, monkeypatch):
    folder = house.call()
    sha256 = digest(folder)
    tries = 0
    real = ingest_module.calls.record_call

    async def record_call(*args):
        nonlocal tries
        tries += 1
        if tries < 3:
            raise DatabaseError("away")
        await real(*args)

    monkeypatch.setattr(ingest_module.calls, "record_call", record_call)
    monkeypatch.setattr(ingest_module, "FIRST_PAUSE_S", 0.01)
    await house.all_home()
    assert tries == 3
    await whole(house, folder, sha256)
