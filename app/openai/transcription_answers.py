"""The API's answers, in all their formats, as the one `TranscriptionResponse`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from app.call.money.cost import PriceUnknown
from app.conf.models import PricesConf
from app.openai.languages import iso_code
from app.openai.prices import MINUTE_S, transcription_cost, transcription_price
from app.openai.transcription_form import Form
from app.openai.transcription_reasons import reasons
from app.openai.transcription_subtitles import segments_in
from app.openai.types.transcription import (
    DurationSource,
    TranscriptionLogprob,
    TranscriptionRequest,
    TranscriptionResponse,
    TranscriptionSegment,
    TranscriptionUsage,
    TranscriptionWord,
)
from app.realtime.usage import Usage, Used

PLAIN_FORMATS = {"text", "srt", "vtt"}
"""Formats whose answer is no JSON."""

T = TypeVar("T")


class HalfAnswer(ValueError):
    """What came is not a whole answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer answers."""

    request: TranscriptionRequest
    form: Form
    seconds: float | None
    """As we measured it."""
    prices: PricesConf = field(default_factory=PricesConf)
    """What the operator says that it costs."""


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON answer; raises `HalfAnswer`."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise HalfAnswer("its answer is no JSON") from None
    if not isinstance(answer, dict):
        raise HalfAnswer("its answer is no JSON object")
    return answer


def read_plain(body: bytes, form: str) -> dict[str, Any]:
    """An answer in plain text or subtitles, in the shape of the others; raises `HalfAnswer`."""
    text = body.decode("utf-8", "replace")
    if text.lstrip()[:9].lower().startswith(("<!doctype", "<html")):
        raise HalfAnswer("its answer is a web page")
    if form == "text":
        return {"text": text}
    segments = segments_in(text)
    if not segments and text.strip() not in {"", "WEBVTT"}:
        raise HalfAnswer(f"its answer is no {form}")
    return {"text": " ".join(segment.text for segment in segments), "segments": segments, "subtitles": text}


def response_of(answer: Mapping[str, Any], asked: Asked, request_id: str | None) -> TranscriptionResponse:
    """The answer as a response, with the reason for everything that is not in it; raises `HalfAnswer`."""
    text = answer.get("text")
    if not isinstance(text, str):
        raise HalfAnswer("its answer has no text")
    usage = _part(answer, "usage", TranscriptionUsage)
    duration, source = _duration(answer, asked.seconds, usage)
    languages = _languages(answer)
    response = TranscriptionResponse(
        text=text.strip(),
        language=languages[0] if languages else None,
        languages=languages,
        duration=duration,
        duration_source=source,
        segments=_segments(answer),
        words=_part(answer, "words", list[TranscriptionWord]),
        logprobs=_part(answer, "logprobs", list[TranscriptionLogprob]),
        subtitles=answer.get("subtitles"),
        usage=usage,
        cost_usd=_cost(asked.request.model, usage, duration, asked.prices),
        model=asked.request.model,
        request_id=request_id,
        warnings=tuple(asked.form.warnings),
    )
    return replace(response, unavailable=reasons(response, answer, asked.form.response_format))


def not_sent(asked: Asked) -> TranscriptionResponse:
    """The response for a file too short to hold a word."""
    why = f"{asked.seconds or 0:.2f} s is too short to hold a word: the file was not sent"
    fields = ("language", "segments", "words", "logprobs", "subtitles", "usage", "request_id")
    return TranscriptionResponse(
        text="",
        duration=asked.seconds or 0.0,
        duration_source="measured",
        cost_usd=Decimal(0),
        model=asked.request.model,
        unavailable=dict.fromkeys(fields, why),
        warnings=(why,),
    )


def _part(answer: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    """One part of the answer; what came in a shape we cannot read is left out, as the words are worth more."""
    value = answer.get(name)
    if value is None:
        return None
    try:
        return msgspec.convert(value, type=kind, strict=False)
    except msgspec.ValidationError:
        return None


def _segments(answer: Mapping[str, Any]) -> list[TranscriptionSegment] | None:
    segments = _part(answer, "segments", list[TranscriptionSegment])
    return segments and [replace(each, text=each.text.strip()) for each in segments]


def _languages(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """`languages` of gpt-transcribe, a list of codes; `language` of whisper, a name."""
    several, one = answer.get("languages"), answer.get("language")
    codes = [each.get("code") for each in several if isinstance(each, dict)] if isinstance(several, list) else [one]
    return tuple(iso_code(code) for code in codes if isinstance(code, str) and code)


def _duration(
    answer: Mapping[str, Any], measured_s: float | None, usage: TranscriptionUsage | None
) -> tuple[float, DurationSource]:
    said = _part(answer, "duration", float)
    if said is not None:
        return said, "answer"
    if measured_s is not None:
        return measured_s, "measured"
    if usage and usage.seconds is not None:
        return usage.seconds, "usage"
    return 0.0, "unknown"


def _cost(model: str, usage: TranscriptionUsage | None, duration_s: float, own: PricesConf) -> Decimal | None:
    """By the token or by the minute, whatever is told and has a price; None where we know too little."""
    try:
        if usage and usage.input_tokens is not None and usage.output_tokens is not None:
            tokens = Usage(audio_in=usage.input_tokens, text_out=usage.output_tokens)
            return transcription_cost(Used(model, tokens), own)
    except PriceUnknown:
        pass
    per_minute = transcription_price(model, own)
    if per_minute is None:
        return None
    seconds = usage.seconds if usage and usage.seconds is not None else duration_s
    return (per_minute * Decimal(str(seconds)) / MINUTE_S).quantize(Decimal("0.000001"))
