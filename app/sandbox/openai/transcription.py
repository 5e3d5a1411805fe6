"""`POST /v1/audio/transcriptions`: the words of those caller phrases that a WAV file holds."""

import asyncio
import io
import re
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from app.sandbox.openai.hearing import hear
from app.sandbox.openai.refusal import Refusal, error_body
from app.sandbox.openai.sound import SAMPLES_PER_MS
from app.sandbox.openai.vad import ServerVad, VadSettings
from app.sandbox.voices.clips import text_of

if TYPE_CHECKING:
    from app.sandbox.openai.sound import Samples

MAX_UPLOAD_BYTES = 25 << 20
LEAST_MS = 100
FIELDS = {"model", "response_format", "language", "languages[]", "keywords[]", "prompt", "temperature"}
SUFFIXES = (".flac", ".mp3", ".mp4", ".mpeg", ".mpga", ".m4a", ".ogg", ".wav", ".webm")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart form."""

    name: str
    filename: str | None
    body: bytes


async def answer_transcription(request: Request) -> Response:
    """Read the request as the API documents it; what it would refuse is a 400 with its error shape."""
    body = await request.body()
    if len(body) > MAX_UPLOAD_BYTES:
        return _refused(Refusal("payload_too_large", "Maximum content size limit (26214400) exceeded.", "file"), 413)
    try:
        parts = _parts(body, request.headers.get("content-type", ""))
        model, form, file = _checked(parts)
        samples = _samples(file.body)
    except Refusal as refusal:
        return _refused(refusal, 400)
    text = await asyncio.to_thread(_transcript, samples)
    if form == "text":
        return PlainTextResponse(text + "\n")
    answer: dict[str, Any] = {"text": text}
    if model == "gpt-transcribe":
        answer["languages"] = [{"code": "en"}] if text else []
    seconds = -(-len(samples) // (SAMPLES_PER_MS * 1000))
    return JSONResponse(answer | {"usage": {"type": "duration", "seconds": seconds}})


def _parts(body: bytes, content_type: str) -> list[Part]:
    boundary = re.match(r'multipart/form-data;.*boundary="?([^";]+)"?', content_type)
    if boundary is None:
        raise Refusal("invalid_content_type", "Unsupported content type: send multipart/form-data.")
    pieces = body.split(b"--" + boundary[1].encode())[1:-1]
    return [_part(piece) for piece in pieces]


def _part(piece: bytes) -> Part:
    head, _, body = piece.partition(b"\r\n\r\n")
    name, filename = (re.search(rb'[; ]%s="([^"]*)"' % key, head) for key in (b"name", b"filename"))
    if name is None:
        raise Refusal("invalid_request", "A part of the form has no name.")
    return Part(name[1].decode(), filename[1].decode() if filename else None, body.removesuffix(b"\r\n"))


def _checked(parts: list[Part]) -> tuple[str, str, Part]:
    """The model, the response format and the file; raises `Refusal`."""
    files = [part for part in parts if part.name == "file"]
    values = {part.name: part.body.decode() for part in parts if part.name != "file"}
    for name in values.keys() - FIELDS:
        raise Refusal("unknown_parameter", f"Unknown parameter: '{name}'.", name)
    for name, present in (("file", files), ("model", values.get("model"))):
        if not present:
            raise Refusal("missing_required_parameter", f"Missing required parameter: '{name}'.", name)
    if {"language", "languages[]"} <= values.keys():
        raise Refusal("invalid_value", "'language' and 'languages' cannot be used together.", "languages")
    if re.search(r"[<>\r\n]", values.get("keywords[]", "")):
        raise Refusal("invalid_value", "A keyword holds a character that is not allowed.", "keywords")
    model, form = values["model"], values.get("response_format", "json")
    if form not in (("json",) if model == "gpt-transcribe" else ("json", "text")):
        raise Refusal(
            "unsupported_value", f"response_format '{form}' is not supported with {model}.", "response_format"
        )
    if not (files[0].filename or "").lower().endswith(SUFFIXES):
        raise Refusal("invalid_value", f"Invalid file format. Supported formats: {', '.join(SUFFIXES)}.", "file")
    return model, form, files[0]


def _samples(file: bytes) -> "Samples":
    """The file's sound at 8 kHz. Only WAV with 16-bit samples can be opened here."""
    try:
        with wave.open(io.BytesIO(file)) as opened:
            if opened.getsampwidth() != 2:
                raise wave.Error("not 16 bit")
            channels, rate = opened.getnchannels(), opened.getframerate()
            wide = np.frombuffer(opened.readframes(opened.getnframes()), dtype="<i2").reshape(-1, channels).mean(axis=1)
    except (wave.Error, EOFError, ValueError) as error:
        raise Refusal("invalid_value", "Audio file might be corrupted or unsupported", "file") from error
    at = np.arange(0, len(wide), rate / 8000)
    if len(at) < LEAST_MS * SAMPLES_PER_MS:
        raise Refusal("audio_too_short", "Audio file is too short. Minimum audio length is 0.1 seconds.", "file")
    samples: Samples = np.interp(at, np.arange(len(wide)), wide).astype(np.int16)
    return samples


def _transcript(samples: "Samples") -> str:
    quiet = np.zeros(SAMPLES_PER_MS * 1000, dtype=np.int16)  # so that a file that ends in speech ends its turn
    turns = [each for each in ServerVad(VadSettings()).feed(np.concatenate([samples, quiet])) if each.kind == "stopped"]
    heard = (hear(samples[turn.since_ms * SAMPLES_PER_MS : turn.at_ms * SAMPLES_PER_MS]) for turn in turns)
    return " ".join(text_of(phrase) for phrase in heard if phrase)


def _refused(refusal: Refusal, status: int) -> Response:
    return JSONResponse({"error": error_body(refusal)}, status_code=status)
