"""One piece of a recording to its words."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal

from app.conf.models import RecordingTranscription
from app.errors import TranscriptionRefused
from app.openai.constants import file_transcription_model
from app.openai.transcriber import Transcriber
from app.openai.transcription_errors import TOO_LONG
from app.openai.types.transcription import TranscriptionRequest, TranscriptionResponse
from app.recordings.cutting import Piece
from app.recordings.plan import Plan
from app.recordings.segments import Segment, Words

THIS_PIECE = {"audio_too_short", "audio_empty", "audio_damaged", "not_audio", "file_too_large", "http_413", TOO_LONG}
"""Refusals that say nothing about the other pieces."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    words: Words
    model: str
    """The one that did it, which may be the fallback."""
    cost_usd: Decimal | None
    reason: str | None = None
    """Why there are no words: this piece was refused."""
    warnings: tuple[str, ...] = ()
    """What a person who waits for the words should know."""


async def write_down(
    transcriber: Transcriber, plan: Plan, piece: Piece, asked: RecordingTranscription, *, model: str, retries: int = 0
) -> Answer:
    """The words of the piece; raises `TranscriptionError` for what would be the same with any other piece."""
    request = TranscriptionRequest(
        await asyncio.to_thread(plan.wav, piece),
        model=model,
        languages=asked.languages,
        keywords=asked.keywords,
        prompt=asked.prompt if _takes_prompt(model) else None,
        fallback_model=asked.fallback_model,
    )
    try:
        response = await transcriber.transcribe(request, retries=retries)
    except TranscriptionRefused as error:
        if not about_the_file(error):
            raise
        return Answer(Words(""), model, Decimal(0), str(error))
    return Answer(words_of(response), response.model, response.cost_usd, warnings=response.warnings)


def about_the_file(error: TranscriptionRefused) -> bool:
    """Whether it is this sound that was refused, and not how we asked."""
    return error.code in THIS_PIECE or error.param in {"file", "file_bytes"}


def words_of(response: TranscriptionResponse) -> Words:
    """The words, with the times of those models that tell any."""
    parts = tuple(
        Segment(part.speaker or "", round(part.start * 1000), round(part.end * 1000), part.text)
        for part in response.segments or ()
    )
    return Words(response.text, parts, response.language)


def tells_voices_apart(model: str) -> bool:
    """Whether the model hears who speaks."""
    known = file_transcription_model(model)
    return known is not None and known.diarizes


def _takes_prompt(model: str) -> bool:
    known = file_transcription_model(model)
    return known is None or known.prompt
