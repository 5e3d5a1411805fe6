"""The real app on a real socket, between the sandbox's Twilio and OpenAI, on a real PostgreSQL."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import CallEvent, Kind, NumberedEvent
from app.call.record import CallRecord
from app.call.registry import Registry
from app.conf.models import DEFAULT
from app.conf.store import ConfStore
from app.db.calls import find_call, find_events
from app.db.engine import create_engine, db_session
from app.db.recordings import find_recording
from app.main import create_app
from app.recordings.audio import probe
from app.sandbox.openai.brain import Brain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.twilio import SandboxCall, SandboxTwilio
from app.sandbox.twilio.messages import Play
from app.settings import Settings
from app.timing import Deadlines
from app.web.deps import Services
from app.web.server import ParleyServer, server_config

SPEED = 8.0
ACCOUNT_SID, AUTH_TOKEN = "AC" + "5" * 32, "6" * 32
CALLER, CALLED = "+15550100123", "+15550100100"
QUICK = Deadlines(speed=SPEED, tick_s=0.02, journal_s=0.05)
"""Limits of real time stay as they are, so that a slow machine breaks none; tests of a limit shorten that one."""


@dataclass(frozen=True, slots=True)
class Rig:
    """Everything a test may look at."""

    app: FastAPI
    url: str
    openai: SandboxOpenAI
    twilio: SandboxTwilio
    engine: AsyncEngine
    data_dir: Path
    server: ParleyServer
    told: list[CallEvent]
    """Everything that the hook was told of."""

    @property
    def registry(self) -> Registry:
        registry: Registry = self.app.state.registry
        return registry

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    async def put(self, section: str, name: str, value: dict[str, Any]) -> None:
        """Configure, as an operator does; the next call has it."""
        store = self.services.conf
        assert isinstance(store, ConfStore)
        await store.put(section, name, value, by="test")

    async def ring(self, **extra: str) -> SandboxCall:
        """Place a call."""
        return await self.twilio.place_call(to=CALLED, from_=CALLER, **extra)

    async def saved(self, call: SandboxCall) -> tuple[CallRecord, list[NumberedEvent]]:
        """The call as PostgreSQL has it, once its last stream's end is there."""
        async with asyncio.timeout(10):
            while True:
                async with db_session(self.engine) as db:
                    record = await find_call(db, call.call_sid)
                    events = await find_events(db, record.id) if record else []
                returns = sum(event.kind == Kind.STREAM_RETURNED for event in events)
                if record and record.end_reason and record.attempt + 1 + returns >= len(call.streams):
                    return record, events
                await asyncio.sleep(0.01)

    async def settled(self, call: SandboxCall) -> tuple[CallRecord, list[NumberedEvent]]:
        """The same, with the invariant that every call leaves behind: all is closed and nothing goes on."""
        await call.wait_ended()
        record, events = await self.saved(call)
        await self.registry.wait_empty()
        for session in self.openai.sessions:
            async with asyncio.timeout(2):
                await session.closed.wait()
        assert record.end_reason is not None
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert events[-1].kind == Kind.CALL_ENDED
        assert not [task for task in asyncio.all_tasks() if task.get_name() in {"caller-leg", "agent-leg"}]
        return record, events

    async def tracks(self, record: CallRecord) -> tuple[bytes, bytes]:
        """The caller and the agent as our recording has them, once it is in the storage."""
        async with asyncio.timeout(10):
            while True:
                async with db_session(self.engine) as db:
                    recording = await find_recording(db, record.id)
                if recording and recording.key:
                    break
                await asyncio.sleep(0.01)
        file = self.data_dir / "recordings" / recording.key
        sound = (await asyncio.to_thread(file.read_bytes))[(await asyncio.to_thread(probe, file)).data_at :]
        return sound[0::2], sound[1::2]


def played(call: SandboxCall) -> bytes:
    """Everything that was sent for the caller's ear, without the pauses that a busy machine makes between."""
    return b"".join(each.message.audio for each in call.received if isinstance(each.message, Play))


@asynccontextmanager
async def open_rig(
    database_url: str,
    data_dir: Path,
    brain: Brain,
    *,
    agent: dict[str, Any] | None = None,
    deadlines: Deadlines = QUICK,
    speed: float = SPEED,
    **settings: Any,
) -> AsyncIterator[Rig]:
    """A running server between its two peers."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with (
        SandboxOpenAI(brain, speed=speed) as openai,
        SandboxTwilio(
            account_sid=ACCOUNT_SID,
            auth_token=AUTH_TOKEN,
            voice_url=f"{url}/twilio/voice",
            fallback_url=f"{url}/twilio/fallback",
            status_url=f"{url}/twilio/status",
            speed=speed,
        ) as twilio,
    ):
        given = {
            "database_url": database_url,
            "data_dir": data_dir,
            "public_url": url,
            "openai_realtime_base_url": openai.realtime_url,
            "openai_transcription_url": openai.transcription_url,
            "openai_base_url": openai.base_url,
            "openai_api_key": openai.api_key,
            "twilio_api_base_url": twilio.api_base_url,
            "twilio_account_sid": ACCOUNT_SID,
            "twilio_auth_token": AUTH_TOKEN,
        }
        told: list[CallEvent] = []
        app = create_app(
            Settings.load(_env_file=None, **(given | settings)),
            deadlines=replace(deadlines, speed=speed),
            listeners=[lambda _record, event: told.append(event)],
        )
        registry: Registry = app.state.registry
        config = server_config(app, host="127.0.0.1", port=0, max_calls=registry.max_calls)
        calls = app.state.answered_calls
        server = ParleyServer(config, calls=calls, drain_s=5, on_limit=calls.say_goodbye)
        serving = asyncio.create_task(server.serve([listening]))
        engine = create_engine(database_url)
        try:
            await _started(server, serving, url)
            rig = Rig(app, url, openai, twilio, engine, data_dir, server, told)
            if agent is not None:
                await rig.put("agent", DEFAULT, {"silence": None} | agent)  # a busy machine is silent for long
            yield rig
        finally:
            server.should_exit = True
            await serving
            await engine.dispose()


async def _started(server: ParleyServer, serving: "asyncio.Task[None]", url: str) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as client:
        while True:
            assert not serving.done(), "the server did not start"
            if server.started and (await client.get(f"{url}/readyz")).is_success:
                return
            await asyncio.sleep(0.01)
