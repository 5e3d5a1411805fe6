"""Twilio's recording of a whole call, from the ring to our storage."""

import asyncio
from dataclasses import replace

import httpx
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.db.engine import db_session
from app.db.tables import Job, Recording
from app.jobs.job import JobKind
from app.recordings.states import RecordingState
from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.twilio import RecordingManners, SandboxCall
from app.sandbox.twilio.rest import serving
from app.sandbox.twilio.timeline import VerbStarted
from app.sandbox.voices.clips import clip
from tests.e2e.rig import QUICK, Rig

GREETS = [Reply.of(Say.phrase("greeting"))]
LATE = RecordingManners(late_ms=4000)
"""When the call's own row is there."""


async def a_call(house: Rig) -> SandboxCall:
    """A call of a greeting and a question, until it is known to the database."""
    call = await house.ring()
    await call.wait_heard(len(clip("greeting")) // 8)
    await call.say(clip("table_tonight"))
    await call.hang_up()
    await house.settled(call)
    return call


async def recordings(house: Rig, source: str = "twilio") -> list[Recording]:
    async with db_session(house.engine) as db:
        return list(await db.scalars(select(Recording).where(Recording.source == source)))


async def in_state(house: Rig, state: RecordingState, *, at_twilio: bool = True, source: str = "twilio") -> Recording:
    """The one recording, once it is there."""
    async with asyncio.timeout(15):
        while True:
            for each in await recordings(house, source):
                if (each.state, each.at_twilio) == (state, at_twilio):
                    return each
            await asyncio.sleep(0.05)


async def test_twilios_recording_arrives_whole_and_nothing_is_fetched_from_the_callbacks_url(rig):
    hits = []

    async def canary(request: Request) -> Response:
        hits.append(str(request.url))
        return Response(b"RIFF")

    house = await rig(ScriptedBrain(GREETS), agent={"recording": {"source": "twilio"}})
    trap = Starlette(routes=[Route("/{path:path}", canary, methods=["GET", "HEAD"])])
    async with serving(trap, "127.0.0.1", 0) as forged:
        house.twilio.recordings.manners = replace(LATE, url=f"{forged}/RE1", times=2, elsewhere=True)
        call = await a_call(house)
        recording = await in_state(house, RecordingState.STORED)

    [made] = house.twilio.recordings.of(call)
    sound = b"".join([piece async for piece in house.services.storage.read(recording.key or "")])
    assert sound == made.wav(2)
    assert (recording.twilio_sid, recording.call_sid, recording.channels) == (made.sid, call.call_sid, 2)
    assert abs(recording.duration_ms - made.ms) < 2
    async with db_session(house.engine) as db:
        kinds = list(await db.scalars(select(Job.kind)))
    assert kinds.count(JobKind.TRANSCRIBE) == kinds.count(JobKind.FETCH_RECORDING) == 1
    assert await recordings(house, "own") == []
    assert hits == []
    assert call.warnings == []


async def test_a_callback_that_never_comes_is_made_up_for_by_asking_and_twilios_copy_deleted(rig):
    agent = {"recording": {"source": "twilio", "transcription": None, "delete_at_twilio": True}}
    house = await rig(ScriptedBrain(GREETS), agent=agent, deadlines=replace(QUICK, recording_poll_s=0.2))
    house.twilio.recordings.manners = RecordingManners(callback="never")
    call = await a_call(house)
    recording = await in_state(house, RecordingState.STORED, at_twilio=False)

    assert house.twilio.recordings.deleted == [recording.twilio_sid]
    assert house.twilio.recordings.of(call) == []


async def test_a_caller_who_declines_leaves_nothing_in_our_storage_and_nothing_at_twilio(rig):
    declines = Reply.of(Say.phrase("greeting"), CallTool("stop_recording"))
    policy = {"source": "both", "consent_line": "This call is recorded."}
    deadlines = replace(QUICK, recording_poll_s=0.2)
    house = await rig(ScriptedBrain([declines, *GREETS]), agent={"recording": policy}, deadlines=deadlines)
    house.twilio.recordings.manners = RecordingManners(callback="never")
    call = await house.ring()
    await call.wait_for(lambda call: any(made.ended_ms is not None for made in house.twilio.recordings.of(call)))
    await call.hang_up()
    await house.settled(call)
    ours = await in_state(house, RecordingState.DELETED, at_twilio=False, source="own")
    theirs = await in_state(house, RecordingState.DELETED, at_twilio=False)

    assert (ours.reason, theirs.reason) == ("declined by the caller",) * 2
    async with asyncio.timeout(10):
        while not house.twilio.recordings.deleted:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert house.twilio.recordings.of(call) == []
    assert not list((house.data_dir / "recordings").rglob("*.wav"))


async def test_a_reconnected_call_is_recorded_once_and_through(rig):
    house = await rig(ScriptedBrain(GREETS * 2), agent={"recording": {"source": "both"}})
    house.twilio.recordings.manners = LATE
    call = await house.ring()
    await call.wait_heard(500)
    await call.drop()
    await call.wait_for(lambda call: len(call.streams) == 2 and call.streams[1].begun)
    await call.wait_heard(call.heard_ms + 500)
    await call.hang_up()
    await house.settled(call)
    recording = await in_state(house, RecordingState.STORED)

    starts = [moment for moment in call.timeline if isinstance(moment, VerbStarted) and moment.verb.name == "Start"]
    assert len(starts) == 1
    [made] = house.twilio.recordings.of(call)
    assert abs(recording.duration_ms - made.ms) < 2


async def test_an_unsigned_callback_is_refused_and_leaves_nothing(rig):
    house = await rig(ScriptedBrain(GREETS), agent={})
    forged = {
        "AccountSid": house.twilio.account_sid,
        "CallSid": "CA" + "1" * 32,
        "RecordingSid": "RE" + "1" * 32,
        "RecordingStatus": "completed",
    }
    for headers in ({}, {"X-Twilio-Signature": "forged"}):
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{house.url}/twilio/recording", data=forged, headers=headers)
        assert answer.status_code == 403

    truly = await house.twilio.webhook(forged, url=f"{house.url}/twilio/recording")
    assert truly.status == 204
    assert (await in_state(house, RecordingState.EXPECTED)).twilio_sid == "RE" + "1" * 32
    assert len(await recordings(house)) == 1
