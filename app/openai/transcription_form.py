"""A transcription request as the multipart form that the API takes."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from app.errors import AudioError
from app.openai.constants import FileTranscriptionModel, file_transcription_model
from app.openai.media.kind import Kind, kind_of
from app.openai.media.length import seconds_of
from app.openai.transcription_rules import default_format, refused
from app.openai.types.transcription import KnownSpeaker, TranscriptionRequest

ONE_BLOCK_S = 30.0
"""The diarizing model takes more than this only in chunks."""
REFERENCE_S = (2.0, 10.0)


@dataclass(slots=True)
class Form:
    """The form's fields, each with its values, its file, and what had to be left out or changed."""

    response_format: str
    file: tuple[str, bytes, str] = field(repr=False)
    """Name, content, content type."""
    fields: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def put(self, name: str, *values: object) -> None:
        """Send a field, unless it has no value."""
        texts = [str(value) for value in values if value is not None]
        if texts:
            self.fields[name] = texts


def form_of(request: TranscriptionRequest, kind: Kind, seconds: float | None) -> Form:
    """What is sent for a request that was checked.

    The file is named after its kind alone: names that people give to files are nobody else's business.
    """
    known = file_transcription_model(request.model)
    form = Form(
        request.response_format or default_format(request, known),
        (f"audio.{kind.extension}", request.file_bytes, kind.content_type),
    )
    form.put("model", request.model)
    form.put("response_format", form.response_format)
    _put_hints(form, request, known)
    form.put("temperature", request.temperature)
    form.put("timestamp_granularities[]", *_granularities(form, request))
    form.put("include[]", *request.include)
    form.put("chunking_strategy", _chunking(request, known, seconds))
    form.put("known_speaker_names[]", *(speaker.name for speaker in request.known_speakers))
    form.put("known_speaker_references[]", *(_reference(speaker) for speaker in request.known_speakers))
    if request.stream and (known is None or known.streams):
        form.put("stream", "true")
    return form


def _put_hints(form: Form, request: TranscriptionRequest, known: FileTranscriptionModel | None) -> None:
    if known is None:
        form.put("language", request.language)
        form.put("languages[]", *request.languages)
        form.put("keywords[]", *request.keywords)
        form.put("prompt", request.prompt)
    elif known.hints:
        form.put("languages[]", request.language, *request.languages)
        form.put("keywords[]", *request.keywords)
        form.put("prompt", request.prompt)
    else:
        _put_older_hints(form, request, known)


def _put_older_hints(form: Form, request: TranscriptionRequest, known: FileTranscriptionModel) -> None:
    """One language, and a vocabulary in the prompt: the nearest that a model without hints has to them."""
    languages = [request.language] if request.language else list(request.languages)
    form.put("language", *languages[:1])
    if len(languages) > 1:
        form.warnings.append(f"{request.model} takes one language: {languages[0]} was sent")
    if known.prompt:
        form.put("prompt", " ".join(filter(None, (request.prompt, ", ".join(request.keywords)))) or None)
    elif request.keywords:
        form.warnings.append(f"{request.model} takes no keywords: they were left out")


def _granularities(form: Form, request: TranscriptionRequest) -> Sequence[str]:
    if form.response_format != "verbose_json":
        return ()
    return request.timestamp_granularities or ("word", "segment")


def _chunking(request: TranscriptionRequest, known: FileTranscriptionModel | None, seconds: float | None) -> str | None:
    """As asked; `auto` where the diarizing model would refuse the length, or where we do not know it."""
    match request.chunking_strategy:
        case None:
            long = seconds is None or seconds > ONE_BLOCK_S
            return "auto" if known is not None and known.diarizes and long else None
        case str(word):
            return word
        case settings:
            return msgspec.json.encode({"type": "server_vad", **settings}).decode()


def _reference(speaker: KnownSpeaker) -> str:
    """The speaker's voice as a `data:` URL; raises `TranscriptionRefused`."""
    if isinstance(speaker.reference, str):
        return speaker.reference
    kind = kind_of(speaker.reference)
    if kind is None:
        raise refused("known_speakers", f"the reference of {speaker.name} is no sound file", code="not_audio")
    try:
        seconds = seconds_of(speaker.reference, kind)
    except AudioError as error:
        raise refused("known_speakers", f"the reference of {speaker.name}: {error}", code="audio_damaged") from error
    if seconds is not None and not REFERENCE_S[0] <= seconds <= REFERENCE_S[1]:
        text = f"the reference of {speaker.name} plays {seconds:.1f} s, and must have 2 to 10"
        raise refused("known_speakers", text, code="unsupported_value")
    return f"data:{kind.content_type};base64,{base64.b64encode(speaker.reference).decode()}"
