"""What it means when the transcription API answers with anything but words."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import msgspec

from app.errors import (
    TranscriptionError,
    TranscriptionKeyRejected,
    TranscriptionRefused,
    TranscriptionUnavailable,
)

SHOWN_CHARACTERS = 300
MODEL_NOT_FOUND = "model_not_found"
TOO_LONG = "audio_too_long"
_GONE = {MODEL_NOT_FOUND, "DeploymentNotFound", "model_deprecated"}
_QUOTA = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "account_deactivated"}
_KEY = {"invalid_api_key", "invalid_organization", "invalid_project"}
_PASSING = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
_LENGTH = re.compile(r"(?i)audio duration .* is longer than")


class Details(msgspec.Struct):
    """The `error` of an answer, as far as there is one."""

    message: str | None = None
    type: str | None = None
    param: str | None = None
    code: str | int | None = None


class _Body(msgspec.Struct):
    error: Details


def error_of(status: int, headers: Mapping[str, str], body: bytes, *, secret: str) -> TranscriptionError:
    """The error that an HTTP answer is; it never holds the secret, whatever the server wrote."""
    try:
        details = msgspec.json.decode(body, type=_Body, strict=False).error
    except (msgspec.DecodeError, RecursionError):
        details = Details(message=_page(body))
    return told(status, headers, details, secret=secret)


def told(status: int | None, headers: Mapping[str, str], details: Details, *, secret: str) -> TranscriptionError:
    """The error that the API told us of, as an answer or in the middle of a stream."""
    message, type_, param, code = (
        clean(str(each), secret) if each is not None else None
        for each in (details.message, details.type, details.param, details.code)
    )
    request_id = request_id_of(headers, secret)
    if status == HTTPStatus.NOT_FOUND and param == "model":
        code = MODEL_NOT_FOUND
    code = code or type_ or (f"http_{status}" if status else "error")
    kind = _kind(status, {code, type_}, headers.get("x-should-retry"))
    words = None if kind is TranscriptionKeyRejected and not {code, type_} & _QUOTA else message
    text = _text(kind, status, code, words, request_id)
    if kind is TranscriptionUnavailable:
        return TranscriptionUnavailable(
            text, status=status, code=code, param=param, request_id=request_id, after_s=after_s(headers)
        )
    code = MODEL_NOT_FOUND if code in _GONE else TOO_LONG if _LENGTH.search(message or "") else code
    return kind(text, status=status, code=code, param=param, request_id=request_id)


def clean(text: str, secret: str) -> str:
    """Words of the other side as they may be shown: in one line, not endless, without the key or its parts."""
    if secret:
        text = text.replace(secret, "***")
    text = re.sub(r"\bsk-[\w*.…-]+", "sk-***", text)
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def request_id_of(headers: Mapping[str, str], secret: str) -> str | None:
    """What OpenAI's support asks for, where the answer has it."""
    said = headers.get("x-request-id")
    return clean(said, secret) if said else None


def after_s(headers: Mapping[str, str]) -> float | None:
    """How long we are asked to wait; None where nobody said so that we can read it."""
    pause_s = _number(headers.get("retry-after-ms"))
    if pause_s is not None:
        return pause_s / 1000
    said = headers.get("retry-after")
    pause_s = _number(said)
    return pause_s if pause_s is not None else _until(said)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _until(date: str | None) -> float | None:
    try:
        moment = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _kind(status: int | None, codes: set[str | None], should_retry: str | None) -> type[TranscriptionError]:
    """Who is at fault; `x-should-retry` overrides what the status says, but no try brings money."""
    if codes & _QUOTA:
        return TranscriptionKeyRejected
    if should_retry == "true":
        return TranscriptionUnavailable
    if codes & _GONE:
        return TranscriptionRefused
    if codes & _KEY or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return TranscriptionKeyRejected
    passing = status is None or status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return TranscriptionUnavailable if passing and should_retry != "false" else TranscriptionRefused


def _text(
    kind: type[TranscriptionError], status: int | None, code: str, words: str | None, request_id: str | None
) -> str:
    what = "refused the API key for transcriptions" if kind is TranscriptionKeyRejected else "gave no transcription"
    where = f"HTTP {status}, {code}" if status and code != f"http_{status}" else f"HTTP {status}" if status else code
    text = f"OpenAI {what} ({where})"
    if words:
        text += f": {words}"
    return f"{text} [request {request_id}]" if request_id else text


def _page(body: bytes) -> str:
    """What an answer says that is none of the API's own: a proxy's page, by its title, or its plain words."""
    text = body[: 64 << 10].decode("utf-8", "replace")
    if title := re.search(r"(?is)<title[^>]*>(.*?)</title>", text):
        return f"a web page: {title[1]}"
    if re.match(r"(?i)\s*<(!doctype|html)", text):
        return "a web page"
    return text.strip()
