"""Finished recordings through OpenAI's transcription API."""

import asyncio
import io
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.conf.models import OpenAICoreConf, PricesConf
from app.errors import (
    ConfError,
    SessionError,
    SettingsError,
    TranscriptionError,
    TranscriptionKeyRejected,
    TranscriptionRefused,
    TranscriptionUnavailable,
)
from app.openai.connect import headers
from app.openai.constants import OPENAI_TRANSCRIPTION_URL, ending, file_transcription_model
from app.openai.transcription_answers import (
    PLAIN_FORMATS,
    Asked,
    HalfAnswer,
    not_sent,
    read_object,
    read_plain,
    response_of,
)
from app.openai.transcription_errors import MODEL_NOT_FOUND, clean, error_of, request_id_of, told
from app.openai.transcription_form import form_of
from app.openai.transcription_rules import WORTH_S, check, measured
from app.openai.transcription_stream import EventStream, OnText
from app.openai.types.transcription import TranscriptionRequest, TranscriptionResponse

CONNECT_S = 5.0
ANSWER_S = 600.0
"""One request, from its first byte to the answer's last."""
MOST_ANSWER_BYTES = 32 << 20
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
LONGEST_WAIT_S = 120.0
"""Who asks us to wait longer than this gets no quick retry."""
AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")

Pause = Callable[[float], Awaitable[None]]


class Transcriber:
    """Writes recordings down. One HTTP client may serve many of them, and anything else beside."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        key: Callable[[], OpenAICoreConf],
        url: str = OPENAI_TRANSCRIPTION_URL,
        *,
        answer_s: float = ANSWER_S,
        pause: Pause = asyncio.sleep,
        today: Callable[[], date] = date.today,
        prices: Callable[[], PricesConf] = PricesConf,
    ) -> None:
        """`key` and `prices` are asked again for each request, so that new ones count at once.

        Raises `SettingsError` where the URL is none.
        """
        self._http = http
        self._key = key
        self._url = _checked(url)
        self._answer_s = answer_s
        self._pause = pause
        self._today = today
        self._prices = prices

    async def transcribe(
        self, request: TranscriptionRequest, *, retries: int = 0, on_text: OnText | None = None
    ) -> TranscriptionResponse:
        """The words of that file; raises `TranscriptionError`, whose subclass says who is at fault.

        What the API would refuse is refused before anything is sent. `retries` are quick ones, for somebody who
        waits; `on_text` is told of the words as they come, with `request.stream`.
        """
        check(request)
        try:
            return await self._with_retries(request, retries, on_text)
        except TranscriptionRefused as error:
            other = request.fallback_model
            if error.code != MODEL_NOT_FOUND or other is None or other == request.model:
                raise
            return await self._with_fallback(replace(request, model=other), error, retries, on_text)

    async def _with_fallback(
        self, request: TranscriptionRequest, gone: TranscriptionRefused, retries: int, on_text: OnText | None
    ) -> TranscriptionResponse:
        try:
            check(request)
            response = await self._with_retries(request, retries, on_text)
        except TranscriptionRefused as error:
            text = f"{gone}; nor did the fallback model {request.model} work: {error}"
            raise TranscriptionRefused(
                text, status=gone.status, code=gone.code, param=gone.param, request_id=gone.request_id
            ) from error
        warning = f"{gone}: {request.model} was used instead"
        return replace(response, warnings=(warning, *response.warnings))

    async def _with_retries(
        self, request: TranscriptionRequest, retries: int, on_text: OnText | None
    ) -> TranscriptionResponse:
        kind, seconds = await asyncio.to_thread(measured, request)
        form = await asyncio.to_thread(form_of, request, kind, seconds)
        asked = Asked(request, form, seconds, self._prices())
        asked.form.warnings += self._endings(request)
        if seconds is not None and seconds < WORTH_S:
            return not_sent(asked)
        for attempt in range(retries):
            try:
                return await self._once(asked, on_text)
            except TranscriptionUnavailable as error:
                pause_s = error.after_s if error.after_s is not None else _back_off_s(attempt)
                if pause_s > LONGEST_WAIT_S:
                    raise
                await self._pause(pause_s)
        return await self._once(asked, on_text)

    def _endings(self, request: TranscriptionRequest) -> list[str]:
        known = file_transcription_model(request.model)
        text = known and ending(request.model, known.last_day, f"use {known.replacement}", self._today())
        return [text] if text else []

    async def _once(self, asked: Asked, on_text: OnText | None) -> TranscriptionResponse:
        secret, given = self._access()
        form = asked.form
        request = self._http.build_request(
            "POST",
            self._url,
            headers=given,
            data=form.fields,
            files={"file": _in_pieces(form.file)},
            timeout=httpx.Timeout(None, connect=CONNECT_S),
        )
        try:
            async with asyncio.timeout(self._answer_s):
                return await self._answer(request, asked, secret, on_text)
        except TimeoutError:
            raise TranscriptionUnavailable(f"OpenAI gave no transcription within {self._answer_s:g} s") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            text = f"OpenAI cannot be reached: {clean(str(error), secret) or type(error).__name__}"
            raise TranscriptionUnavailable(text) from None  # the cause holds the request, and that the key

    async def _answer(
        self, request: httpx.Request, asked: Asked, secret: str, on_text: OnText | None
    ) -> TranscriptionResponse:
        response = await self._http.send(request, stream=True, follow_redirects=False)
        try:
            if not response.is_success:
                raise error_of(response.status_code, response.headers, await _body(response), secret=secret)
            answer = await _read(response, asked.form.response_format, secret, on_text)
            return await asyncio.to_thread(response_of, answer, asked, request_id_of(response.headers, secret))
        except HalfAnswer as error:
            raise _half(response, str(error), secret) from None
        finally:
            await response.aclose()

    def _access(self) -> tuple[str, Mapping[str, str]]:
        """The key, and the headers that carry it."""
        try:
            core_conf = self._key()
            given = dict(headers(core_conf))
        except (ConfError, SessionError) as error:
            raise TranscriptionKeyRejected(str(error), code="not_configured") from None
        secret = core_conf.openai_api_key.get_secret_value()
        if (urlsplit(self._url).hostname or "").endswith(AZURE_HOSTS):
            del given["Authorization"]
            given["api-key"] = secret
        return secret, given


def _in_pieces(file: tuple[str, bytes, str]) -> tuple[str, io.BytesIO, str]:
    """As a file it goes out in pieces; as bytes it would in one, and 20 MB of it would stop every call."""
    name, content, content_type = file
    return name, io.BytesIO(content), content_type


async def _read(response: httpx.Response, form: str, secret: str, on_text: OnText | None) -> Mapping[str, Any]:
    """The answer, told by what it says it is; raises `HalfAnswer`, or the error that came in its place."""
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "text/event-stream":
        return await _stream(response, secret, on_text)
    body = await _body(response)
    if form in PLAIN_FORMATS and media != "application/json":
        return await asyncio.to_thread(read_plain, body, form)
    return await asyncio.to_thread(read_object, body)


async def _stream(response: httpx.Response, secret: str, on_text: OnText | None) -> Mapping[str, Any]:
    events, size = EventStream(on_text), 0
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > MOST_ANSWER_BYTES:
            raise HalfAnswer("its answer does not end")
        events.feed(piece)
    events.feed(b"", last=True)
    if events.error:
        raise told(None, response.headers, events.error, secret=secret)
    if events.answer is None:
        raise HalfAnswer("its stream ended before it was done")
    return events.answer


async def _body(response: httpx.Response) -> bytes:
    """The whole body; raises `HalfAnswer` where it has no end."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MOST_ANSWER_BYTES:
            raise HalfAnswer("its answer does not end")
    return bytes(body)


def _half(response: httpx.Response, why: str, secret: str) -> TranscriptionError:
    request_id = request_id_of(response.headers, secret)
    text = f"OpenAI gave no transcription (HTTP {response.status_code}): {why}"
    text += f" [request {request_id}]" if request_id else ""
    return TranscriptionUnavailable(text, status=response.status_code, code="half_answer", request_id=request_id)


def _back_off_s(attempt: int) -> float:
    return min(FIRST_PAUSE_S * 2.0**attempt, LONGEST_PAUSE_S) * random.uniform(0.75, 1.0)  # noqa: S311 (not a secret)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"https", "http"} and httpx.URL(url).host and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        fits = False
    if not fits:
        raise SettingsError("OPENAI_TRANSCRIPTION_URL must look like https://api.openai.com/v1/audio/transcriptions")
    return url
