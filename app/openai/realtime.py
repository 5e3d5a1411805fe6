"""A realtime session with OpenAI: opening it, and the two ends a call holds."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection

from app.audio import to_base64
from app.conf.models import AgentConf, OpenAICoreConf
from app.errors import ConfError, SessionUnavailable
from app.openai import connect, messages
from app.openai.constants import DEFAULT_MODEL, OPENAI_REALTIME_BASE_URL
from app.openai.link import Link
from app.openai.responses import Responses
from app.openai.session_config import answers_by_itself, compile_session, refused_format
from app.openai.types import events as wire
from app.openai.types.session import OpenaiRealtimeSessionConfig
from app.realtime.events import RealtimeInEvent
from app.realtime.session import RealtimeSession
from app.timing import Deadlines

TRIES = 2


class OpenAIRealtimeSessionSender:
    """What a call can do to its session; see `RealtimeSessionSender`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def send_audio_delta(self, audio: str | bytes) -> None:
        """Send caller audio in the session's format: base64 text passes unopened, raw bytes are encoded."""
        await self._link.send_audio(audio if isinstance(audio, str) else to_base64(audio))

    async def send_tool_response(self, call_id: str, name: str, output: str) -> None:
        """Answer a tool call; OpenAI needs no name. The model goes on once every call of that answer has its output."""
        link = self._link
        await link.send(messages.tool_output(link.new_item(), call_id, output))
        await link.send_create(link.responses.on_tool_answered(call_id))

    async def start_response(self) -> None:
        """Let the model speak now, or as soon as it may."""
        await self._link.send_create(self._link.responses.want())

    async def say(self, text: str) -> None:
        """Let the model say exactly this text, now or as soon as it may.

        Instructions for a single response would replace the agent's own, so the words come as a system message.
        """
        order = f"Say exactly these words to the caller now, once, and nothing else:\n{text}"
        await self._link.send(messages.message(self._link.new_item(), "system", order))
        await self.start_response()

    async def send_text(self, text: str, *, respond: bool = True) -> None:
        """Tell the model something as the caller's text; with `respond` it answers."""
        await self._link.send(messages.message(self._link.new_item(), "user", text))
        if respond:
            await self.start_response()

    async def truncate(self, item_id: str, heard_ms: int) -> None:
        """Tell the model that the caller heard only the first `heard_ms` of that item."""
        await self._link.send(messages.truncate(item_id, heard_ms))

    async def cancel(self) -> None:
        """Stop the answer under way; nothing happens when there is none."""
        active = self._link.responses.active
        if active is not None:
            await self._link.send(messages.response_cancel(active))

    async def close(self) -> None:
        """End the session; more than once is fine."""
        await self._link.close()


class OpenAIRealtimeSessionReceiver:
    """What a session tells its call; ends after the sender's `close`, else raises `SessionLost`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @property
    def unreadable_frames(self) -> int:
        """How many frames were no events at all and were skipped."""
        return self._link.unreadable_frames

    def __aiter__(self) -> AsyncIterator[RealtimeInEvent]:
        return self._link.events()


async def create_openai_realtime_session(
    config: OpenaiRealtimeSessionConfig,
    core_conf: OpenAICoreConf,
    *,
    base_url: str = OPENAI_REALTIME_BASE_URL,
    ssl_context: ssl.SSLContext | None = None,
    deadlines: Deadlines = Deadlines(),  # noqa: B008 (a frozen value)
) -> tuple[OpenAIRealtimeSessionSender, OpenAIRealtimeSessionReceiver]:
    """Connect, configure and confirm a session that has not spoken yet; raises `SessionUnavailable`."""
    url = connect.realtime_url(base_url, config.model or DEFAULT_MODEL)
    mask = partial(_masked, key=core_conf.openai_api_key)
    now_s = asyncio.get_running_loop().time
    until_s = now_s() + deadlines.session_s
    for tries_left in reversed(range(TRIES)):
        try:
            async with asyncio.timeout_at(min(until_s, now_s() + deadlines.connect_s)):
                socket = await connect.open_socket(url, core_conf, ssl_context=ssl_context, deadlines=deadlines)
                await _configure(socket, config)
        except connect.FAILURES as error:
            failed = connect.failure(error)
        else:
            link = Link(socket, Responses(server_answers=answers_by_itself(config)), mask, deadlines.close_s)
            return OpenAIRealtimeSessionSender(link), OpenAIRealtimeSessionReceiver(link)
        if not tries_left or not await connect.pause_before_retry(failed, until_s):
            break
    # Raised out here, so that no library's error with its request headers hangs on to it.
    raise SessionUnavailable(mask(str(failed)), code=failed.code, retryable=failed.retryable)


def _masked(text: str, key: SecretStr) -> str:
    return text.replace(key.get_secret_value(), "***") if key else text


async def _configure(socket: ClientConnection, config: OpenaiRealtimeSessionConfig) -> None:
    """Wait until the server is there, send the configuration, and see that it is what we asked for."""
    try:
        await _next_good(socket)  # a wrong key is told in band, so "connected" means the first event that is no error
        await socket.send(messages.session_update(config.wire(), "configure"))
        event = await _next_good(socket)
        while not isinstance(event, wire.SessionUpdated):
            event = await _next_good(socket)
        if difference := refused_format(config, event.session):
            raise connect.TryFailed(f"OpenAI changed {difference}", code="audio_format_refused", retryable=False)
    except BaseException:  # whoever cancels us must not leave a paid socket behind
        socket.transport.abort()
        raise


async def _next_good(socket: ClientConnection) -> wire.ServerEvent | wire.Other:
    while True:
        frame = await socket.recv(decode=False)
        with contextlib.suppress(ValueError):
            event = messages.decode(frame)
            if isinstance(event, wire.Error):
                raise connect.refused(event.error)
            return event


class OpenAIProvider:
    """Opens sessions for agents; see `RealtimeProvider`. `core_conf` finds an account's row by its name."""

    def __init__(
        self,
        core_conf: Callable[[str], OpenAICoreConf],
        base_url: str = OPENAI_REALTIME_BASE_URL,
        deadlines: Deadlines = Deadlines(),  # noqa: B008 (a frozen value)
    ) -> None:
        self._core_conf = core_conf
        self._url = connect.realtime_url(base_url, DEFAULT_MODEL)  # a wrong URL stops the start, not the first call
        self._base_url = base_url
        self._deadlines = deadlines

    def compile(self, agent: AgentConf) -> dict[str, Any]:
        """The session configuration that agent asks for, as it is sent."""
        return compile_session(agent).wire()

    async def open(self, agent: AgentConf) -> RealtimeSession:
        """Connect, configure and confirm a session that has not spoken yet; raises `SessionUnavailable`."""
        try:
            config, core_conf = compile_session(agent), self._core_conf(agent.account)
        except ConfError as error:
            raise SessionUnavailable(str(error), code="not_configured", retryable=False) from error
        return await create_openai_realtime_session(
            config, core_conf, base_url=self._base_url, deadlines=self._deadlines
        )

    def warm_up(self) -> None:
        """Pay now what the first call would otherwise wait for."""
        if self._url.startswith("wss:"):
            connect.tls()
        messages.session_update(self.compile(AgentConf()), "warm_up")
        messages.neutral(messages.decode('{"type":"response.output_audio.delta","delta":""}'))
