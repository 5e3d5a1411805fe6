"""A message that a caller has left, told of by its verb's action and by its recording's callback, in any order."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app.call.journal.voicemail import VoicemailLeft
from app.call.record import CallRecord
from app.call.status import CallStatus, EndReason
from app.conf.models import AgentConf
from app.conf.models.recording import RecordingPolicy as Policy
from app.db.calls import find_call, find_events, record_call
from app.db.engine import db_session
from app.db.ids import uuid7
from app.db.tables import Call
from app.errors import DatabaseError
from app.jobs.calls.voicemail import Voicemails, save_voicemail
from app.jobs.job import TryAgain
from app.jobs.recordings.twilio_fetch import fetch_handler
from app.jobs.recordings.twilio_poll import poll_handler
from app.recordings.states import RecordingState
from app.twilio.recordings import Course, Notice
from tests.db.twilio_house import (
    META,
    MONO,
    SID,
    SOUND,
    House,
    a_recorded_call,
    listed,
    notice,
    open_house,  # noqa: F401 (a fixture)
    sound,
)


def a_message(**changes: object) -> VoicemailLeft:
    given = {"id": str(uuid7()), "end_reason": EndReason.VOICEMAIL, "status": CallStatus.ENDED, "attempt": 1}
    return VoicemailLeft(call=a_recorded_call(**(given | changes)), recording_sid=SID)


async def left(house: House, message: VoicemailLeft) -> None:
    agent = house.agents.get(message.call.agent, AgentConf())
    await save_voicemail(house.engine, agent, message, poll_after_s=60)


def told(message: VoicemailLeft, course: Course = Course.READY) -> Notice:
    return replace(notice(message.call, course), message=True, agent=message.call.agent)


async def fetched(house: House) -> None:
    house.twilio.answers[SOUND] = [sound(MONO)]
    await house.run(fetch_handler)


@pytest.mark.parametrize("order", ["action first", "callback first", "all of it twice"])
async def test_a_message_is_one_call_with_its_recording_and_its_transcript_is_wanted(house: House, order: str):
    message = a_message()
    news = [lambda: left(house, message), lambda: house.told(told(message))]
    for tell in {"action first": news, "callback first": news[::-1]}.get(order, [*news, *news]):
        await tell()
    await fetched(house)
    recording = await house.the()
    assert (str(recording.call_id), recording.source, recording.state) == (message.call.id, "voicemail", "stored")
    assert (recording.caller_channel, recording.channels, recording.reason) == ("only", 1, None)
    async with db_session(house.engine) as db:
        call = await find_call(db, message.call.call_sid)
        events = await find_events(db, message.call.id)
    assert call
    assert (call.end_reason, call.attempt, call.agent) == (EndReason.VOICEMAIL, 1, "default")
    assert [event.kind for event in events] == ["voicemail.left", "call.ended"]
    assert "transcribe" in await house.jobs()
    assert sorted(await house.messages()) == ["call.ended", "recording.ready", "voicemail.received"]


async def test_who_declined_the_recording_of_a_conversation_and_then_leaves_a_message_has_left_it(house: House):
    conversation = a_recorded_call(recording="declined")
    message = a_message(call_sid=conversation.call_sid)
    await house.saved(conversation, expected=False)
    await left(house, message)
    await house.told(told(message))
    await fetched(house)
    assert (await house.the()).state == RecordingState.STORED


async def test_the_recording_of_a_conversation_and_the_message_after_it_are_two(house: House):
    conversation = a_recorded_call()
    await house.saved(conversation)
    message = a_message(call_sid=conversation.call_sid)
    await house.told(told(message))
    await left(house, message)
    recordings = {each.source: each for each in await house.recordings()}
    assert str(recordings["twilio"].call_id) == conversation.id
    assert (str(recordings["voicemail"].call_id), recordings["twilio"].twilio_sid) == (message.call.id, None)


async def test_a_message_finds_a_place_behind_the_streams_of_its_phone_call(house: House):
    conversation = a_recorded_call(attempt=1)
    await house.saved(conversation, expected=False)
    message = a_message(call_sid=conversation.call_sid, attempt=1)
    await left(house, message)
    await left(house, message)
    async with db_session(house.engine) as db:
        found = dict((await db.execute(select(Call.attempt, Call.end_reason).order_by(Call.attempt))).all())
    assert found == {1: conversation.end_reason, 2: "voicemail"}


async def test_a_message_is_forgotten_when_its_agent_says_so(house: House):
    house.agents["default"] = AgentConf(recording=Policy(retention_days=7))
    message = a_message()
    await left(house, message)
    due = message.call.started_at + timedelta(days=7)
    assert (await house.the()).delete_after == due
    async with db_session(house.engine) as db:
        assert (await db.scalars(select(Call.forget_after))).all() == [due]


async def test_of_a_message_whose_action_never_came_the_recording_is_kept_for_as_long_as_its_agent_says(house: House):
    house.agents["default"] = AgentConf(recording=Policy(retention_days=7))
    await house.told(told(a_message()))
    with pytest.raises(TryAgain):
        await fetched(house)
    async with db_session(house.engine) as db:
        await db.execute(text("update recordings set created_at = now() - interval '11 minutes'"))
    await fetched(house)
    recording = await house.the()
    assert (recording.state, recording.call_id) == ("stored", None)
    assert recording.delete_after == recording.created_at + timedelta(days=7)


async def test_a_message_whose_callback_never_came_is_asked_for(house: House):
    message = a_message()
    await left(house, message)
    assert await house.jobs() == ["poll_recording"]
    at_twilio = {"sid": SID, "status": "completed", "source": "RecordVerb"}
    address = META.replace(f"Recordings/{SID}", f"Calls/{message.call.call_sid}/Recordings")
    house.twilio.answers[address] = listed(at_twilio)
    await house.run(poll_handler)
    assert "fetch_recording" in await house.jobs()
    assert (await house.the()).source == "voicemail"


async def test_a_message_waits_on_disk_for_a_database_that_is_away(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    away = True

    async def save(engine: object, agent: AgentConf, news: VoicemailLeft, *, poll_after_s: float) -> None:
        if away:
            raise DatabaseError("away")
        await save_voicemail(engine, agent, news, poll_after_s=poll_after_s)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr("app.jobs.calls.voicemail.save_voicemail", save)
    monkeypatch.setattr("app.jobs.disk_queue.FIRST_PAUSE_S", 0.01)
    message = a_message()
    await Voicemails(tmp_path, house.engine, house.context.conf, poll_after_s=60).take(message)
    assert await house.recordings() == []

    after = asyncio.create_task(Voicemails(tmp_path, house.engine, house.context.conf, poll_after_s=60).run())
    await asyncio.sleep(0.05)
    away = False
    async with asyncio.timeout(5):
        while not await house.recordings():  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.01)
    after.cancel()
    assert str((await house.the()).call_id) == message.call.id


async def test_a_later_stream_that_comes_home_late_has_its_own_place(house: House):
    """The model was lost in the first stream: its folder may be brought home after the message."""
    message = a_message()
    await left(house, message)
    stream: CallRecord = a_recorded_call(call_sid=message.call.call_sid, id=str(uuid7()), attempt=0)
    async with db_session(house.engine) as db:
        await record_call(db, stream, [])
        assert len(list(await db.scalars(select(Call)))) == 2
