"""A sound file that belongs to no call, to its words: WAV in pieces, other kinds whole."""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.conf.models import RecordingTranscription
from app.errors import AudioError, TranscriptionRefused
from app.jobs.recordings.pieces import Answer, about_the_file, tells_voices_apart, words_of, write_down
from app.openai.media.kind import EXTENSIONS, WAV, kind_of
from app.openai.transcriber import Transcriber
from app.openai.transcription_rules import MOST_BYTES
from app.openai.types.transcription import TranscriptionRequest
from app.recordings.cutting import Piece
from app.recordings.formats import plain
from app.recordings.plan import Plan, plan
from app.recordings.segments import Segment, main_language, stitch
from app.recordings.spans import Span

AT_ONCE = 4
RETRIES = 4
"""Somebody waits, and what came before a failure is not kept."""
HEAD_BYTES = 64
_REQUEST = re.compile(r" \[request [^\]]*\]")


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A file that can be sent; `plan` says in which pieces, None that it is sent whole."""

    path: Path
    plan: Plan | None

    @property
    def seconds(self) -> float | None:
        """How much is sent; None where only the model will know."""
        return None if self.plan is None else sum(piece.sent.ms for piece in self.plan.pieces) / 1000


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a file."""

    segments: list[Segment]
    about: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


def look(path: Path, *, model: str, caller_channel: str = "left") -> SoundFile:
    """What the file is, before anything is sent; raises `AudioError` where nothing can be."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise AudioError(f"{path}: {error.strerror or error}") from None
    if not head:
        raise AudioError(f"{path} is empty")
    kind = kind_of(head)
    if kind is None:
        raise AudioError(f"{path} is no sound file; these can be written down: {', '.join(EXTENSIONS)}")
    if kind == WAV:
        return SoundFile(path, _cut(path, model, caller_channel))
    if size > MOST_BYTES:
        limit = f"more than the {MOST_BYTES >> 20} MB of one request; as WAV it would be sent in pieces"
        raise AudioError(f"{path} has {size >> 20} MB, {limit}: ffmpeg -i {path.name} {path.stem}.wav")
    return SoundFile(path, None)


async def write_file(
    transcriber: Transcriber,
    file: SoundFile,
    asked: RecordingTranscription,
    *,
    heard: Callable[[float], None] = lambda seconds: None,
) -> Written:
    """The words of the file; `heard` is told of the seconds that were written down. Raises `TranscriptionError`."""
    if file.plan is None:
        return await _whole(transcriber, file.path, asked)
    return await _in_pieces(transcriber, file.path, file.plan, asked, heard)


def _cut(path: Path, model: str, caller_channel: str) -> Plan:
    try:
        planned = plan(path, caller_channel=caller_channel, whole=tells_voices_apart(model))
    except AudioError as error:
        raise AudioError(f"{path} {error}") from None
    if not planned.pieces:
        raise AudioError(f"{path}: nobody speaks in it")
    return planned


async def _in_pieces(
    transcriber: Transcriber, path: Path, planned: Plan, asked: RecordingTranscription, heard: Callable[[float], None]
) -> Written:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(piece: Piece) -> Answer:
        async with free:
            answer = await write_down(transcriber, planned, piece, asked, model=asked.model, retries=RETRIES)
        heard(piece.sent.ms / 1000)
        return answer

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(piece)) for piece in planned.pieces]
    except BaseExceptionGroup as group_of_errors:
        raise group_of_errors.exceptions[0] from None  # the first ended the others
    answers = [task.result() for task in tasks]
    refused = [answer.reason for answer in answers if answer.reason]
    if len(refused) == len(answers):
        raise AudioError(f"{path}: {refused[0]}")
    words = {seq: answer.words for seq, answer in enumerate(answers)}
    segments = stitch(planned.pieces, words, planned.speakers)
    costs = [answer.cost_usd for answer in answers]
    about = _about(
        segments,
        language=main_language(words),
        duration_ms=planned.info.duration_ms,
        model=", ".join(sorted({answer.model for answer in answers if not answer.reason})),
        cost_usd=None if None in costs else sum((cost for cost in costs if cost), Decimal(0)),
    )
    return Written(segments, about, (*_told_once(answers), *(f"a piece has no words: {reason}" for reason in refused)))


def _told_once(answers: Sequence[Answer]) -> Iterable[str]:
    """The warnings of all pieces, each once, whatever requests they speak of."""
    return dict.fromkeys(_REQUEST.sub("", warning) for answer in answers for warning in answer.warnings)


async def _whole(transcriber: Transcriber, path: Path, asked: RecordingTranscription) -> Written:
    request = TranscriptionRequest(
        await asyncio.to_thread(path.read_bytes),
        model=asked.model,
        languages=asked.languages,
        keywords=asked.keywords,
        prompt=asked.prompt,
        fallback_model=asked.fallback_model,
    )
    try:
        response = await transcriber.transcribe(request, retries=RETRIES)
    except TranscriptionRefused as error:
        if not about_the_file(error):
            raise
        raise AudioError(f"{path}: {str(error).removeprefix('file_bytes: ')}") from None
    duration_ms = round(response.duration * 1000)
    everything = Piece(0, Span(0, duration_ms), Span(0, duration_ms))
    segments = stitch([everything], {0: words_of(response)}, ["unknown"])
    about = _about(
        segments,
        language=response.language,
        duration_ms=duration_ms,
        model=response.model,
        cost_usd=response.cost_usd,
    )
    return Written(segments, about, response.warnings)


def _about(segments: list[Segment], *, cost_usd: Decimal | None, **more: Any) -> dict[str, Any]:
    return {"text": plain(segments), **more, "cost_usd": None if cost_usd is None else float(cost_usd)}
