"""A websocket to OpenAI, and what it means when there is none."""

import asyncio
import contextlib
import logging
import math
import ssl
from collections.abc import Mapping
from functools import cache
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from app.conf.models import OpenAICoreConf
from app.errors import SessionUnavailable, SettingsError
from app.openai import messages
from app.openai.types.events import ErrorDetails
from app.timing import Deadlines

MAX_EVENT_BYTES = 16 << 20
WRITE_BUFFER_BYTES = 1 << 20
"""Sends do not wait for a slow server until this much is unsent; caller audio is bounded far below it."""
RETRY_PAUSE_S = 0.2
MAX_RETRY_AFTER_S = 2.0

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_CONFIGURATION_CLOSES = range(3000, 5000)
_FATAL_STATUSES = {400: "http_400", 401: "invalid_api_key", 403: "forbidden", 404: "model_not_found"}

_silent = logging.getLogger("app.openai.socket")
_silent.setLevel(logging.WARNING)  # below that, the library writes down headers (our key) and frames (what callers say)


class TryFailed(SessionUnavailable):
    """One try to open a session failed; where another could help, it may come after `pause_s`."""

    def __init__(
        self, message: str, *, code: str | None = None, retryable: bool = True, pause_s: float = RETRY_PAUSE_S
    ) -> None:
        super().__init__(message, code=code, retryable=retryable)
        self.pause_s = pause_s


def realtime_url(base_url: str, model: str) -> str:
    """Where that model's sessions are opened; raises `SettingsError` when the base is no URL."""
    url = _base(base_url)
    stem = url.path.rstrip("/")
    path = f"{stem}/realtime" if stem in {"", "/v1", "/openai"} else url.path
    query = url.query
    if "model" not in dict(parse_qsl(query, keep_blank_values=True)):
        query = f"{query}{'&' if query else ''}model={quote(model, safe='')}"
    return urlunsplit((_SCHEMES[url.scheme], url.netloc, path, query, ""))


def _base(base_url: str) -> SplitResult:
    with contextlib.suppress(ValueError):
        url = urlsplit(base_url)
        if url.scheme in _SCHEMES and url.hostname and url.port != 0:  # reading the port raises when it is none
            return url
    raise SettingsError("OPENAI_REALTIME_BASE_URL must look like wss://api.openai.com/v1/realtime")


@cache
def tls() -> ssl.SSLContext:
    """The one TLS context of this process: making another would stop every call for tens of milliseconds."""
    return ssl.create_default_context()


class _Connect(connect):
    """A connect that follows no redirects: our key goes where the operator said, and nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_socket(
    url: str, core_conf: OpenAICoreConf, *, ssl_context: ssl.SSLContext | None, deadlines: Deadlines
) -> ClientConnection:
    """Connect; raises what the library raises, see `failure`."""
    return await _Connect(
        url,
        ssl=(ssl_context or tls()) if url.startswith("wss:") else None,
        proxy=None,
        compression=None,
        max_size=MAX_EVENT_BYTES,
        write_limit=WRITE_BUFFER_BYTES,
        open_timeout=deadlines.connect_s,
        ping_interval=deadlines.ping_s,
        ping_timeout=deadlines.pong_s,
        close_timeout=deadlines.close_s,
        additional_headers=headers(core_conf),
        logger=_silent,
    )


def headers(core_conf: OpenAICoreConf) -> Mapping[str, str]:
    """What a request to OpenAI says of who asks; raises `TryFailed` for what no header can carry."""
    key = core_conf.openai_api_key.get_secret_value()
    wanted = {
        "Authorization": f"Bearer {key}" if key else None,
        "OpenAI-Organization": core_conf.organization,
        "OpenAI-Project": core_conf.project,
    }
    given = {name: value for name, value in wanted.items() if value}
    if not key or not all(value.isascii() and value.isprintable() for value in given.values()):
        text = "the OpenAI API key, organization or project is empty or holds characters that none of them has"
        raise TryFailed(text, code="invalid_api_key", retryable=False)
    return given


def failure(error: Exception) -> TryFailed:
    """Why a try failed, in our words."""
    match error:
        case TryFailed():
            return error
        case InvalidStatus():
            return _refused_upgrade(error)
        case ConnectionClosed():
            return _closed(error)
        case TimeoutError():
            return TryFailed("OpenAI did not answer in time", code="timeout")
        case ssl.SSLCertVerificationError():
            return TryFailed(f"OpenAI's certificate was refused: {error.verify_message}", code="tls", retryable=False)
        case _:
            return TryFailed(f"OpenAI cannot be reached: {error or type(error).__name__}", code="unreachable")


def refused(error: ErrorDetails) -> TryFailed:
    """What an error event during the handshake means: wrong access and wrong configuration stay wrong."""
    if error.code == "invalid_api_key":  # the server's own words quote parts of the key
        return TryFailed("OpenAI refused the API key", code=error.code, retryable=False)
    wrong = error.type == "invalid_request_error" or messages.severity(error) == "fatal"
    pause_s = math.inf if error.code == "rate_limit_exceeded" else RETRY_PAUSE_S
    text = f"OpenAI refused the session: {messages.describe(error)}"
    return TryFailed(text, code=error.code or error.type, retryable=not wrong, pause_s=pause_s)


def _refused_upgrade(error: InvalidStatus) -> TryFailed:
    status = error.response.status_code
    code = _code_in(error.response.body) or _FATAL_STATUSES.get(status) or f"http_{status}"
    fatal = 300 <= status < 400 or status in _FATAL_STATUSES or code in messages.FATAL_CODES
    pause_s = _retry_after_s(error.response.headers.get("Retry-After")) if status == 429 else RETRY_PAUSE_S
    text = f"OpenAI refused the connection with HTTP {status} ({code})"
    return TryFailed(text, code=code, retryable=not fatal, pause_s=pause_s)


def _code_in(body: bytes | bytearray | None) -> str | None:
    """The error code in an HTTP answer; a used-up quota and a passing rate limit share a status."""
    try:
        return msgspec.json.decode(body or b"", type=_HttpError).error.code
    except (msgspec.DecodeError, RecursionError):
        return None


class _HttpError(msgspec.Struct):
    error: ErrorDetails


def _retry_after_s(header: str | None) -> float:
    """How long a rate limit asks us to wait; too long, unreadable or unsaid is for ever."""
    try:
        seconds = float(header or "inf")
    except ValueError:
        return math.inf
    return seconds if 0 <= seconds <= MAX_RETRY_AFTER_S else math.inf


def _closed(error: ConnectionClosed) -> TryFailed:
    close = error.rcvd
    if close is None:
        return TryFailed("the connection to OpenAI broke", code="closed_1006")
    code = close.reason.rpartition(".")[2]
    fatal = close.code in _CONFIGURATION_CLOSES
    text = f"OpenAI closed the connection: {close.code} {close.reason}".rstrip()
    return TryFailed(text, code=code if code in messages.FATAL_CODES else f"closed_{close.code}", retryable=not fatal)


FAILURES = (OSError, WebSocketException, SessionUnavailable)
"""What `open_socket` and the handshake after it may raise."""


async def pause_before_retry(failed: TryFailed, until_s: float) -> bool:
    """Wait as long as that failure asks for; false where another try makes no sense or would come too late."""
    if not failed.retryable or asyncio.get_running_loop().time() + failed.pause_s >= until_s:
        return False
    await asyncio.sleep(failed.pause_s)
    return True
