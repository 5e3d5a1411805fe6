"""The sandbox beside a server that runs already: `parley sandbox`, and one call through it with `parley call`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import httpx
from rich.console import Console

from app.errors import ParleyError, SettingsError
from app.sandbox import story
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.openai.story import StoryBrain
from app.sandbox.telling import latencies
from app.sandbox.twilio import EndCause, SandboxCall, SandboxTwilio
from app.sandbox.twilio.timeline import AgentStopped
from app.sandbox.voices.clips import clip
from app.settings import LOOPBACK, Settings

READY_WITHIN_S = 60.0
TURN_WITHIN_S = 30.0
LOOK_EVERY_S = 0.2

_EXAMPLE = """\
  PUBLIC_URL=http://127.0.0.1:8000
  OPENAI_REALTIME_BASE_URL=ws://127.0.0.1:9001/v1/realtime
  OPENAI_TRANSCRIPTION_URL=http://127.0.0.1:9001/v1/audio/transcriptions
  OPENAI_API_KEY=a-key-that-opens-nothing
  TWILIO_API_BASE_URL=http://127.0.0.1:9002
  TWILIO_ACCOUNT_SID=AC00000000000000000000000000000000
  TWILIO_AUTH_TOKEN=a-token-that-opens-nothing"""


@asynccontextmanager
async def beside(settings: Settings) -> AsyncIterator[SandboxTwilio]:
    """Both stand-ins, listening where the settings say the real ones are; raises `SettingsError` when they cannot."""
    key, token = settings.openai_api_key, settings.twilio_auth_token
    if not (settings.public_url and key and settings.twilio_account_sid and token):
        raise SettingsError(f"server and sandbox must agree on these, for example:\n{_EXAMPLE}")
    openai_host, openai_port = _loopback("OPENAI_REALTIME_BASE_URL", settings.openai_realtime_base_url)
    twilio_host, twilio_port = _loopback("TWILIO_API_BASE_URL", settings.twilio_api_base_url)
    try:
        async with (
            SandboxOpenAI(StoryBrain(), api_key=key.get_secret_value(), host=openai_host, port=openai_port),
            SandboxTwilio(
                account_sid=settings.twilio_account_sid,
                auth_token=token.get_secret_value(),
                voice_url=f"{settings.public_url}/twilio/voice",
                fallback_url=f"{settings.public_url}/twilio/fallback",
                status_url=f"{settings.public_url}/twilio/status",
                host=twilio_host,
                port=twilio_port,
            ) as twilio,
        ):
            yield twilio
    except OSError as error:
        raise SettingsError(f"the sandbox cannot listen: {error}") from error


async def stand_by(settings: Settings, console: Console) -> None:
    """Be there for a server until cancelled; a line on standard input rings it."""
    async with beside(settings) as twilio, asyncio.TaskGroup() as calls:
        console.print(f"A Twilio and an OpenAI stand by for {settings.public_url}. Press Enter to ring; Ctrl+C ends.")
        while await asyncio.to_thread(sys.stdin.readline):
            calls.create_task(_rehearse(twilio, console))
        await asyncio.get_running_loop().create_future()  # standard input is closed: only stand by


async def call_once(settings: Settings, console: Console) -> bool:
    """Wait for the server, then rehearse one short call; whether the caller was served to the end."""
    async with beside(settings) as twilio:
        await wait_ready(str(settings.public_url))
        return await _rehearse(twilio, console)


async def wait_ready(public_url: str) -> None:
    """Wait until the server says that it takes calls; raises `TimeoutError`."""
    async with asyncio.timeout(READY_WITHIN_S), httpx.AsyncClient(trust_env=False) as client:
        while True:
            with suppress(httpx.TransportError):
                if (await client.get(f"{public_url}/readyz")).is_success:
                    return
            await asyncio.sleep(LOOK_EVERY_S)


async def _rehearse(twilio: SandboxTwilio, console: Console) -> bool:
    """One call: the agent greets, the caller says goodbye, the agent answers, somebody hangs up."""
    call = await twilio.place_call(to=story.CALLED, from_=story.CALLER)
    console.print(f"{call.call_sid} rings")
    problem = ""
    try:
        await _wait_stretches(call, 1)
        await call.say(clip("goodbye"))
        await _wait_stretches(call, 2)
        if not call.over:
            await call.hang_up()
        cause = await call.wait_ended(timeout_s=TURN_WITHIN_S)
        problem = "" if cause in {EndCause.CALLER, EndCause.REST} else f"the call ended by {cause}"
    except (ParleyError, TimeoutError) as error:
        problem = str(error) or "the agent did not speak in time"
        call.put_down()
    problems = [problem, *(f"Twilio would warn: {each.code} {each.text}" for each in call.warnings)]
    console.print(latencies(call.timeline))
    for each in filter(None, problems):
        console.print(f"[red]{each}[/red]")
    return not any(problems)


async def _wait_stretches(call: SandboxCall, count: int) -> None:
    """Wait until the caller has heard so many stretches of the agent to their end."""
    await call.wait_for(
        lambda call: sum(isinstance(moment, AgentStopped) for moment in call.timeline) >= count,
        timeout_s=TURN_WITHIN_S,
    )


def _loopback(name: str, url: str) -> tuple[str, int]:
    """Where to listen in place of the real one."""
    parts = urlsplit(url)
    if parts.hostname not in LOOPBACK or not parts.port:
        raise SettingsError(f"{name} must name a port of this machine for the sandbox, for example:\n{_EXAMPLE}")
    return str(parts.hostname), parts.port
