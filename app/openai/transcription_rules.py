"""What can be refused of a transcription request before anything is sent, with the model that can."""

from collections.abc import Callable, Iterator
from datetime import date

from app.errors import AudioError, TranscriptionRefused
from app.openai.constants import FILE_TRANSCRIPTION_MODELS, FileTranscriptionModel, file_transcription_model
from app.openai.media.kind import EXTENSIONS, Kind, kind_of
from app.openai.media.length import seconds_of
from app.openai.types.transcription import TranscriptionRequest

MOST_BYTES = 25 << 20
LEAST_S = 0.1
"""The API takes nothing shorter."""
WORTH_S = 0.3
"""In less than this nobody has said a word: it is not sent."""
MOST_KNOWN_SPEAKERS = 4
_NOT_IN_KEYWORDS = set("<>\r\n")

Refusal = tuple[str, str]
"""The field that is refused, and why."""


def measured(request: TranscriptionRequest) -> tuple[Kind, float | None]:
    """What kind of file that is, and how many seconds it plays where it tells; raises `TranscriptionRefused`.

    It reads the whole file: up to a tenth of a second for the longest mp3.
    """
    data = request.file_bytes
    if not data:
        raise refused("file_bytes", "the file is empty", code="audio_empty")
    if len(data) > MOST_BYTES:
        text = f"the file has {len(data)} bytes, and one request takes {MOST_BYTES}: split it, or use a denser format"
        raise refused("file_bytes", text, code="file_too_large")
    if request.filename is not None and _extension(request.filename) not in EXTENSIONS:
        raise refused("filename", f"its name must end in one of {', '.join(EXTENSIONS)}", code="unsupported_file")
    kind = kind_of(data)
    if kind is None:
        text = f"this is no sound file that is taken; these are: {', '.join(EXTENSIONS)}"
        raise refused("file_bytes", text, code="not_audio")
    return kind, _seconds(data, kind)


def check(request: TranscriptionRequest) -> None:
    """Raise `TranscriptionRefused` for what the API would refuse of the request's fields."""
    for field, why in _refusals(request):
        raise refused(field, why, code="unsupported_value")


def refused(field: str, why: str, *, code: str) -> TranscriptionRefused:
    """That error, for one field of a request."""
    return TranscriptionRefused(f"{field}: {why}", code=code)


def _extension(filename: str) -> str:
    return filename.rpartition(".")[2].lower()


def _seconds(data: bytes, kind: Kind) -> float | None:
    try:
        seconds = seconds_of(data, kind)
    except AudioError as error:
        raise refused("file_bytes", str(error), code="audio_damaged") from error
    if seconds is not None and seconds < LEAST_S:
        text = f"it plays {seconds:.2f} s, and at least {LEAST_S} s are needed"
        raise refused("file_bytes", text, code="audio_too_short")
    return seconds


def _refusals(request: TranscriptionRequest) -> Iterator[Refusal]:
    yield from _value_refusals(request)
    known = file_transcription_model(request.model)
    if known is None:  # a deployment, or a newer model: the API will say
        return
    name, form = request.model, request.response_format or default_format(request, known)
    if form not in known.formats:
        yield "response_format", f"{name} cannot answer in {form}; {who(lambda model: form in model.formats)}"
    if request.timestamp_granularities and not known.timestamps:
        yield "timestamp_granularities", f"{name} tells no times; {who(lambda model: model.timestamps)}"
    if request.timestamp_granularities and form != "verbose_json":
        yield "timestamp_granularities", f"they come only with verbose_json, not with {form}"
    if request.prompt and not known.prompt:
        yield "prompt", f"{name} takes none; {who(lambda model: model.prompt)}"
    if request.include and not known.logprobs:
        yield "include", f"{name} gives no logprobs; {who(lambda model: model.logprobs)}"
    if request.include and form != "json":
        yield "include", f"logprobs come only with json, not with {form}"
    if request.known_speakers and not known.diarizes:
        yield "known_speakers", f"{name} does not tell speakers apart; {who(lambda model: model.diarizes)}"


def _value_refusals(request: TranscriptionRequest) -> Iterator[Refusal]:
    """What no model takes."""
    if not request.model.strip():
        yield "model", "it has no name"
    if request.language and request.languages:
        yield "languages", "either language or languages, not both"
    if any(_NOT_IN_KEYWORDS & set(keyword) or not keyword.strip() for keyword in request.keywords):
        yield "keywords", "a keyword must have something in it, and none of <, > and line ends"
    if len(request.known_speakers) > MOST_KNOWN_SPEAKERS:
        yield "known_speakers", f"at most {MOST_KNOWN_SPEAKERS} can be known"
    if request.temperature is not None and not 0 <= request.temperature <= 1:
        yield "temperature", "it lies between 0 and 1"


def default_format(request: TranscriptionRequest, known: FileTranscriptionModel | None) -> str:
    """The answer's format where none is asked for: the one that tells most of what was asked for."""
    if request.timestamp_granularities:
        return "verbose_json"
    if known is None or request.include:
        return "json"
    return known.formats[0]


def who(can: Callable[[FileTranscriptionModel], bool]) -> str:
    """The model to take instead."""
    able = [(name, model.last_day) for name, model in FILE_TRANSCRIPTION_MODELS.items() if can(model)]
    return " or ".join(f"{name}{_until(day)}" for name, day in able[:2]) + " can" if able else "no known model can"


def _until(last_day: date | None) -> str:
    return f" (until {last_day})" if last_day else ""
