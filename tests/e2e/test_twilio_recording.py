"""Twilio's recording of a whole call, from the ring to our storage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.conf.models import AgentConf
from app.db.engine import db_session
from app.db.tables import Job, Recording
from app.jobs.handlers import handlers
from app.jobs.job import JobKind
from app.jobs.open import open_context, working
from app.jobs.twilio_recording import expect_twilio_recording
from app.recordings.states import RecordingState
from app.recordings.storage import Storage, open_storage
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.twilio import RecordingManners, SandboxCall
from app.sandbox.twilio.rest import serving
from app.sandbox.twilio.timeline import VerbStarted
from app.sandbox.voices.clips import clip
from app.timing import Deadlines
from tests.e2e.rig import QUICK, Rig

GREETS = [Reply.of(Say.phrase("greeting"))]
LATE = RecordingManners(late_ms=4000)
POLL_S = 0.2


@asynccontextmanager
async def jobs(house: Rig) -> AsyncIterator[Storage]:
    """Work at what follows a call, as the server does; gives the storage."""
    storage = open_storage(None, house.data_dir)
    async with open_context(
        engine=house.engine,
        conf=house.services.store,
        storage=storage,
        twilio_api_base_url=house.twilio.api_base_url,
        transcription_url="http://127.0.0.1:1",
        deadlines=Deadlines(),
    ) as context:
        ours = {JobKind.POLL_RECORDING, JobKind.FETCH_RECORDING, JobKind.DELETE_AT_TWILIO}
        mine = {kind: handler for kind, handler in handlers(context).items() if kind in ours}
        async with working(house.engine, mine, grace_s=0.5):
            yield storage


async def a_call(house: Rig, agent: dict[str, Any]) -> SandboxCall:
    """A call of a greeting and a question, until it is known to the database."""
    call = await house.ring()
    await call.wait_heard(len(clip("greeting")) // 8)
    await call.say(clip("table_tonight"))
    await call.hang_up()
    record, _ = await house.settled(call)
    async with db_session(house.engine) as db:
        await expect_twilio_recording(db, record, AgentConf.model_validate(agent), poll_after_s=POLL_S)
    return call


async def recordings(house: Rig) -> list[Recording]:
    async with db_session(house.engine) as db:
        return list(await db.scalars(select(Recording).where(Recording.source == "twilio")))


async def in_state(house: Rig, state: RecordingState, *, at_twilio: bool = True) -> Recording:
    """The one recording, once it is there."""
    async with asyncio.timeout(15):
        while True:
            for each in await recordings(house):
                if (each.state, each.at_twilio) == (state, at_twilio):
                    return each
            await asyncio.sleep(0.05)


async def test_twilios_recording_arrives_whole_and_nothing_is_fetched_from_the_callbacks_url(rig):
    hits = []

    async def canary(request: Request) -> Response:
        hits.append(str(request.url))
        return Response(b"RIFF")

    agent = {"recording": {"source": "twilio"}}
    house = await rig(ScriptedBrain(GREETS), agent=agent)
    trap = Starlette(routes=[Route("/{path:path}", canary, methods=["GET", "HEAD"])])
    async with serving(trap, "127.0.0.1", 0) as forged, jobs(house) as storage:
        house.twilio.recordings.manners = RecordingManners(late_ms=4000, url=f"{forged}/RE1", times=2, elsewhere=True)
        call = await a_call(house, agent)
        recording = await in_state(house, RecordingState.STORED)

        [made] = house.twilio.recordings.of(call)
        sound = b"".join([piece async for piece in storage.read(recording.key)])
        assert sound == made.wav(2)
        assert (recording.twilio_sid, recording.call_sid, recording.channels) == (made.sid, call.call_sid, 2)
        assert abs(recording.duration_ms - made.ms) < 2
        async with db_session(house.engine) as db:
            kinds = list(await db.scalars(select(Job.kind)))
        assert kinds.count(JobKind.TRANSCRIBE) == kinds.count(JobKind.FETCH_RECORDING) == 1
    assert hits == []
    assert call.warnings == []


async def test_a_callback_that_never_comes_is_made_up_for_by_asking_and_twilios_copy_deleted(rig):
    agent = {"recording": {"source": "twilio", "transcription": None, "delete_at_twilio": True}}
    house = await rig(ScriptedBrain(GREETS), agent=agent, deadlines=replace(QUICK, recording_poll_s=POLL_S))
    async with jobs(house):
        house.twilio.recordings.manners = RecordingManners(callback="never")
        call = await a_call(house, agent)
        recording = await in_state(house, RecordingState.STORED, at_twilio=False)

    assert house.twilio.recordings.deleted == [recording.twilio_sid]
    assert house.twilio.recordings.of(call) == []


async def test_a_reconnected_call_is_recorded_once_and_through(rig):
    agent = {"recording": {"source": "both"}}
    house = await rig(ScriptedBrain(GREETS * 2), agent=agent)
    house.twilio.recordings.manners = LATE
    async with jobs(house):
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
