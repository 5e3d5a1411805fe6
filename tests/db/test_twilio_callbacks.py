"""What Twilio tells of recordings at a bad time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import create_engine, db_session
from app.errors import DatabaseError
from app.jobs import disk_queue
from app.jobs.job import JobKind
from app.jobs.recordings import twilio_callbacks
from app.jobs.recordings.twilio_callbacks import TwilioCallbacks
from app.twilio.recordings import Course
from tests.db.twilio_house import (
    SID,
    House,
    a_recorded_call,
    notice,
    open_house,  # noqa: F401 (a fixture)
)


class Away:
    """A database that comes back when a test says so."""

    def __init__(self, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.back = False
        self.tries = 0
        monkeypatch.setattr(disk_queue, "FIRST_PAUSE_S", 0.01)
        monkeypatch.setattr(twilio_callbacks, "db_session", self._session)
        self._engine = engine
        self._nowhere = create_engine("postgresql+asyncpg://x:x@127.0.0.1:1/x")

    def _session(self, _engine: AsyncEngine) -> Any:
        self.tries += 1
        return db_session(self._engine if self.back else self._nowhere)


async def test_callbacks_wait_on_disk_for_a_database_that_is_away_even_through_a_restart(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    database = Away(house.engine, monkeypatch)
    call = a_recorded_call()
    before = TwilioCallbacks(tmp_path, house.engine)
    await before.take(notice(call, Course.GOING_ON))
    await before.take(notice(call))
    assert await house.recordings() == []

    after = asyncio.create_task(TwilioCallbacks(tmp_path, house.engine).run())
    async with asyncio.timeout(5):
        while database.tries < 3:  # noqa: ASYNC110 - nobody tells of a try that failed
            await asyncio.sleep(0.01)
        assert await house.recordings() == []
        database.back = True
        while list((tmp_path / "twilio_callbacks").iterdir()):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    after.cancel()

    assert (await house.the()).twilio_sid == SID
    assert await house.jobs() == [JobKind.FETCH_RECORDING]


async def test_a_callback_that_nobody_can_read_keeps_none_of_the_others(house: House, tmp_path: Path):
    callbacks = TwilioCallbacks(tmp_path, house.engine)
    await callbacks.take(notice(a_recorded_call()))
    (tmp_path / "twilio_callbacks" / "0.json").write_text("{")
    running = asyncio.create_task(callbacks.run())
    async with asyncio.timeout(5):
        while not await house.recordings():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    running.cancel()

    assert [file.name for file in (tmp_path / "twilio_callbacks").glob("0.*")] == ["0.refused"]


async def test_with_the_disk_full_a_callback_goes_straight_to_the_database(house: House, tmp_path: Path):
    (tmp_path / "twilio_callbacks").write_text("no folder can be made here")
    await TwilioCallbacks(tmp_path, house.engine).take(notice(a_recorded_call()))

    assert (await house.the()).twilio_sid == SID


async def test_a_callback_that_can_be_kept_nowhere_is_an_error(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    Away(house.engine, monkeypatch)
    (tmp_path / "twilio_callbacks").write_text("no folder can be made here")
    with pytest.raises(DatabaseError):
        await TwilioCallbacks(tmp_path, house.engine).take(notice(a_recorded_call()))
