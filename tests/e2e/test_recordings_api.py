"""What is left of calls, over REST: sound, words, all of it as one file."""

import io
import json
import zipfile
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from app.call.events import Kind
from app.db.engine import db_session
from app.db.recordings import add_recording, change_recording, save_transcript
from app.db.tables import Job
from app.recordings.states import RecordingState, TranscriptState
from tests.db.test_calls import NOON
from tests.e2e.calls_api import SOUND, Api, event, kept, over

PARTS = [
    (None, 200, (0, 1024), None),
    ("bytes=0-99", 206, (0, 100), "bytes 0-99/1024"),
    ("bytes=1000-", 206, (1000, 1024), "bytes 1000-1023/1024"),
    ("bytes=-24", 206, (1000, 1024), "bytes 1000-1023/1024"),
    ("bytes=0-0,5-6", 200, (0, 1024), None),
    ("bytes=1024-", 416, None, "bytes */1024"),
]


async def test_sound_comes_whole_or_in_parts(api: Api):
    path = f"/recordings/{await api.record(await kept(api))}/audio"
    for asked, status, span, content_range in PARTS:
        headers = {"Range": asked} if asked else {}
        answer = await api.get(path, headers=headers)
        assert (answer.status_code, answer.headers.get("content-range")) == (status, content_range), asked
        head = await api.http.head(f"/api/v1{path}", headers=headers)
        assert (head.status_code, head.content) == (status, b"")
        if span:
            assert answer.content == SOUND[slice(*span)]
            assert answer.headers["content-type"] == "audio/wav"
            assert head.headers["content-length"] == answer.headers["content-length"] == str(span[1] - span[0])


async def test_a_copy_that_is_there_is_not_sent_again_and_one_that_changed_is_sent_whole(api: Api):
    path = f"/recordings/{await api.record(await kept(api))}/audio"
    tag = (await api.get(path)).headers["etag"]
    assert (await api.get(path, headers={"If-None-Match": tag})).status_code == 304
    part = {"Range": "bytes=0-1"}
    assert (await api.get(path, headers=part | {"If-Range": tag})).status_code == 206
    assert (await api.get(path, headers=part | {"If-Range": '"older"'})).status_code == 200


async def test_sound_that_is_not_there_is_explained(api: Api):
    call = await kept(api)
    recording = await api.record(call)
    path = f"/recordings/{recording}/audio"
    await api.house.services.storage.delete(f"2026/01/{call.id}.wav")
    assert (await api.get(path)).json()["code"] == "recording_missing"
    for state, status in ((RecordingState.EXPECTED, 409), (RecordingState.FAILED, 409), (RecordingState.DELETED, 410)):
        async with db_session(api.house.engine) as db:
            await change_recording(db, recording, state=state)
        answer = await api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, f"recording_{state}")
        assert (await api.get(f"/recordings/{recording}")).json()["audio"] is None


async def test_words_are_read_in_every_format(api: Api):
    call = await kept(api)
    path = f"/calls/{call.id}/transcript"
    assert (await api.get(path)).json()["code"] == "no_transcript"
    async with db_session(api.house.engine) as db:
        about = {"call_sid": call.call_sid, "account_sid": call.account_sid, "agent": call.agent, "source": "twilio"}
        await add_recording(db, call_id=UUID(call.id), state="absent", reason="it was too short", **about)
    assert "absent, it was too short" in (await api.get(path)).json()["detail"]
    said = [{"speaker": "caller", "start_ms": 0, "end_ms": 900, "text": "Hello"}]
    await api.record(call, said)

    assert (await api.get(path)).json()["segments"] == said
    assert (await api.get(path, params={"format": "text"})).text == "[00:00] Caller: Hello\n"
    vtt = await api.get(path, headers={"Accept": "text/vtt"})
    assert vtt.text.startswith("WEBVTT")
    assert vtt.headers["content-type"] == "text/vtt; charset=utf-8"
    assert "00:00:00,000 --> 00:00:00,900" in (await api.get(path, params={"format": "srt"})).text
    assert (await api.get(path, params={"format": "pdf"})).status_code == 422


async def test_words_that_are_still_to_come_are_no_empty_file(api: Api):
    call = await kept(api)
    recording = await api.record(call, [])
    async with db_session(api.house.engine) as db:
        await save_transcript(db, recording, state=TranscriptState.WAITING, call_id=UUID(call.id))
    assert (await api.get(f"/calls/{call.id}/transcript")).json()["state"] == "waiting"
    answer = await api.get(f"/calls/{call.id}/transcript", params={"format": "vtt"})
    assert (answer.status_code, answer.json()["code"]) == (409, "transcript_waiting")


async def test_a_recording_can_be_written_down_again(api: Api):
    recording = await api.record(await kept(api), [])
    answer = await api.http.post(f"/api/v1/recordings/{recording}/transcribe")
    assert (answer.status_code, answer.json()["transcript"]["state"]) == (202, "waiting")
    async with db_session(api.house.engine) as db:
        assert [job.kind for job in await db.scalars(select(Job).where(Job.subject == str(recording)))] == [
            "transcribe"
        ]


async def test_a_numbers_calls_are_exported_with_their_sound(api: Api):
    calls = [over(started_at=NOON + timedelta(minutes=minutes)) for minutes in range(2)]
    for call in calls:
        await api.keep(call, event(1, Kind.CALLER_DTMF, digit="5"))
    await api.record(calls[0], [{"speaker": "caller", "start_ms": 0, "end_ms": 9, "text": "Grüezi"}])
    answer = await api.get("/calls/export", params={"number": calls[0].from_number})
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    folder = f"2026-01-01T120000Z_{calls[0].id}"
    assert archive.read(f"{folder}/{calls[0].id}.wav") == SOUND
    assert json.loads(archive.read(f"{folder}/{calls[0].id}.transcript.json"))["text"] == "Grüezi"
    assert json.loads(archive.read(f"{folder}/call.json"))["call"]["from_number"] == calls[0].from_number
    assert json.loads(archive.read(f"2026-01-01T120100Z_{calls[1].id}/events.jsonl"))["data"] == {"digit": "5"}
