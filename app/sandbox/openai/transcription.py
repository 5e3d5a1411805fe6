"""`POST /v1/audio/transcriptions`: the words of those phrases that a WAV file holds."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.sandbox.openai.admission import is_authorized, wrong_key
from app.sandbox.openai.outbox import new_id
from app.sandbox.openai.refusal import Refusal, error_body
from app.sandbox.openai.transcription_answers import Heard, answer, events, plain, sse
from app.sandbox.openai.transcription_desk import SeenTranscription, TranscriptionFault, Transcriptions
from app.sandbox.openai.transcription_ears import Said, listen
from app.sandbox.openai.transcription_form import Form, Wish, checked, read_form
from app.sandbox.openai.transcription_models import no_such_model
from app.sandbox.openai.transcription_sound import RATE_HZ, of_data_url, samples_of

if TYPE_CHECKING:
    from app.sandbox.openai.sound import Samples

MAX_UPLOAD_BYTES = 25 << 20
ONE_BLOCK_S = 30
REFERENCE_S = (2, 10)
LETTERS = "ABCDEFGH"
_STATUSES = {
    "invalid_api_key": 401,
    "model_not_found": 404,
    "payload_too_large": 413,
    "invalid_content_type": 415,
}


async def answer_transcription(request: Request, desk: Transcriptions, api_key: str) -> Response:
    """Read the request as the API documents it; what it would refuse has its status and its error shape."""
    body, request_id = await request.body(), new_id("req")
    form, broken = await asyncio.to_thread(_form, body, request.headers.get("content-type", ""))
    samples, silent = await asyncio.to_thread(_sound, form)
    fault = desk.arrive(_seen(request, form, samples, request_id))
    await desk.pass_out(fault)
    if fault.body is not None or fault.status != 200:
        return _misfortune(fault, request_id)
    try:
        if not is_authorized(request.headers, api_key):
            raise wrong_key()
        if broken:
            raise broken
        if len(body) > MAX_UPLOAD_BYTES:
            raise Refusal("payload_too_large", "Maximum content size limit (26214400) exceeded.", "file")
        wish = checked(form)
        if wish.model_name in desk.gone:
            raise no_such_model(wish.model_name)
        if silent or samples is None:
            raise silent or Refusal("invalid_value", "There is no file.", "file")
        _check_length(wish, len(samples) / RATE_HZ)
        heard = await asyncio.to_thread(_heard, samples, wish)
    except Refusal as refusal:
        status = _STATUSES.get(refusal.code, 400)
        return _whole({"error": error_body(refusal)}, request_id, status=status)
    return _answer(heard, wish, fault, request_id)


def _form(body: bytes, content_type: str) -> tuple[Form, Refusal | None]:
    try:
        return read_form(body, content_type), None
    except Refusal as refusal:
        return Form(), refusal


def _sound(form: Form) -> tuple["Samples | None", Refusal | None]:
    try:
        return (samples_of(form.file.body) if form.file else None), None
    except Refusal as refusal:
        return None, refusal


def _seen(request: Request, form: Form, samples: "Samples | None", request_id: str) -> SeenTranscription:
    file = form.file
    return SeenTranscription(
        request_id,
        form.one("model") or "",
        form.fields,
        file.filename if file else None,
        file.content_type if file else None,
        len(file.body) if file else 0,
        len(samples) / RATE_HZ if samples is not None else None,
        dict(request.headers),
    )


def _check_length(wish: Wish, seconds: float) -> None:
    most_s = wish.model.most_s
    if most_s is not None and seconds > most_s:
        text = f"audio duration {seconds} seconds is longer than {most_s} seconds which is the maximum for this model"
        raise Refusal("invalid_value", text, "file")
    if wish.model.diarizes and seconds > ONE_BLOCK_S and not wish.chunked:
        raise Refusal(
            "invalid_value", "chunking_strategy is required for diarization models over 30 s.", "chunking_strategy"
        )


def _heard(samples: "Samples", wish: Wish) -> Heard:
    said = listen(samples)
    return Heard(said, len(samples) / RATE_HZ, _speakers(said, wish) if wish.model.diarizes else {})


def _speakers(said: list[Said], wish: Wish) -> Mapping[str, str]:
    """Known voices by their names, the others by letters, in the order in which they speak."""
    known: dict[str, str] = {}
    for name, reference in zip(wish.known_names, wish.known_references, strict=True):
        samples = of_data_url(reference)
        if not REFERENCE_S[0] <= len(samples) / RATE_HZ <= REFERENCE_S[1]:
            raise Refusal("invalid_value", "A reference must have 2 to 10 seconds.", "known_speaker_references")
        known |= {each.who: name for each in listen(samples)[:1]}
    strangers = dict.fromkeys(each.who for each in said if each.who not in known)
    return known | dict(zip(strangers, LETTERS, strict=False))


def _answer(heard: Heard, wish: Wish, fault: TranscriptionFault, request_id: str) -> Response:
    if wish.stream:
        lines = [sse(event) for event in events(heard, wish)]
        shown = lines[:-1] if fault.without_done else lines
        headers = {"x-request-id": request_id, **fault.headers}
        return StreamingResponse(_pieces(shown), headers=headers, media_type="text/event-stream")
    text = plain(heard, wish)
    if text is not None:
        return _bytes(text.encode(), "text/plain; charset=utf-8", request_id, fault)
    return _whole(answer(heard, wish), request_id, fault)


async def _pieces(lines: list[str]) -> AsyncIterator[str]:
    for line in lines:
        yield line


def _misfortune(fault: TranscriptionFault, request_id: str) -> Response:
    if fault.body is not None:
        body = fault.body.encode() if isinstance(fault.body, str) else fault.body
        return _bytes(body, fault.content_type, request_id, fault, status=fault.status)
    error = {"message": fault.message, "type": "invalid_request_error", "param": None, "code": fault.code}
    return _whole({"error": error}, request_id, fault, status=fault.status)


def _whole(
    value: dict[str, Any], request_id: str, fault: TranscriptionFault | None = None, *, status: int = 200
) -> Response:
    return _bytes(json.dumps(value).encode(), "application/json", request_id, fault, status=status)


def _bytes(
    body: bytes, content_type: str, request_id: str, fault: TranscriptionFault | None, *, status: int = 200
) -> Response:
    headers = {"content-length": str(len(body)), "x-request-id": request_id, **(fault.headers if fault else {})}
    cut = fault.cut_after_bytes if fault else None
    return Response(body[:cut], status_code=status, headers=headers, media_type=content_type)
