"""Calls over REST: what was, what goes on, and what is left of it."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from app.call.events import Kind, NumberedEvent
from app.call.record import CallRecord
from app.call.status import CallStatus, EndReason
from app.db.api_keys import add_key
from app.db.audit import Actor
from app.db.calls import record_call
from app.db.engine import db_session
from app.db.live_calls import add_events, record_live
from app.db.recordings import add_recording, change_recording, save_transcript
from app.db.tables import Job
from app.recordings.states import RecordingState, TranscriptState
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from tests.db.test_calls import NOON, a_call
from tests.e2e.rig import CALLER, Rig, open_rig

KEY = "parley_" + "k" * 43
SHARED = {"admin_api_key": KEY, "secret_key": "s" * 32}
HELLO = Reply.of(Say.words("Hello there.", 1000))
SOUND = bytes(range(256)) * 4
"""Not a WAV, but nobody here listens to it."""
REFUSED = [
    ("/calls/01900000-0000-7000-8000-000000000000", 404, "not_found"),
    ("/calls/01900000-0000-7000-8000-000000000000/events", 404, "not_found"),
    ("/calls/01900000-0000-7000-8000-000000000000/recordings", 404, "not_found"),
    ("/calls/01900000-0000-7000-8000-000000000000/transcript", 404, "not_found"),
    ("/recordings/01900000-0000-7000-8000-000000000000", 404, "not_found"),
    ("/recordings/01900000-0000-7000-8000-000000000000/audio", 404, "not_found"),
    ("/calls/export?number=%2B15550009999", 404, "not_found"),
    ("/calls/nonsense", 422, "invalid_request"),
    ("/calls?since=yesterday", 422, "invalid_request"),
    ("/calls?since=0001-01-01T00:00:00%2B14:00", 422, "invalid_request"),
    ("/calls?text=a%00b", 422, "invalid_request"),
    ("/calls?limit=101", 422, "invalid_request"),
    ("/calls?status=asleep", 422, "invalid_request"),
]
PARTS = [
    (None, 200, (0, 1024), None),
    ("bytes=0-99", 206, (0, 100), "bytes 0-99/1024"),
    ("bytes=1000-", 206, (1000, 1024), "bytes 1000-1023/1024"),
    ("bytes=-24", 206, (1000, 1024), "bytes 1000-1023/1024"),
    ("bytes=0-0,5-6", 200, (0, 1024), None),
    ("bytes=1024-", 416, None, "bytes */1024"),
]


@dataclass(frozen=True, slots=True)
class Api:
    """A server, and a client that has a key."""

    house: Rig
    http: httpx.AsyncClient

    async def get(self, path: str, **options) -> httpx.Response:
        return await self.http.get(f"/api/v1{path}", **options)

    async def keep(self, call: CallRecord, *events: NumberedEvent) -> None:
        async with db_session(self.house.engine) as db:
            await record_call(db, call, events)

    async def record(self, call: CallRecord, words: list[dict] | None = None) -> UUID:
        """A recording in the storage, and perhaps its words."""
        file = self.house.data_dir / f"{call.id}.tmp"
        file.write_bytes(SOUND)
        stored = await self.house.services.storage.put(f"2026/01/{call.id}.wav", file)
        async with db_session(self.house.engine) as db:
            recording = await add_recording(
                db, id=UUID(call.id), call_sid=call.call_sid, account_sid=call.account_sid, call_id=UUID(call.id),
                source="own", agent=call.agent, state=RecordingState.STORED, key=stored.key, bytes=stored.bytes,
                sha256=stored.sha256, duration_ms=1000, channels=2,
            )  # fmt: skip
            if words is not None:
                text = "\n".join(each["text"] for each in words)
                done = {"state": TranscriptState.DONE, "call_id": UUID(call.id), "text": text, "segments": words}
                await save_transcript(db, UUID(call.id), **done)
        assert recording
        return recording.id


@asynccontextmanager
async def client(url: str, key: str = KEY) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=10
    ) as http:
        yield http


@pytest.fixture
async def api(rig) -> AsyncIterator[Api]:
    house = await rig(ScriptedBrain([HELLO, HELLO]), agent={}, **SHARED)
    async with client(house.url) as http:
        yield Api(house, http)


def over(**changes) -> CallRecord:
    ended = {"status": CallStatus.ENDED, "end_reason": EndReason.CALLER_HANGUP, "ended_at": NOON + timedelta(minutes=2)}
    return replace(a_call(), **(ended | changes))


def event(seq: int, kind: str = Kind.CALLER_SPEECH_ENDED, **data) -> NumberedEvent:
    return NumberedEvent(seq, kind, seq * 100, data)


async def told(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, str, dict]]:
    """The events of a stream: id, kind and data."""
    fields: dict[str, str] = {}
    async for line in lines:
        if not line:
            if "data" in fields:
                yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


def following(http: httpx.AsyncClient, call_id: str, **headers: str):
    return http.stream("GET", f"/api/v1/calls/{call_id}/events", headers={"Accept": "text/event-stream"} | headers)


# -- calls that were


async def test_a_call_is_told_whole(api: Api):
    call = await api.house.ring()
    await call.wait_heard(1000)
    await call.hang_up()
    record, _ = await api.house.settled(call)

    [line] = (await api.get("/calls", params={"number": CALLER})).json()["data"]
    shown = (await api.get(f"/calls/{record.id}")).json()
    assert line["id"] == shown["id"] == record.id
    assert (shown["status"], shown["end_reason"]) == ("ended", "caller_hangup")
    assert [(turn["speaker"], turn["said"]) for turn in shown["turns"]] == [("agent", "Hello there.")]
    assert shown["session"] == record.session
    assert shown["usage"]["total_tokens"] > 0
    assert shown["duration_ms"] > 0


async def test_pages_follow_their_cursor_and_a_forged_one_is_refused(api: Api):
    calls = [over(started_at=NOON + timedelta(minutes=minutes)) for minutes in range(5)]
    for call in calls:
        await api.keep(call)
    seen, params = [], {"limit": "2"}
    while True:
        page = (await api.get("/calls", params=params)).json()
        seen += [call["id"] for call in page["data"]]
        if not page["has_more"]:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == [call.id for call in reversed(calls)]

    for forged in ("x", "WyJhIiwiYiJd", page["next_cursor"] or "e30"):
        answer = await api.get("/calls", params={"cursor": forged})
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


async def test_what_is_not_there_or_not_understood_is_said_so(api: Api):
    for path, status, code in REFUSED:
        answer = await api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path


async def test_a_plus_that_nobody_escaped_is_understood(api: Api):
    await api.keep(over())
    assert len((await api.get("/calls?number=+15550000001")).json()["data"]) == 1


async def test_deleting_everything_of_a_number_wants_to_be_confirmed(api: Api):
    call = over()
    await api.keep(call)
    number = {"number": call.from_number}
    refused = await api.http.delete("/api/v1/calls", params=number)
    assert (refused.status_code, refused.json()["code"]) == (400, "confirmation_missing")
    assert (await api.get(f"/calls/{call.id}")).status_code == 200

    gone = await api.http.delete("/api/v1/calls", params=number | {"confirm": "true"})
    assert gone.json() == {"calls": 1, "recordings": 0, "live": 0}
    assert (await api.get(f"/calls/{call.id}")).status_code == 404


async def test_a_call_that_goes_on_is_not_deleted(api: Api):
    call = await api.house.ring()
    await call.wait_heard(300)
    line = await listed(api)
    answer = await api.http.delete(f"/api/v1/calls/{line['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "call_is_live")
    await call.hang_up()
    record, _ = await api.house.settled(call)
    assert (await api.http.delete(f"/api/v1/calls/{record.id}")).status_code == 204
    assert (await api.http.delete(f"/api/v1/calls/{record.id}")).status_code == 404


async def test_a_reading_key_reads_and_does_nothing_else(api: Api):
    call = over()
    await api.keep(call)
    recording = await api.record(call)
    async with db_session(api.house.engine) as db:
        _, reading = await add_key(db, "reads", {"read"}, who=Actor("test"))
    async with client(api.house.url, reading) as http:
        assert (await http.get(f"/api/v1/calls/{call.id}")).status_code == 200
        for method, path in (
            ("DELETE", f"/calls/{call.id}"),
            ("DELETE", "/calls?number=%2B1&confirm=true"),
            ("POST", f"/recordings/{recording}/transcribe"),
        ):
            answer = await http.request(method, f"/api/v1{path}")
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path


# -- calls that go on


async def listed(api: Api) -> dict:
    """The one call of the list, as soon as it is there."""
    async with asyncio.timeout(5):
        while not (found := (await api.get("/calls")).json()["data"]):  # noqa: ASYNC110 (another process writes it)
            await asyncio.sleep(0.01)
    return found[0]


async def test_a_call_is_followed_from_another_server_while_it_goes_on(api: Api, database_url: str, tmp_path: Path):
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(open_rig(database_url, tmp_path / "other", ScriptedBrain([]), **SHARED))
        elsewhere = await stack.enter_async_context(client(other.url))
        call = await api.house.ring()
        await call.wait_heard(300)
        live = await listed(api)
        assert (live["status"], live["ended_at"], live["end_reason"]) == ("live", None, None)
        async with asyncio.timeout(10), following(elsewhere, live["id"]) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            seen, hung_up = [], False
            async for number, kind, data in told(stream.aiter_lines()):
                seen.append((int(number), kind))
                assert data["seq"] == int(number)
                if kind == Kind.AGENT_TRANSCRIPT and not hung_up:
                    hung_up = True
                    assert (await elsewhere.get(f"/api/v1/calls/{live['id']}")).json()["status"] == "live"
                    await call.hang_up()
        assert hung_up
        _, events = await api.house.settled(call)
        assert seen == [(each.seq, each.kind) for each in events]  # each once, in order, to the end

        half = events[len(events) // 2].seq
        async with following(elsewhere, live["id"], **{"Last-Event-ID": str(half)}) as stream:
            rest = [int(number) async for number, _, _ in told(stream.aiter_lines())]
        assert rest == [each.seq for each in events if each.seq > half]
        ended = await elsewhere.get(
            f"/api/v1/calls/{live['id']}/events",
            headers={"Accept": "text/event-stream", "Last-Event-ID": str(events[-1].seq)},
        )
        assert ended.status_code == 204


async def test_a_stream_goes_on_with_what_is_written_later_and_ends_with_a_call_that_lost_its_end(api: Api):
    call = a_call()
    async with db_session(api.house.engine) as db:
        await record_live(db, call)
        await add_events(db, [(call.id, event(1))])
    async with asyncio.timeout(10), following(api.http, call.id) as stream:
        lines = told(stream.aiter_lines())
        assert (await anext(lines))[0] == "1"
        async with db_session(api.house.engine) as db:
            await add_events(db, [(call.id, event(2)), (call.id, event(4))])
        assert [(await anext(lines))[0], (await anext(lines))[0]] == ["2", "4"]
        await api.keep(replace(call, status=CallStatus.ENDED, end_reason=EndReason.SERVER_CRASH))
        async with db_session(api.house.engine) as db:
            await add_events(db, [(call.id, event(5))])  # wakes the stream
        assert [number async for number, _, _ in lines] == ["5"]


async def test_events_come_in_pages_as_well(api: Api):
    call = over()
    await api.keep(call, *(event(seq) for seq in range(1, 6)))
    first = (await api.get(f"/calls/{call.id}/events", params={"limit": "3"})).json()
    rest = (await api.get(f"/calls/{call.id}/events", params={"cursor": first["next_cursor"]})).json()
    assert [each["seq"] for each in first["data"] + rest["data"]] == [1, 2, 3, 4, 5]
    assert rest["has_more"] is False
    refused = await api.get(f"/calls/{call.id}/events", headers={"Last-Event-ID": "one"})
    assert refused.status_code == 422


# -- what is left of them


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


async def kept(api: Api) -> CallRecord:
    call = over()
    await api.keep(call)
    return call


async def test_words_are_read_in_every_format(api: Api):
    call = await kept(api)
    path = f"/calls/{call.id}/transcript"
    assert (await api.get(path)).json()["code"] == "no_transcript"
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
