"""Calls whose folder is not as one would wish, and what becomes of folders afterwards."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update

from app.call.journal.folder import CALL, EVENTS, RECORDING, read_record
from app.conf.models import AgentConf
from app.db import tables
from app.db.engine import db_session
from app.jobs.calls.ingest import INGESTED
from app.jobs.calls.released import RELEASED, forget_released
from app.recordings.storage import Storage
from tests.db.call_house import SOUND, STARTED, Conf, House, digest, whole


@pytest.fixture
def house(engine, tmp_path) -> House:
    return House(engine, tmp_path)


async def test_a_call_whose_process_died_is_ended_as_server_crash_and_brought_home(house):
    folder = house.call(over=False)
    await house.all_home()

    [call] = await house.rows(tables.Call)
    assert (str(call.id), call.end_reason) == (folder.name, "server_crash")
    [recording] = await house.rows(tables.Recording)
    assert (recording.state, recording.duration_ms) == ("stored", 2000)
    assert await house.messages() == {
        "call.started": 1,
        "call.ended": 1,
        "call.failed": 1,
        "recording.ready": 1,
    }


async def test_of_a_caller_who_declined_no_sound_is_kept(house):
    folder = house.call(recording="declined")
    await house.all_home()

    [recording] = await house.rows(tables.Recording)
    assert (recording.state, recording.reason, recording.key) == ("deleted", "declined by the caller", None)
    assert recording.deleted_at
    assert not (folder / RECORDING).exists()
    assert house.files() == []
    assert await house.count(tables.Job) == 0


async def test_a_caller_who_declines_after_a_reconnection_declines_for_the_whole_call(house):
    house.call(call_sid="CA1")
    await house.all_home()
    house.call(call_sid="CA1", attempt=1, recording="declined")
    await house.all_home()

    recordings = await house.rows(tables.Recording)
    assert {(each.state, each.reason) for each in recordings} == {("deleted", "declined by the caller")}
    [job] = [each for each in await house.rows(tables.Job) if each.kind == "delete_recording"]
    assert job.subject == str(next(each.id for each in recordings if each.key))


async def test_a_stream_that_comes_home_after_its_caller_declined_in_a_later_one_is_not_kept(house):
    house.call(call_sid="CA1", attempt=1, recording="declined")
    await house.all_home()
    late = house.call(call_sid="CA1")
    await house.all_home()

    assert {(each.state, each.key) for each in await house.rows(tables.Recording)} == {("deleted", None)}
    assert house.files() == []
    assert not (late / RECORDING).exists()


async def test_of_a_caller_who_declined_what_twilio_records_we_have_no_recording_of_our_own(house):
    house.conf = Conf(AgentConf.model_validate({"recording": {"source": "twilio"}}))
    house.call(sound=b"", recording="declined")
    await house.all_home()
    assert [each.source for each in await house.rows(tables.Recording)] == ["twilio"]


async def test_a_call_that_nobody_recorded_has_no_recording(house):
    house.call(sound=b"", recording="off")
    await house.all_home()
    assert await house.count(tables.Recording) == 0


async def test_a_recording_that_is_too_short_is_absent_and_its_transcript_skipped(house):
    house.call(sound=SOUND[: 8 * 299])
    await house.all_home()

    [recording] = await house.rows(tables.Recording)
    [transcript] = await house.rows(tables.Transcript)
    assert (recording.state, transcript.state) == ("absent", "skipped")
    assert recording.reason == transcript.reason == "it lasts 299 ms only"
    assert await house.count(tables.Job) == 0


async def test_a_recording_without_sound_is_absent(house):
    house.call(sound=b"")
    await house.all_home()
    [recording] = await house.rows(tables.Recording)
    assert (recording.state, recording.reason) == ("absent", "there was no sound")


async def test_a_recording_that_cannot_be_read_is_failed_and_its_file_stays(house):
    folder = house.call()
    (folder / RECORDING).write_bytes(b"not a WAV file")
    await house.all_home()

    [recording] = await house.rows(tables.Recording)
    assert recording.state == "failed"
    await house.all_home()
    forget_released(house.root, datetime.now(UTC) + timedelta(days=400))
    assert (folder / RECORDING).read_bytes() == b"not a WAV file"


async def test_an_agent_without_transcription_has_its_recordings_stored_only(house):
    house.conf = Conf(AgentConf.model_validate({"recording": {"transcription": None, "retention_days": 30}}))
    house.call()
    await house.all_home()

    [recording] = await house.rows(tables.Recording)
    assert (recording.state, recording.delete_after) == ("stored", STARTED + timedelta(days=30))
    assert await house.count(tables.Transcript) == await house.count(tables.Job) == 0


async def test_the_recording_of_an_agent_that_is_gone_is_kept(house):
    house.call(agent="gone")
    await house.all_home()
    [recording] = await house.rows(tables.Recording)
    assert recording.state == "stored"


async def test_a_folder_that_cannot_be_read_is_left_alone_and_holds_up_nobody(house):
    broken = house.call()
    (broken / CALL).write_bytes(b"{")
    folder = house.call()
    sha256 = digest(folder)
    await house.all_home()

    await whole(house, folder, sha256)
    assert (broken / RECORDING).exists()


async def test_of_events_that_cannot_be_read_those_before_are_kept_and_the_folder_stays(house):
    folder = house.call()
    (folder / EVENTS).write_bytes(b'{"seq":1,"kind":"call.started","at_ms":0}\n{"seq":\n')
    await house.all_home()

    assert await house.count(tables.CallEvent) == 1
    forget_released(house.root, datetime.now(UTC) + timedelta(days=400))
    assert (folder / EVENTS).exists()


async def test_a_call_that_a_person_deletes_meanwhile_leaves_nothing_in_the_storage(house, monkeypatch):
    folder = house.call()
    real = Storage.put

    async def put(storage, key, file):
        async with db_session(house.engine) as db:
            await db.execute(text("delete from calls"))
        return await real(storage, key, file)

    monkeypatch.setattr(Storage, "put", put)
    await house.all_home()
    assert await house.count(tables.Recording) == 0
    assert house.files() == []
    assert not (folder / RECORDING).exists()


async def test_a_recording_that_was_deleted_is_not_stored_again(house):
    folder = house.call()
    await house.all_home()
    async with db_session(house.engine) as db:
        await db.execute(update(tables.Recording).values(state="deleted", key=None))
    (house.stored / f"2026/11/{folder.name}.wav").unlink()
    (folder / RELEASED).unlink()  # killed just before it was written

    await house.all_home()
    assert house.files() == []


async def test_released_folders_go_when_their_time_is_over(house):
    folder = house.call()
    await house.all_home()

    forget_released(house.root, datetime.now(UTC) + timedelta(hours=23))
    assert read_record(folder).id == folder.name
    forget_released(house.root, datetime.now(UTC) + timedelta(hours=25))
    assert list(house.root.glob("*")) == []


async def test_folders_of_calls_that_may_not_be_kept_go_at_once(house):
    house.conf = Conf(AgentConf.model_validate({"recording": {"retention_days": 0}}))
    folder = house.call()
    await house.all_home()
    forget_released(house.root, datetime.now(UTC))
    assert not folder.exists()


async def test_only_a_call_with_a_recording_elsewhere_loses_its_sound(house):
    """As releases before this one left them: with sound, and not a word of who recorded."""
    folder = house.call(recording="off")
    (folder / INGESTED).touch()
    await house.all_home()
    forget_released(house.root, datetime.now(UTC) + timedelta(days=400))
    assert (folder / RECORDING).exists()
