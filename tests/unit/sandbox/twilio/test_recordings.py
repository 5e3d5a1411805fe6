"""Recordings of rehearsed calls: what they hold, what is told of them, and what REST makes of them."""

import asyncio
import struct
from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest

from app.audio import BYTES_PER_MS
from app.sandbox.twilio import RecordingManners, SandboxCall, SandboxTwilio
from app.sandbox.twilio.recordings import SandboxRecording
from tests.unit.sandbox.twilio.conftest import ACCOUNT
from tests.unit.sandbox.twilio.tiny_server import TOKEN, Media, TinyServer

CALLS = f"/2010-04-01/Accounts/{ACCOUNT}/Calls"
RECORDINGS = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings"
START = (
    '<Start><Recording recordingStatusCallback="/recorded"'
    ' recordingStatusCallbackEvent="in-progress completed absent"/>'
    '</Start><Connect><Stream url="STREAM"/></Connect>'
)
LOUD, SOFT = b"\x80", b"\xc0"  # the loudest code, and a soft one


@pytest.fixture
async def rest(twilio: SandboxTwilio) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=twilio.api_base_url, auth=(ACCOUNT, TOKEN), trust_env=False) as client:
        yield client


@pytest.fixture(autouse=True)
def agent(server: TinyServer) -> None:
    """It says half a second of loud sound, and the call is recorded from its beginning."""

    async def talk(media: Media) -> None:
        await media.play(LOUD * 500 * BYTES_PER_MS)
        await media.until_closed()

    server.talk = talk
    server.answer("/voice", START)


async def a_call(twilio: SandboxTwilio) -> tuple[SandboxCall, SandboxRecording]:
    call = await twilio.place_call(to="+15550199", from_="+15550100")
    await call.wait_heard(500)
    [recording] = twilio.recordings.of(call)
    return call, recording


def channels(body: bytes) -> list[np.ndarray]:
    count, rate = struct.unpack_from("<HI", body, 22)
    assert (body[:4], body[8:12], rate) == (b"RIFF", b"WAVE", 8000)
    assert len(body) == 8 + struct.unpack_from("<I", body, 4)[0]
    samples = np.frombuffer(body[44:], "<i2").reshape(-1, count)
    return [samples[:, channel] for channel in range(count)]


def statuses(server: TinyServer) -> list[str]:
    assert all(hook.signed for hook in server.hooks("/recorded"))
    return [hook.form["RecordingStatus"] for hook in server.hooks("/recorded")]


async def test_a_recording_has_the_caller_left_and_the_agent_right_for_as_long_as_the_call(
    twilio: SandboxTwilio, rest: httpx.AsyncClient
):
    call, recording = await a_call(twilio)
    await call.say(SOFT * 300 * BYTES_PER_MS)
    await call.hang_up()
    answer = await rest.get(f"{RECORDINGS}/{recording.sid}.wav?RequestedChannels=2")

    assert answer.headers["content-type"] == "audio/x-wav"
    caller, agent = channels(answer.content)
    assert (agent == 32124).sum() == 500 * BYTES_PER_MS
    assert len(np.unique(np.abs(caller))) == 2
    assert (caller != 0).sum() == 300 * BYTES_PER_MS
    assert abs(len(caller) / BYTES_PER_MS - recording.ms) < 1


async def test_one_channel_is_a_mix_and_an_mp3_is_not_there(twilio: SandboxTwilio, rest: httpx.AsyncClient):
    call, recording = await a_call(twilio)
    await call.hang_up()
    [mix] = channels((await rest.get(f"{RECORDINGS}/{recording.sid}.wav?RequestedChannels=1")).content)

    assert (mix == 32124).sum() == 500 * BYTES_PER_MS
    assert (await rest.get(f"{RECORDINGS}/{recording.sid}.mp3")).status_code == 404
    assert (await rest.get(f"{RECORDINGS}/{recording.sid}.wav", auth=("x", "y"))).status_code == 401


async def test_callbacks_are_signed_and_the_last_one_comes_after_the_calls_own(
    twilio: SandboxTwilio, server: TinyServer
):
    call, recording = await a_call(twilio)
    await call.hang_up()

    assert statuses(server) == ["in-progress", "completed"]
    assert [hook.path for hook in server.webhooks][-2:] == ["/status", "/recorded"]
    last = server.webhooks[-1].form
    assert (
        last.items()
        >= {
            "AccountSid": ACCOUNT,
            "CallSid": call.call_sid,
            "RecordingSid": recording.sid,
            "RecordingUrl": f"https://api.twilio.com{RECORDINGS}/{recording.sid}",
            "RecordingChannels": "2",
            "RecordingSource": "StartCallRecordingTwiML",
            "ErrorCode": "0",
        }.items()
    )


@pytest.mark.parametrize(
    ("manners", "told"),
    [
        (RecordingManners(callback="never"), []),
        (RecordingManners(times=2), ["in-progress"] * 2 + ["completed"] * 2),
        (RecordingManners(outcome="absent", error_code=16101), ["in-progress", "absent"]),
        (RecordingManners(outcome="failed"), ["in-progress", "failed"]),
    ],
)
async def test_callbacks_come_as_they_are_ordered(
    twilio: SandboxTwilio, server: TinyServer, manners: RecordingManners, told: list[str]
):
    twilio.recordings.manners = manners
    call, _ = await a_call(twilio)
    await call.hang_up()

    assert statuses(server) == told


async def test_a_callback_can_come_before_the_calls_own_or_long_after_it(twilio: SandboxTwilio, server: TinyServer):
    twilio.recordings.manners = RecordingManners(callback="before")
    early, _ = await a_call(twilio)
    await early.hang_up()
    assert [hook.path for hook in server.webhooks][-2:] == ["/recorded", "/status"]

    twilio.recordings.manners = RecordingManners(late_ms=1000)
    late, _ = await a_call(twilio)
    await late.hang_up()
    assert statuses(server)[-1] == "in-progress"
    async with asyncio.timeout(2):
        await late.chronicle.until(lambda: statuses(server)[-1] == "completed")


async def test_a_pause_is_silent_and_a_stopped_recording_ends(twilio: SandboxTwilio, rest: httpx.AsyncClient):
    call = await twilio.place_call(to="+15550199", from_="+15550100")
    await call.wait_stream()
    current = f"{CALLS}/{call.call_sid}/Recordings/Twilio.CURRENT.json"
    paused = await rest.post(current, data={"Status": "paused", "PauseBehavior": "silence"})
    await call.wait_heard(500)
    resumed = await rest.post(current, data={"Status": "in-progress"})
    await call.say(SOFT * 100 * BYTES_PER_MS)
    [recording] = twilio.recordings.of(call)
    stopped = await rest.post(current, data={"Status": "stopped"})
    await call.say(SOFT * 100 * BYTES_PER_MS)
    again = await rest.post(current, data={"Status": "stopped"})
    await call.hang_up()

    assert [each.json()["status"] for each in (paused, resumed, stopped)] == ["paused", "in-progress", "completed"]
    assert (again.status_code, again.json()["code"]) == (404, 20404)
    caller, agent = channels((await rest.get(f"{RECORDINGS}/{recording.sid}.wav")).content)
    assert (agent != 0).sum() < 400 * BYTES_PER_MS
    assert (caller != 0).sum() < 150 * BYTES_PER_MS  # what was said behind the stop would make it 200


async def test_recordings_are_listed_fetched_and_deleted_as_the_api_shows_them(
    twilio: SandboxTwilio, rest: httpx.AsyncClient
):
    call, recording = await a_call(twilio)
    await call.hang_up()
    listed = (await rest.get(f"{CALLS}/{call.call_sid}/Recordings.json")).json()
    fetched = (await rest.get(f"{RECORDINGS}/{recording.sid}.json")).json()
    deleted = await rest.delete(f"{RECORDINGS}/{recording.sid}.json")
    again = await rest.delete(f"{RECORDINGS}/{recording.sid}.json")

    assert listed["recordings"] == [fetched]
    assert listed["next_page_uri"] is None
    assert (fetched["status"], fetched["channels"], fetched["error_code"]) == ("completed", 2, None)
    assert fetched["call_sid"] == call.call_sid
    assert (deleted.status_code, deleted.content, again.status_code) == (204, b"", 404)
    assert twilio.recordings.deleted == [recording.sid]
    assert (await rest.get(f"{RECORDINGS}.json")).json()["recordings"] == []


async def test_the_sound_can_be_missing_broken_off_and_kept_elsewhere(twilio: SandboxTwilio, rest: httpx.AsyncClient):
    twilio.recordings.manners = RecordingManners(missing=1, cut=1)
    call, recording = await a_call(twilio)
    await call.hang_up()
    sound = f"{RECORDINGS}/{recording.sid}.wav"

    assert (await rest.get(sound)).status_code == 404
    with pytest.raises(httpx.RemoteProtocolError):
        await rest.get(sound)
    assert (await rest.get(sound)).status_code == 200

    twilio.recordings.manners = RecordingManners(elsewhere=True)
    call, recording = await a_call(twilio)
    await call.hang_up()
    moved = await rest.get(f"{RECORDINGS}/{recording.sid}.wav?RequestedChannels=2")
    assert moved.status_code == 307
    async with httpx.AsyncClient(trust_env=False) as stranger:
        assert len(channels((await stranger.get(moved.headers["location"])).content)) == 2
        assert (await stranger.get(moved.headers["location"], auth=(ACCOUNT, TOKEN))).status_code == 400


async def test_a_call_that_the_server_places_is_recorded_where_it_says_so(
    twilio: SandboxTwilio, server: TinyServer, rest: httpx.AsyncClient
):
    data = {
        "To": "+15550123",
        "From": "+15550199",
        "Twiml": "<Response><Pause/></Response>",
        "Record": "true",
        "RecordingChannels": "dual",
        "RecordingStatusCallback": f"{server.origin}/recorded",
        "RecordingStatusCallbackEvent": "completed",
    }
    await rest.post(f"{CALLS}.json", data=data)
    call = await twilio.outbound_call()
    await call.wait_ended()

    [told] = server.hooks("/recorded")
    assert (told.form["RecordingSource"], told.form["RecordingChannels"]) == ("OutboundAPI", "2")


async def test_a_live_call_can_be_recorded_over_rest_and_one_that_is_over_cannot(
    twilio: SandboxTwilio, rest: httpx.AsyncClient
):
    call, _ = await a_call(twilio)
    started = await rest.post(f"{CALLS}/{call.call_sid}/Recordings.json")
    await call.hang_up()
    late = await rest.post(f"{CALLS}/{call.call_sid}/Recordings.json")

    assert (started.status_code, started.json()["channels"], started.json()["duration"]) == (201, 1, "-1")
    assert late.json()["code"] == 21220
