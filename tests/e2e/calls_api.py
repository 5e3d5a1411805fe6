"""A server and a client of its API, for the tests of calls over REST."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from app.call.events import Kind, NumberedEvent
from app.call.record import CallRecord
from app.call.status import CallStatus, EndReason
from app.db.calls import record_call
from app.db.engine import db_session
from app.db.recordings import add_recording, save_transcript
from app.recordings.states import RecordingState, TranscriptState
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from tests.db.test_calls import NOON, a_call
from tests.e2e.rig import Rig

KEY = "parley_" + "k" * 43
SHARED = {"admin_api_key": KEY, "secret_key": "s" * 32}
HELLO = Reply.of(Say.words("Hello there.", 1000))
SOUND = bytes(range(256)) * 4
"""Not a WAV, but nobody here listens to it."""


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


async def listed(api: Api) -> dict:
    """The one call of the list, as soon as it is there."""
    async with asyncio.timeout(5):
        while not (found := (await api.get("/calls")).json()["data"]):  # noqa: ASYNC110 (another process writes it)
            await asyncio.sleep(0.01)
    return found[0]


async def kept(api: Api) -> CallRecord:
    call = over()
    await api.keep(call)
    return call
