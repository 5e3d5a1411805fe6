"""`parley demo`: one whole rehearsed call through a real server process, told as it happens."""

import asyncio
import os
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
from rich.console import Console

from app.call.events import NumberedEvent
from app.call.journal.journal import CALL, EVENTS, TRANSCRIPT, read_events, read_record
from app.conf.models import DEFAULT
from app.conf.opening import open_store
from app.errors import ParleyError
from app.sandbox import story
from app.sandbox.afterwards import Afterwards, look
from app.sandbox.beside import wait_ready
from app.sandbox.book import Book
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.openai.story import StoryBrain
from app.sandbox.telling import beside, files, latencies, tell, verdict
from app.sandbox.twilio import SandboxCall, SandboxTwilio
from app.sandbox.twilio.timeline import AgentStarted, AgentStopped
from app.sandbox.voices.clips import clip
from app.settings import Settings

CALL_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0
LOOK_EVERY_S = 0.2
LOG = "server.log"


async def demo(folder: Path, console: Console) -> bool:
    """Rehearse the story's call with everything in that folder (it exists); whether all of the story happened."""
    clock = _Clock(console)
    port = _free_port()
    account_sid, auth_token = f"AC{secrets.token_hex(16)}", secrets.token_hex(16)
    public_url = f"http://127.0.0.1:{port}"
    clock.say("starting the sandbox: a Twilio and an OpenAI of our own, and a restaurant's server for the agent's tool")
    async with (
        Book() as book,
        SandboxOpenAI(StoryBrain()) as openai,
        SandboxTwilio(
            account_sid=account_sid,
            auth_token=auth_token,
            voice_url=f"{public_url}/twilio/voice",
            fallback_url=f"{public_url}/twilio/fallback",
            status_url=f"{public_url}/twilio/status",
        ) as twilio,
    ):
        environment = {
            "DATA_DIR": str(folder),
            "PUBLIC_URL": public_url,
            "PORT": str(port),
            "OPENAI_REALTIME_BASE_URL": openai.realtime_url,
            "OPENAI_TRANSCRIPTION_URL": openai.transcription_url,
            "TWILIO_API_BASE_URL": twilio.api_base_url,
            "LOG_FORMAT": "json",
        }
        rows = {
            "openai": {"openai_api_key": openai.api_key},
            "twilio": {"account_sid": account_sid, "auth_tokens": [auth_token]},
            "agent": story.agent(book),
            "number": {"agent": DEFAULT},
        }
        clock.say("starting the embedded PostgreSQL and writing accounts and agent into core_conf")
        async with open_store(_settings(environment)) as opened:
            for section, row in rows.items():
                await opened.store.put(section, DEFAULT, row, by="demo")
            clock.say("starting the server, a process of its own")
            async with _server(environment, folder):
                await wait_ready(public_url)
                clock.say("ringing\n")
                call = await twilio.place_call(to=story.CALLED, from_=story.CALLER)
                await _watch(call, folder, console)
                clock.say("the call is over: waiting for its recording, and for its words")
                left = await look(opened.engine, folder / "recordings", call.call_sid)
            return _report(console, folder, call, left, book)


def _settings(environment: Mapping[str, str]) -> Settings:
    """The settings of that environment and of nothing else: a rehearsal touches no real database and no real key."""
    given = {name.lower(): value for name, value in environment.items()}
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return Settings.load(_env_file=None, **(defaults | given))


class _Clock:
    """Says what is being done, and since when."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began_s = time.monotonic()

    def say(self, what: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._began_s:6.2f} s  {what}[/dim]", highlight=False)


@asynccontextmanager
async def _server(environment: Mapping[str, str], folder: Path) -> AsyncIterator[None]:
    """`parley serve` with that environment only, in a folder without an `.env`; stopped gently."""
    ours = {name.upper() for name in Settings.model_fields}
    inherited = {name: value for name, value in os.environ.items() if name.upper() not in ours}
    with (folder / LOG).open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "serve", env={**inherited, **environment}, cwd=folder, stdout=log, stderr=log
        )
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(STOP_WITHIN_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _watch(call: SandboxCall, root: Path, console: Console) -> None:
    """Play the caller, and print what the call's journal says as it grows."""
    talking = asyncio.create_task(_talk(call))
    told = 0
    while True:
        over = talking.done()
        for event in await asyncio.to_thread(_events_after, root, call.call_sid, told):
            told = event.seq
            if line := tell(event):
                console.print(line, highlight=False)
        if over:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    try:
        await talking
    except (ParleyError, TimeoutError) as error:
        console.print(f"[red]The call did not go as it should: {error or 'time limit'}[/red]")
        call.put_down()


async def _talk(call: SandboxCall) -> None:
    """The caller: hears the greeting, asks, interrupts the answer, and listens to the goodbye."""
    async with asyncio.timeout(CALL_WITHIN_S):
        await _wait_silence(call)
        await call.say(clip(story.ASKS))
        stretches = _stretches(call)
        await call.wait_for(lambda call: _stretches(call) > stretches, timeout_s=CALL_WITHIN_S)
        already_ms = call.heard_ms
        await call.wait_heard(already_ms + story.INTERRUPTS_AFTER_MS, timeout_s=CALL_WITHIN_S)
        await call.say(clip(story.CHANGES_HIS_MIND))
        await call.wait_ended(timeout_s=CALL_WITHIN_S)


def _stretches(call: SandboxCall) -> int:
    return sum(isinstance(moment, AgentStarted) for moment in call.timeline)


async def _wait_silence(call: SandboxCall) -> None:
    """Wait until the agent has finished what it says first."""
    await call.wait_for(
        lambda call: any(isinstance(moment, AgentStopped) for moment in call.timeline), timeout_s=CALL_WITHIN_S
    )


def _folder(root: Path, call_sid: str) -> Path | None:
    for path in root.glob(f"calls/*/{CALL}"):
        with suppress(OSError, msgspec.DecodeError):
            if read_record(path.parent).call_sid == call_sid:
                return path.parent
    return None


def _events_after(root: Path, call_sid: str, seq: int) -> list[NumberedEvent]:
    folder = _folder(root, call_sid)
    if folder is None or not (folder / EVENTS).exists():
        return []
    return [event for event in read_events(folder) if event.seq > seq]


def _report(console: Console, root: Path, call: SandboxCall, left: Afterwards, book: Book) -> bool:
    steps = story.steps(left.events, left.record, left.segments, book.asked)
    console.print()
    console.print(beside(left.turns, left.segments))
    console.print(latencies(call.timeline))
    console.print(verdict(steps))
    for warning in call.warnings:
        console.print(f"[red]Twilio would warn: {warning.code} {warning.text}[/red]")
    if folder := _folder(root, call.call_sid):
        console.print("The recording, the call's folder, and the server's log:")
        console.print(files([*left.recordings, folder / TRANSCRIPT, folder / EVENTS, root / LOG]), soft_wrap=True)
    return all(step.happened for step in steps) and not call.warnings


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
