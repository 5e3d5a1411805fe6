"""What becomes of Twilio's recordings, with jobs run by hand and a Twilio that does as it is told."""

import asyncio
import errno
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text, update

from app.call.record import CallRecord
from app.call.status import CallStatus
from app.conf.models import AgentConf
from app.conf.models.recording import RecordingPolicy as Policy
from app.db.engine import db_session
from app.db.recordings import add_recording
from app.db.tables import Job as JobRow
from app.db.tables import Recording
from app.errors import StorageError
from app.jobs.calls.delete import delete_handler, request_deletion
from app.jobs.job import GiveUp, Job, JobKind, TryAgain
from app.jobs.recordings import twilio_fetch
from app.jobs.recordings.twilio_fetch import fetch_handler
from app.jobs.recordings.twilio_poll import MOST_POLLS, poll_handler
from app.jobs.recordings.twilio_recording import delete_at_twilio_handler
from app.recordings.states import RecordingState
from app.sandbox.twilio.recordings import wav
from app.twilio.recordings import Course
from tests.db.test_calls import a_call
from tests.db.twilio_house import (
    ACCOUNT,
    META,
    MONO,
    SID,
    SOUND,
    STEREO,
    House,
    a_recorded_call,
    listed,
    notice,
    open_house,  # noqa: F401 (a fixture)
    sound,
)

# what is known, in whatever order it comes


async def test_a_finished_call_expects_one_recording_and_asks_for_it_in_two_minutes(house: House):
    call = a_recorded_call()
    for _ in range(2):
        await house.saved(call)

    recording = await house.the()
    assert (recording.state, recording.source, recording.twilio_sid) == (RecordingState.EXPECTED, "twilio", None)
    assert (recording.call_id, recording.agent) == (UUID(call.id), "default")
    async with db_session(house.engine) as db:
        [job] = await db.scalars(select(JobRow))
    assert (job.kind, job.subject) == (JobKind.POLL_RECORDING, str(recording.id))
    assert 115 <= (job.run_after - datetime.now(UTC)).total_seconds() <= 120


async def test_each_stream_of_a_phone_call_expects_the_same_recording(house: House):
    call = a_recorded_call()
    again = replace(call, id=a_call().id, attempt=1)
    await house.saved(again)
    await house.saved(call)

    assert (await house.the()).call_id == UUID(call.id)


@pytest.mark.parametrize("order", ["before", "after"])
async def test_the_callback_and_the_calls_end_make_one_row_in_either_order(house: House, order: str):
    house.agents["default"] = AgentConf(recording=Policy(source="twilio", caller_channel="right", retention_days=7))
    call = a_recorded_call()
    steps = [house.told(notice(call)), house.saved(call)]
    for step in steps if order == "before" else reversed(steps):
        await step

    recording = await house.the()
    assert (recording.twilio_sid, recording.at_twilio, recording.call_id) == (SID, True, UUID(call.id))
    assert (recording.agent, recording.caller_channel) == ("default", "right")
    assert recording.delete_after == call.started_at + timedelta(days=7)
    assert JobKind.FETCH_RECORDING in await house.jobs()


async def test_the_callback_and_the_calls_end_make_one_row_at_the_same_time(house: House):
    call = a_recorded_call()
    await asyncio.gather(*(house.told(notice(call)) for _ in range(4)), house.saved(call), house.saved(call))

    assert (await house.the()).twilio_sid == SID
    assert await house.jobs() == [JobKind.FETCH_RECORDING, JobKind.POLL_RECORDING]


async def test_a_second_recording_of_a_call_has_a_row_of_its_own(house: House):
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    await house.told(notice(call, sid="RE" + "8" * 32))

    assert {each.twilio_sid for each in await house.recordings()} == {SID, "RE" + "8" * 32}


@pytest.mark.parametrize(
    ("course", "state"), [(Course.ABSENT, RecordingState.ABSENT), (Course.FAILED, RecordingState.FAILED)]
)
async def test_a_recording_that_will_never_be_says_why(house: House, course: Course, state: RecordingState):
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call, Course.GOING_ON))
    await house.told(notice(call, course, "the recording was too short"))
    await house.told(notice(call, Course.GOING_ON))  # late

    recording = await house.the()
    assert (recording.state, recording.reason) == (state, "the recording was too short")
    assert recording.at_twilio is False
    assert JobKind.FETCH_RECORDING not in await house.jobs()


# fetching


async def test_a_recording_that_is_ready_is_stored_with_its_figures_and_followed_up(house: House):
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    await house.run(fetch_handler)

    recording = await house.the()
    assert (recording.state, recording.reason) == (RecordingState.STORED, None)
    assert (recording.channels, recording.duration_ms, recording.bytes) == (2, 2000, len(STEREO))
    assert len(recording.sha256 or "") == 64
    assert recording.stored_at is not None
    assert recording.key == f"{recording.created_at:%Y/%m}/{recording.id}.wav"
    assert await house.storage.size(recording.key) == len(STEREO)
    assert JobKind.TRANSCRIBE in await house.jobs()
    assert JobKind.DELETE_AT_TWILIO not in await house.jobs()
    assert await house.messages() == ["recording.ready"]


@pytest.mark.parametrize(
    ("policy", "follows"),
    [
        (Policy(source="twilio"), {JobKind.TRANSCRIBE}),
        (Policy(source="twilio", transcription=None), set()),
        (Policy(source="both"), set()),
        (Policy(source="both", delete_at_twilio=True), {JobKind.DELETE_AT_TWILIO}),
        (Policy(source="twilio", delete_at_twilio=True), {JobKind.TRANSCRIBE, JobKind.DELETE_AT_TWILIO}),
    ],
)
async def test_what_follows_is_what_the_agent_wants(house: House, policy: Policy, follows: set[JobKind]):
    house.agents["default"] = AgentConf(recording=policy)
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    await house.run(fetch_handler)

    assert set(await house.jobs()) - {JobKind.FETCH_RECORDING, JobKind.POLL_RECORDING} == follows


@pytest.mark.parametrize(("ours", "written_down"), [("stored", False), ("failed", True), ("absent", True)])
async def test_of_two_recordings_twilios_is_written_down_where_ours_could_not_be_kept(
    house: House, ours: str, written_down: bool
):
    house.agents["default"] = AgentConf(recording=Policy(source="both"))
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    twilios = await house.the()
    async with db_session(house.engine) as db:
        about = {"call_sid": call.call_sid, "account_sid": call.account_sid, "agent": "default", "source": "own"}
        await add_recording(db, id=UUID(call.id), call_id=UUID(call.id), state=ours, **about)
    await fetch_handler(house.context)(Job("1", JobKind.FETCH_RECORDING, str(twilios.id), 1))

    assert (JobKind.TRANSCRIBE in await house.jobs()) is written_down


async def test_duplicates_make_one_file_one_message_and_one_transcript_job(house: House):
    call = a_recorded_call()
    await house.saved(call)
    for _ in range(3):
        await house.told(notice(call))
        await house.run(fetch_handler)

    assert house.stored_files() == [STEREO]
    assert house.twilio.asked == [("GET", SOUND)]
    assert (await house.jobs()).count(JobKind.TRANSCRIBE) == 1
    assert await house.messages() == ["recording.ready"]


async def test_two_workers_at_once_store_it_once(house: House):
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    await asyncio.gather(*(house.run(fetch_handler) for _ in range(3)))

    assert house.stored_files() == [STEREO]
    assert (await house.jobs()).count(JobKind.TRANSCRIBE) == 1
    assert await house.messages() == ["recording.ready"]


@pytest.mark.parametrize("step", ["_bring", "put", "_keep", "_follow"])
async def test_a_kill_between_any_two_steps_repeats_harmlessly(
    house: House, step: str, monkeypatch: pytest.MonkeyPatch
):
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))

    async def killed(*_arguments: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(*((house.storage, step) if step == "put" else (twilio_fetch, step)), killed)
        with pytest.raises(asyncio.CancelledError):
            await house.run(fetch_handler)
    assert (await house.the()).state == RecordingState.EXPECTED
    assert await house.messages() == []
    await house.run(fetch_handler)

    assert (await house.the()).state == RecordingState.STORED
    assert house.stored_files() == [STEREO]
    assert (await house.jobs()).count(JobKind.TRANSCRIBE) == 1


async def test_a_mono_recording_is_stored_and_says_that_it_is(house: House):
    house.twilio.answers[SOUND] = [sound(MONO)]
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    await house.run(fetch_handler)

    recording = await house.the()
    assert (recording.state, recording.channels) == (RecordingState.STORED, 1)
    assert recording.reason == "Twilio gave 1 channel(s) instead of 2"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(200, text="<?xml version='1.0'?><TwilioResponse/>"),
        httpx.Response(200),
        httpx.Response(200, content=wav(b"", channels=2)),
    ],
)
async def test_a_sound_that_is_not_there_yet_is_asked_for_again_and_given_up_at_last(
    house: House, answer: httpx.Response
):
    house.twilio.answers[SOUND] = [answer]
    call = a_recorded_call(ended_at=datetime.now(UTC))
    await house.saved(call)
    await house.told(notice(call))
    pauses = []
    for attempt in (1, 2, 3, 20):
        with pytest.raises(TryAgain) as caught:
            await house.run(fetch_handler, attempt)
        pauses.append(caught.value.after_s)
    assert pauses == [5, 10, 20, 120]

    async with db_session(house.engine) as db:
        long_ago = {"created_at": datetime.now(UTC) - timedelta(hours=1)}
        await db.execute(update(Recording).values(long_ago))
        await db.execute(text("update calls set ended_at = ended_at - interval '1 hour'"))
    with pytest.raises(TryAgain):
        await house.run(fetch_handler, attempt=2)
    with pytest.raises(GiveUp):
        await house.run(fetch_handler, attempt=20)
    assert house.stored_files() == []


async def test_a_sound_that_was_not_there_at_first_is_stored(house: House):
    house.twilio.answers[SOUND] = [httpx.Response(404), sound(STEREO)]
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    with pytest.raises(TryAgain):
        await house.run(fetch_handler)
    await house.run(fetch_handler, attempt=2)

    assert house.stored_files() == [STEREO]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503),
        httpx.Response(401),
        httpx.Response(200, headers={"Content-Length": "70000"}, content=STEREO),
        httpx.Response(302, headers={"Location": "http://169.254.169.254/latest"}),
    ],
)
async def test_half_a_recording_and_a_twilio_in_trouble_are_tried_again(house: House, answer: httpx.Response):
    house.twilio.answers[SOUND] = [answer]
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    with pytest.raises(TryAgain):
        await house.run(fetch_handler, attempt=50)

    assert (await house.the()).state == RecordingState.EXPECTED
    assert house.stored_files() == []


@pytest.mark.parametrize(
    "trouble", [StorageError("no bucket"), OSError(errno.ENOSPC, "No space left on device")], ids=["storage", "disk"]
)
async def test_a_storage_that_is_away_or_full_is_tried_again(
    house: House, trouble: Exception, monkeypatch: pytest.MonkeyPatch
):
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))

    async def full(*_arguments: object) -> None:
        raise trouble

    monkeypatch.setattr(house.storage, "put", full)
    with pytest.raises(TryAgain, match="cannot be kept"):
        await house.run(fetch_handler, attempt=50)

    assert (await house.the()).state == RecordingState.EXPECTED


async def test_an_account_that_is_no_longer_set_up_is_given_up(house: House):
    house.twilio.answers = {}
    call = a_recorded_call(account_sid="AC" + "9" * 32)
    await house.saved(call)
    await house.told(replace(notice(call), account_sid=call.account_sid))
    with pytest.raises(GiveUp, match="no twilio row"):
        await house.run(fetch_handler)


# the call behind it


@pytest.mark.parametrize("status", [CallStatus.LIVE, None])
async def test_a_call_that_is_not_over_is_waited_for(house: House, status: CallStatus | None):
    call = a_recorded_call()
    if status:
        await house.saved(replace(call, status=status, end_reason=None, ended_at=None), expected=False)
    await house.told(notice(call))
    with pytest.raises(TryAgain) as caught:
        await house.run(fetch_handler)

    assert caught.value.after_s == 5
    assert house.twilio.asked == []


@pytest.mark.parametrize(("status", "waited"), [(None, timedelta(minutes=11)), (CallStatus.LIVE, timedelta(hours=7))])
async def test_a_call_of_which_nothing_comes_is_not_waited_for_for_ever(
    house: House, status: CallStatus | None, waited: timedelta
):
    call = a_recorded_call()
    if status:
        await house.saved(replace(call, status=status, end_reason=None, ended_at=None), expected=False)
    await house.told(notice(call))
    async with db_session(house.engine) as db:
        await db.execute(update(Recording).values(created_at=datetime.now(UTC) - waited))
    await house.run(fetch_handler)

    assert (await house.the()).state == RecordingState.STORED
    assert (await house.the()).call_id == (UUID(call.id) if status else None)


async def test_a_recording_nobody_expected_gets_its_call_and_agent_before_it_is_stored(house: House):
    call = a_recorded_call()
    await house.told(notice(call))
    await house.saved(call, expected=False)
    await house.run(fetch_handler)

    recording = await house.the()
    assert (recording.call_id, recording.agent) == (UUID(call.id), "default")
    assert JobKind.TRANSCRIBE in await house.jobs()


async def test_a_recording_whose_agent_is_gone_is_stored_and_nothing_more(house: House):
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    house.agents.clear()
    await house.run(fetch_handler)

    assert (await house.the()).state == RecordingState.STORED
    assert JobKind.TRANSCRIBE not in await house.jobs()


# the caller who declines


async def test_what_the_caller_declined_is_never_fetched_and_is_deleted_at_twilio(house: House):
    house.twilio.answers = {META: [httpx.Response(204)]}
    call = a_recorded_call(recording="declined")
    await house.saved(call)
    await house.told(notice(call))
    await house.run(fetch_handler)
    await house.run(delete_handler)

    recording = await house.the()
    assert (recording.state, recording.reason, recording.at_twilio) == (
        RecordingState.DELETED, "declined by the caller", False,
    )  # fmt: skip
    assert house.twilio.asked == [("DELETE", META)]
    assert await house.messages() == []


async def test_a_caller_who_declined_in_a_later_stream_has_what_is_stored_deleted(house: House):
    house.twilio.answers[META] = [httpx.Response(204)]
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    await house.run(fetch_handler)
    assert len(house.stored_files()) == 1

    await house.saved(replace(call, id=a_call().id, attempt=1, recording="declined"))
    await house.run(fetch_handler)
    await house.run(delete_handler)

    assert (await house.the()).state == RecordingState.DELETED
    assert house.stored_files() == []
    assert ("DELETE", META) in house.twilio.asked


async def test_a_recording_deleted_while_it_was_fetched_leaves_no_file(house: House, monkeypatch: pytest.MonkeyPatch):
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    put = house.storage.put

    async def deleted_meanwhile(key: str, file: Path) -> object:
        recording = await house.the()
        async with db_session(house.engine) as db:
            await request_deletion(db, recording.id, "a person deleted it")
        return await put(key, file)

    monkeypatch.setattr(house.storage, "put", deleted_meanwhile)
    await house.run(fetch_handler)

    assert (await house.the()).state == RecordingState.DELETED
    assert house.stored_files() == []


async def test_a_recording_deleted_before_twilio_had_it_ready_is_deleted_there_once_it_is(house: House):
    house.twilio.answers = {META: [httpx.Response(204)]}
    call = a_recorded_call()
    await house.saved(call)
    recording = await house.the()
    async with db_session(house.engine) as db:
        await request_deletion(db, recording.id, "its retention is over")
    await house.run(delete_handler)
    assert (await house.the()).deleted_at is not None
    await house.told(notice(call))
    await house.run(delete_handler)

    assert house.twilio.asked == [("DELETE", META)]
    assert (await house.the()).state == RecordingState.DELETED


# polling


def poll_url(call: CallRecord) -> str:
    return f"{ACCOUNT}/Calls/{call.call_sid}/Recordings.json"


async def test_a_callback_that_never_comes_is_made_up_for_by_asking(house: House):
    call = a_recorded_call()
    house.twilio.answers[poll_url(call)] = listed({"sid": SID, "call_sid": call.call_sid, "status": "completed"})
    await house.saved(call)
    await house.run(poll_handler)
    await house.run(fetch_handler)

    assert (await house.the()).state == RecordingState.STORED


async def test_a_poll_after_the_callback_asks_nobody(house: House):
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    await house.run(poll_handler)

    assert house.twilio.asked == []


async def test_a_call_without_any_recording_is_asked_about_for_two_hours(house: House):
    call = a_recorded_call()
    house.twilio.answers[poll_url(call)] = listed()
    await house.saved(call)
    pauses = []
    for attempt in range(1, MOST_POLLS):
        with pytest.raises(TryAgain) as caught:
            await house.run(poll_handler, attempt)
        pauses.append(caught.value.after_s)
    assert pauses == [120, 240, 480, 960, 1800, 1800, 1800]
    await house.run(poll_handler, MOST_POLLS)

    recording = await house.the()
    assert (recording.state, recording.reason) == (RecordingState.ABSENT, "Twilio has no recording of this call")


async def test_a_recording_that_twilio_still_gets_ready_is_asked_for_again(house: House):
    call = a_recorded_call()
    house.twilio.answers[poll_url(call)] = listed({"sid": SID, "status": "processing"})
    await house.saved(call)
    with pytest.raises(TryAgain):
        await house.run(poll_handler, MOST_POLLS + 1)

    assert (await house.the()).state == RecordingState.EXPECTED
    assert (await house.the()).twilio_sid == SID


async def test_a_completed_callback_after_an_absent_recording_was_given_up_brings_it_back(house: House):
    call = a_recorded_call()
    house.twilio.answers[poll_url(call)] = listed()
    await house.saved(call)
    await house.run(poll_handler, MOST_POLLS)
    await house.told(notice(call))
    await house.run(fetch_handler)

    assert (await house.the()).state == RecordingState.STORED


async def test_a_twilio_that_does_not_answer_is_asked_again(house: House):
    call = a_recorded_call()
    house.twilio.answers[poll_url(call)] = [httpx.Response(500)]
    await house.saved(call)
    with pytest.raises(TryAgain):
        await house.run(poll_handler, MOST_POLLS + 5)

    assert (await house.the()).state == RecordingState.EXPECTED


# deleting Twilio's copy


@pytest.mark.parametrize("status", [204, 404])
async def test_twilios_copy_goes_once_ours_is_safe_and_only_once(house: House, status: int):
    house.twilio.answers[META] = [httpx.Response(status)]
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    await house.run(fetch_handler)
    for _ in range(2):
        await house.run(delete_at_twilio_handler)

    recording = await house.the()
    assert (recording.state, recording.at_twilio) == (RecordingState.STORED, False)
    assert house.twilio.asked.count(("DELETE", META)) == 1


async def test_twilios_copy_stays_as_long_as_we_have_none(house: House):
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    with pytest.raises(GiveUp, match="copy of our own"):
        await house.run(delete_at_twilio_handler)

    assert house.twilio.asked == []


async def test_a_copy_that_cannot_be_deleted_is_tried_again(house: House):
    house.twilio.answers[META] = [httpx.Response(500)]
    call = a_recorded_call()
    await house.saved(call)
    await house.told(notice(call))
    await house.run(fetch_handler)
    with pytest.raises(TryAgain):
        await house.run(delete_at_twilio_handler)

    assert (await house.the()).at_twilio is True
