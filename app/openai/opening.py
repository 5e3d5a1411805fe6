"""Opening a session with OpenAI: connect, configure, confirm."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection

from app.conf.models import OpenAICoreConf
from app.errors import SessionLost, SessionUnavailable
from app.openai import client_events, connect, messages, session_check
from app.openai.constants import DEFAULT_MODEL, OPENAI_REALTIME_BASE_URL
from app.openai.degraded import DegradedLink
from app.openai.link import Link
from app.openai.receiver import OpenAIRealtimeSessionReceiver
from app.openai.sender import OpenAIRealtimeSessionSender
from app.openai.types import events as wire
from app.openai.types.session import OpenaiRealtimeSessionConfig
from app.realtime.history import HistoryItem
from app.timing import Deadlines

if TYPE_CHECKING:  # it needs numpy, and only a session that speaks PCM needs it
    from app.openai.transcode import Transcoding

TRIES = 2


@dataclass(frozen=True, slots=True)
class Agreed:
    """What server and we agreed on: `fields` are not as they were first asked for."""

    config: OpenaiRealtimeSessionConfig
    granted: Mapping[str, Any]
    fields: tuple[str, ...] = ()
    transcoding: "Transcoding | None" = None

    def link(self, socket: ClientConnection, mask: Callable[[str], str], deadlines: Deadlines) -> Link:
        """The link that such a session needs."""
        parts = (socket, self.config, self.granted, mask, deadlines)
        return DegradedLink(*parts, fields=self.fields, transcoding=self.transcoding) if self.fields else Link(*parts)


async def create_openai_realtime_session(
    config: OpenaiRealtimeSessionConfig,
    core_conf: OpenAICoreConf,
    *,
    base_url: str = OPENAI_REALTIME_BASE_URL,
    ssl_context: ssl.SSLContext | None = None,
    deadlines: Deadlines = Deadlines(),  # noqa: B008 (a frozen value)
    history: Sequence[HistoryItem] = (),
) -> tuple[OpenAIRealtimeSessionSender, OpenAIRealtimeSessionReceiver]:
    """Connect, configure and confirm a session that has not spoken yet; raises `SessionUnavailable`.

    With a `history` it goes on with that conversation.
    """
    link = await open_link(config, core_conf, base_url=base_url, ssl_context=ssl_context, deadlines=deadlines)
    try:
        await link.restore(history)
    except SessionLost as error:
        raise SessionUnavailable(str(error)) from None
    return OpenAIRealtimeSessionSender(link), OpenAIRealtimeSessionReceiver(link)


async def open_link(
    config: OpenaiRealtimeSessionConfig,
    core_conf: OpenAICoreConf,
    *,
    base_url: str,
    ssl_context: ssl.SSLContext | None = None,
    deadlines: Deadlines,
) -> Link:
    """The same, as the link that both ends share: it knows what was granted."""
    url = connect.realtime_url(base_url, config.model or DEFAULT_MODEL)
    mask = partial(_masked, key=core_conf.openai_api_key)
    now_s = asyncio.get_running_loop().time
    until_s = now_s() + deadlines.session_s
    for tries_left in reversed(range(TRIES)):
        try:
            async with asyncio.timeout_at(min(until_s, now_s() + deadlines.connect_s)):
                socket = await connect.open_socket(url, core_conf, ssl_context=ssl_context, deadlines=deadlines)
                agreed = await _configure(socket, config)
        except connect.FAILURES as error:
            failed = connect.failure(error)
        else:
            return agreed.link(socket, mask, deadlines)
        if not tries_left or not await connect.pause_before_retry(failed, until_s):
            break
    # Raised out here, so that no library's error with its request headers hangs on to it.
    raise SessionUnavailable(mask(str(failed)), code=failed.code, retryable=failed.retryable)


def _masked(text: str, key: SecretStr) -> str:
    return text.replace(key.get_secret_value(), "***") if key else text


async def _configure(socket: ClientConnection, config: OpenaiRealtimeSessionConfig) -> Agreed:
    """Wait until the server is there, and agree with it on a session."""
    try:
        # a wrong key is told in band, so "connected" means the first event that is no error
        first = await _next_event(socket)
        if isinstance(first, wire.Error):
            raise connect.refused(first.error)
        created = first.session if isinstance(first, wire.SessionCreated) else {}
        agreed = await _agree(socket, config)
        return replace(agreed, granted={**created, **agreed.granted})
    except BaseException:  # whoever cancels us must not leave a paid socket behind
        socket.transport.abort()
        raise


async def _agree(socket: ClientConnection, config: OpenaiRealtimeSessionConfig) -> Agreed:
    """Ask for the session and, where something in it was not granted, once more for one without that."""
    answer = await _ask(socket, config, "configure")
    if isinstance(answer, wire.ErrorDetails):
        paths = session_check.refused(config, answer.param)
    else:
        paths = session_check.changed(config, answer)
    correction = session_check.correction(config, paths) if paths else None
    if correction is None:
        return _settled(config, answer)
    return replace(
        _settled(correction.config, await _ask(socket, correction.config, "correct"), also=correction.fields),
        transcoding=await asyncio.to_thread(_new_transcoding) if correction.transcoded else None,
    )


def _settled(
    config: OpenaiRealtimeSessionConfig, answer: Mapping[str, Any] | wire.ErrorDetails, also: tuple[str, ...] = ()
) -> Agreed:
    """The last answer as an agreement; raises `TryFailed` where no call can live with it."""
    if isinstance(answer, wire.ErrorDetails):
        raise connect.refused(answer)
    if wrong := session_check.unconfirmed_format(config, answer):
        text = f"OpenAI changed session.{wrong.name}: asked for {wrong.asked}, got {wrong.got}"
        raise connect.TryFailed(text, code="audio_format_refused", retryable=False)
    changed = map(session_check.name_of, session_check.changed(config, answer))
    return Agreed(config, answer, (*also, *changed))


def _new_transcoding() -> "Transcoding":
    """Off the event loop: loading numpy would stop every other call for a tenth of a second."""
    from app.openai.transcode import Transcoding

    return Transcoding()


async def _ask(
    socket: ClientConnection, config: OpenaiRealtimeSessionConfig, event_id: str
) -> Mapping[str, Any] | wire.ErrorDetails:
    """Send the configuration; the session that came of it, or why none did."""
    await socket.send(client_events.session_update(config.wire(reveal=True), event_id))
    while True:
        match await _next_event(socket):
            case wire.SessionUpdated(session=session):
                return session
            case wire.Error(error=error):
                return error


async def _next_event(socket: ClientConnection) -> wire.ServerEvent | wire.Other:
    """The next event; frames that are none are passed over."""
    while True:
        frame = await socket.recv(decode=False)
        with contextlib.suppress(ValueError):
            return messages.decode(frame)
