"""The multipart form of a transcription request: its parts, and what they ask for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.transcription_models import Model, model_of

FIELDS = {
    "model",
    "response_format",
    "language",
    "languages[]",
    "keywords[]",
    "prompt",
    "temperature",
    "timestamp_granularities[]",
    "chunking_strategy",
    "include[]",
    "known_speaker_names[]",
    "known_speaker_references[]",
    "stream",
}
SUFFIXES = (".flac", ".mp3", ".mp4", ".mpeg", ".mpga", ".m4a", ".ogg", ".wav", ".webm")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart form."""

    name: str
    filename: str | None
    content_type: str | None
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """The form as it came."""

    file: Part | None = None
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def one(self, name: str) -> str | None:
        """The last value of that field."""
        values = self.fields.get(name)
        return values[-1] if values else None

    def all(self, name: str) -> Sequence[str]:
        """Every value of that field."""
        return self.fields.get(name, ())


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form asks for, as far as the sandbox can do it."""

    model: Model
    model_name: str
    response_format: str
    file: Part
    granularities: frozenset[str]
    logprobs: bool
    stream: bool
    chunked: bool
    prompt: str
    known_names: Sequence[str]
    known_references: Sequence[str]


def read_form(body: bytes, content_type: str) -> Form:
    """The form in a request's body; raises `Refusal`."""
    boundary = re.match(r'multipart/form-data;.*boundary="?([^";]+)"?', content_type)
    if boundary is None:
        raise Refusal("invalid_content_type", "Unsupported content type: send multipart/form-data.")
    parts = [_part(piece) for piece in body.split(b"--" + boundary[1].encode())[1:-1]]
    fields: dict[str, list[str]] = {}
    for part in parts:
        if part.name != "file":
            fields.setdefault(part.name, []).append(part.body.decode("utf-8", "replace"))
    return Form(next((part for part in parts if part.name == "file"), None), fields)


def _part(piece: bytes) -> Part:
    head, _, body = piece.partition(b"\r\n\r\n")
    name = _found(rb'[; ]name="([^"]*)"', head)
    if name is None:
        raise Refusal("invalid_request", "A part of the form has no name.")
    filename, content_type = _found(rb'[; ]filename="([^"]*)"', head), _found(rb"(?i)content-type: *([^\r\n]+)", head)
    return Part(name, filename, content_type, body.removesuffix(b"\r\n"))


def _found(pattern: bytes, head: bytes) -> str | None:
    found = re.search(pattern, head)
    return found[1].decode("utf-8", "replace") if found else None


def checked(form: Form) -> Wish:
    """What the form asks for; raises `Refusal` for what the API would not take."""
    for name in form.fields.keys() - FIELDS:
        raise Refusal("unknown_parameter", f"Unknown parameter: '{name}'.", name)
    model_name = form.one("model")
    if form.file is None or not model_name:
        name = "model" if form.file else "file"
        raise Refusal("missing_required_parameter", f"Missing required parameter: '{name}'.", name)
    model = model_of(model_name)
    response_format = form.one("response_format") or "json"
    for wrong, param, message in _faults(form, model, response_format):
        if wrong:
            raise Refusal("unsupported_value", f"{message} (model {model_name}).", param)
    if not (form.file.filename or "").lower().endswith(SUFFIXES):
        raise Refusal("invalid_value", f"Invalid file format. Supported formats: {', '.join(SUFFIXES)}.", "file")
    return Wish(
        model,
        model_name,
        response_format,
        form.file,
        frozenset(form.all("timestamp_granularities[]")) or frozenset({"segment"}),
        logprobs="logprobs" in form.all("include[]"),
        stream=form.one("stream") == "true" and model.streams,
        chunked=form.one("chunking_strategy") is not None,
        prompt=form.one("prompt") or "",
        known_names=form.all("known_speaker_names[]"),
        known_references=form.all("known_speaker_references[]"),
    )


def _faults(form: Form, model: Model, response_format: str) -> list[tuple[bool, str, str]]:
    """What could be wrong: whether it is, with which field, and in which words."""
    has = {name for name, values in form.fields.items() if any(values)}
    include, granularities = set(form.all("include[]")), set(form.all("timestamp_granularities[]"))
    keywords, known = form.all("keywords[]"), "known_speaker_names[]"
    speakers = {known, "known_speaker_references[]"} & has
    names, references = form.all(known), form.all("known_speaker_references[]")
    return [
        ({"language", "languages[]"} <= has, "languages", "'language' and 'languages' cannot be used together"),
        (any(re.search(r"[<>\r\n]", each) for each in keywords), "keywords", "A keyword holds a forbidden character"),
        ("languages[]" in has and not model.hints, "languages", "'languages' is not supported"),
        ("keywords[]" in has and not model.hints, "keywords", "'keywords' is not supported"),
        ("language" in has and model.hints, "language", "Use 'languages' in place of 'language'"),
        ("prompt" in has and not model.prompt, "prompt", "'prompt' is not supported"),
        (response_format not in model.formats, "response_format", f"'{response_format}' is not supported"),
        (bool(include - {"logprobs"}), "include", "Unknown value"),
        (bool(include) and not model.logprobs, "include", "'logprobs' is not supported"),
        (bool(include) and response_format != "json", "include", "'logprobs' needs response_format 'json'"),
        (bool(granularities - {"word", "segment"}), "timestamp_granularities", "Unknown value"),
        (
            bool(granularities) and not (model.granularities and response_format == "verbose_json"),
            "timestamp_granularities",
            "They need whisper-1 and response_format 'verbose_json'",
        ),
        (not _is_temperature(form.one("temperature")), "temperature", "It must lie between 0 and 1"),
        (not _is_chunking(form.one("chunking_strategy")), "chunking_strategy", "'auto' or an object of 'server_vad'"),
        (bool(speakers) and not model.diarizes, "known_speaker_names", "Known speakers are not supported"),
        (len(names) > 4, "known_speaker_names", "At most 4 speakers can be known"),
        (len(names) != len(references), "known_speaker_references", "One for each of 'known_speaker_names'"),
    ]


def _is_temperature(text: str | None) -> bool:
    try:
        return text is None or 0 <= float(text) <= 1
    except ValueError:
        return False


def _is_chunking(text: str | None) -> bool:
    return text in (None, "auto") or (text is not None and re.search(r'^\{.*"type":\s*"server_vad"', text) is not None)
