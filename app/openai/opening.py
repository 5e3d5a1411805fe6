"""Opening a session with OpenAI: connect, configure, confirm."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection

from app.conf.models import OpenAICoreConf
from app.errors import SessionUnavailable
from app.openai import connect, messages
from app.openai.constants import DEFAULT_MODEL, OPENAI_REALTIME_BASE_URL
from app.openai.link import Link
from app.openai.receiver import OpenAIRealtimeSessionReceiver
from app.openai.sender import OpenAIRealtimeSessionSender
from app.openai.session_config import refused_format
from app.openai.types import events as wire
from app.openai.types.session import OpenaiRealtimeSessionConfig
from app.timing import Deadlines

TRIES = 2


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
                granted = await _configure(socket, config)
        except connect.FAILURES as error:
            failed = connect.failure(error)
        else:
            link = Link(socket, config, granted, mask, deadlines)
            return OpenAIRealtimeSessionSender(link), OpenAIRealtimeSessionReceiver(link)
        if not tries_left or not await connect.pause_before_retry(failed, until_s):
            break
    # Raised out here, so that no library's error with its request headers hangs on to it.
    raise SessionUnavailable(mask(str(failed)), code=failed.code, retryable=failed.retryable)


def _masked(text: str, key: SecretStr) -> str:
    return text.replace(key.get_secret_value(), "***") if key else text


async def _configure(socket: ClientConnection, config: OpenaiRealtimeSessionConfig) -> Mapping[str, Any]:
    """Wait until the server is there, send the configuration, and see that it is what we asked for; what it granted."""
    try:
        # a wrong key is told in band, so "connected" means the first event that is no error
        first = await _next_good(socket)
        created = first.session if isinstance(first, wire.SessionCreated) else {}
        await socket.send(messages.session_update(config.wire(), "configure"))
        event = await _next_good(socket)
        while not isinstance(event, wire.SessionUpdated):
            event = await _next_good(socket)
        if difference := refused_format(config, event.session):
            raise connect.TryFailed(f"OpenAI changed {difference}", code="audio_format_refused", retryable=False)
        return created | event.session
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
