"""Structured lines: a call's identity is bound once and is in each of them; secrets and phone numbers are masked."""

import logging
import re
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SECRET_NAMES = re.compile(r"(?i)(?:^|_)(?:token|tokens|secret|password|authorization|api_?key|key|signature)$")
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w+/.=~-]{6,}"), r"\1 ***"),
    (re.compile(r"\b(sk-|parley_)[\w-]{6,}"), r"\1***"),
    (
        re.compile(
            r"(?i)\b([\w-]*(?:token|secret|password|api[_-]?key|signature))([\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]+"
        ),
        r"\1\2***",
    ),
    (re.compile(r"(\w://[^\s:/@]*):[^\s/@]+@"), r"\1:***@"),
    # an auth token is 32 hex digits; the sids that look like it have two letters before them
    (re.compile(r"\b[0-9a-fA-F]{32}\b"), "***"),
    (re.compile(r"((?:\+|%2B)\d{2})[\d ().-]{4,16}(\d{2})(?!\d)"), r"\1***\2"),
    (re.compile(r"(?i)\b(sips?:\+?\d{2})\d{4,}(\d{2})"), r"\1***\2"),
)
_QUIET = ("httpx", "httpcore", "sqlalchemy", "asyncpg", "alembic", "twilio")
"""Their informative lines hold URLs, statements and parameters."""


def mask_text(text: str) -> str:
    """The text with everything that looks like a secret or a phone number made unreadable."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def mask(value: Any) -> Any:
    """A value as it may stand in a log line, all the way down."""
    match value:
        case str():
            return mask_text(value)
        case bool() | int() | float() | None:
            return value
        case Mapping():
            return {key: "***" if _is_secret(key) else mask(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [mask(item) for item in value]
        case _:
            return mask_text(str(value))


def _is_secret(name: object) -> bool:
    return isinstance(name, str) and bool(_SECRET_NAMES.search(name))


def _masked(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: value if key.startswith("_") else mask({key: value})[key] for key, value in event.items()}


def configure(
    *, level: str = "info", form: Literal["console", "json"] = "console", stream: TextIO | None = None
) -> None:
    """Send every line of this process, ours and the libraries', to `stream` (standard error) in one form."""
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # as plain text: the richer forms print local variables, and those hold keys
        structlog.processors.format_exc_info,
        _masked,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(form, handler.stream)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    _hush_libraries()


def _renderer(form: Literal["console", "json"], stream: TextIO) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _hush_libraries() -> None:
    level = logging.getLogger().level
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # at debug level they write down every frame and every header
    for name in ("uvicorn", "uvicorn.error", "websockets"):
        logging.getLogger(name).setLevel(max(level, logging.INFO))
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").addFilter(_useful)


def _useful(record: logging.LogRecord) -> bool:
    """Drops the lines that repeat a client's URL, and stacks that tell nobody anything."""
    message = str(record.msg)
    if message.startswith("Invalid UTF-8"):
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    # ours: `main` has said it in one line; a cancelled lifespan: a second signal, which wanted the end at once
    told = message.startswith("Traceback") and ("\napp.errors." in message or message.endswith("CancelledError\n"))
    return not told and not message.startswith('%s - "WebSocket')


class Seldom:
    """Lets one line of a kind through in a while, and says with the next one how many it held back."""

    def __init__(self, every_s: float = 10.0, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock_s = clock_s
        self._quiet: dict[str, tuple[float, int]] = {}
        """Until when each kind of line is held back, and how many were."""

    def __call__(self, log: Callable[..., Any], event: str, **values: Any) -> None:
        """Write this line, unless another of its kind was written just now."""
        now_s = self._clock_s()
        until_s, held_back = self._quiet.get(event, (now_s, 0))
        if now_s < until_s:
            self._quiet[event] = (until_s, held_back + 1)
            return
        self._quiet[event] = (now_s + self._every_s, 0)
        log(event, **values, **({"held_back": held_back} if held_back else {}))
