import asyncio
import io
import json
import logging
import traceback
from collections.abc import Iterator

import pytest
import structlog

from app import logs

SECRETS = [
    "sk-proj-abcdefghijklmnop",
    "0123456789abcdef0123456789abcdef",
    "Bearer abc.def.ghi",
    "Basic QUM6dG9rZW4=",
    "parley_" + "x" * 43,
    "postgresql+asyncpg://parley:hunter22@db/parley",
    "auth_token=hunter22",
    '"password": "hunter22"',
    "+15551234567",
    "+1 (555) 123-4567",
    "From=%2B15551234567",
    "sip:15551234567@example.com",
]
VISIBLE = ["abcdefghij", "0123456789abcdef0123", "abc.def", "QUM6", "xxxxx", "hunter22", "12345"]
HARMLESS = [
    "CA" + "1" * 32,
    "AC0123456789abcdef0123456789abcdef",
    "0193e1c8-7c7e-7abc-8def-0123456789ab",
    "2026-11-21T01:49:44.123456Z",
    "took 123456789 ms, item_abc123",
    "https://calls.example.com/twilio/voice",
]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(level="debug", form="json", stream=stream)
    yield stream
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.getLogger("uvicorn.error").removeFilter(logs._useful)


def unmasked(text: str) -> list[str]:
    return [secret for secret in VISIBLE if secret in text]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_and_numbers_are_masked(secret: str):
    assert unmasked(logs.mask_text(f"before {secret} after")) == []


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_neither_stays_readable(text: str):
    assert logs.mask_text(text) == text


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_line_shows_a_secret_wherever_it_stands(lines: io.StringIO, form: str):
    logs.configure(level="debug", form=form, stream=lines)  # type: ignore[arg-type] # one of the two
    log = structlog.stdlib.get_logger("app.test")
    for secret in SECRETS:
        log.info(secret, nested={"a": [secret, {"b": secret}]}, token="hunter22", error=ValueError(secret))
        logging.getLogger("sqlalchemy.engine").warning("bad: %s", secret)
        try:
            local = secret
            raise ValueError(f"refused {local}")
        except ValueError:
            log.exception("failed")
            logging.getLogger("asyncio").exception("failed")

    assert lines.getvalue().count("ValueError: refused") == 2 * len(SECRETS)
    assert unmasked(lines.getvalue()) == []


def test_the_calls_identity_is_in_every_line_of_ours_and_of_libraries(lines: io.StringIO):
    with structlog.contextvars.bound_contextvars(call="call-1", agent="default"):
        structlog.stdlib.get_logger("app.test").info("answered", frames=3)
        logging.getLogger("asyncio").warning("slow")

    ours, theirs = map(json.loads, lines.getvalue().splitlines())
    assert (ours["event"], ours["call"], ours["agent"], ours["frames"]) == ("answered", "call-1", "default", 3)
    assert (theirs["event"], theirs["call"], theirs["level"]) == ("slow", "call-1", "warning")


def test_libraries_write_neither_urls_nor_frames(lines: io.StringIO):
    logging.getLogger("httpx").info("HTTP Request: POST https://api.twilio.com/?a=1")
    logging.getLogger("uvicorn.error").debug("< TEXT '...'")
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" [accepted]', "1.2.3.4", "/twilio/media?token=1")
    logging.getLogger("uvicorn.access").info("GET /?token=1")

    assert lines.getvalue() == ""


def test_a_peers_broken_utf8_is_one_line_without_a_stack(lines: io.StringIO):
    try:
        b"\xff".decode()
    except UnicodeDecodeError:
        logging.getLogger("uvicorn.error").exception("Invalid UTF-8 sequence received from client.")

    assert "Traceback" not in lines.getvalue()
    assert len(lines.getvalue().splitlines()) == 1


def test_a_server_that_is_stopped_at_once_shows_no_stack(lines: io.StringIO):
    try:
        raise asyncio.CancelledError
    except asyncio.CancelledError:
        logging.getLogger("uvicorn.error").error(traceback.format_exc())

    assert lines.getvalue() == ""


def test_seldom_lets_one_line_through_and_counts_the_rest():
    now_s = 100.0
    written: list[dict[str, object]] = []
    seldom = logs.Seldom(10, lambda: now_s)
    for _ in range(5):
        seldom(lambda event, **values: written.append(values), "refused", n=1)
    seldom(lambda event, **values: written.append(values), "another kind")
    now_s += 10
    seldom(lambda event, **values: written.append(values), "refused", n=2)

    assert written == [{"n": 1}, {}, {"n": 2, "held_back": 4}]
