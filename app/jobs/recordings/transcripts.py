"""A recording's transcript: asked for, on its way, and what becomes of it; each step in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.db.engine import db_session
from app.db.recordings import find_recording, find_transcript, save_transcript
from app.db.tables import Recording, Transcript, TranscriptPiece
from app.db.transcripts import drop_pieces, keep_piece, mark_transcript
from app.jobs.job import JobKind
from app.jobs.queue import enqueue
from app.jobs.recordings.pieces import Answer
from app.jobs.webhooks.emit import emit
from app.jobs.webhooks.messages import recording_ids
from app.recordings.compare import Difference
from app.recordings.cutting import Piece
from app.recordings.formats import plain
from app.recordings.plan import Plan
from app.recordings.segments import Segment, Words, from_json, main_language
from app.recordings.states import RecordingState, TranscriptState


@dataclass(frozen=True, slots=True)
class Made:
    """Everything that a transcript is made of."""

    plan: Plan
    answers: Mapping[int, Answer]
    segments: Sequence[Segment]
    differences: Sequence[Difference]


class Gone(Exception):
    """While we worked at it, the recording was deleted, or another worker was done with it: ours is not wanted."""


async def want_transcript(db: AsyncSession, recording: Recording, *, again: bool = False) -> bool:
    """Let a stored recording be written down, in the transaction of `db`; False where nothing new was begun.

    `again` is a person's wish: what is done, skipped or failed is made anew, and its words stay until then.
    """
    if recording.state != RecordingState.STORED:
        return False
    there = await find_transcript(db, recording.id)
    if there is not None and there.state != TranscriptState.WAITING and not again:
        return False
    if there is not None and there.state != TranscriptState.WAITING:
        await drop_pieces(db, recording.id)
    await mark_transcript(db, recording.id, TranscriptState.WAITING, None, call_id=recording.call_id)
    return await enqueue(db, JobKind.TRANSCRIBE, str(recording.id))


async def end_without(
    engine: AsyncEngine, recording_id: UUID, state: TranscriptState, reason: str, *, duration_ms: int | None = None
) -> None:
    """It is skipped or failed, and why; raises `Gone`."""
    measured = {} if duration_ms is None else {"duration_ms": duration_ms}
    async with db_session(engine) as db:
        recording, _ = await _still_wanted(db, recording_id)
        now = datetime.now(UTC)
        await mark_transcript(db, recording_id, state, reason, call_id=recording.call_id, done_at=now, **measured)


async def keep(engine: AsyncEngine, recording_id: UUID, seq: int, piece: Piece, answer: Answer) -> None:
    """Keep what came back of a piece; raises `Gone`."""
    async with db_session(engine) as db:
        kept = await keep_piece(
            db,
            recording_id,
            seq,
            channel=piece.channel,
            from_ms=piece.sent.from_ms,
            until_ms=piece.sent.until_ms,
            text=storable(answer.words.text),
            parts=[asdict(part) | {"text": storable(part.text)} for part in answer.words.parts],
            language=answer.words.language,
            model=answer.model,
            cost_usd=answer.cost_usd,
            reason=answer.reason,
        )
    if not kept:
        raise Gone


def kept_answer(row: TranscriptPiece | None, piece: Piece) -> Answer | None:
    """What came back of that piece before; None where it was cut otherwise then."""
    if row is None or (row.channel, row.from_ms, row.until_ms) != (
        piece.channel,
        piece.sent.from_ms,
        piece.sent.until_ms,
    ):
        return None
    words = Words(row.text, tuple(from_json(row.parts)), row.language)
    return Answer(words, row.model, row.cost_usd, row.reason)


async def finish(engine: AsyncEngine, job_id: str, recording_id: UUID, made: Made) -> None:
    """The transcript is there, and everybody hears of it; raises `Gone`."""
    async with db_session(engine) as db:
        recording, before = await _still_wanted(db, recording_id)
        made_before = before.model is not None
        costs = [answer.cost_usd for answer in made.answers.values()]
        values: dict[str, Any] = {
            "language": main_language({seq: answer.words for seq, answer in made.answers.items()}),
            "duration_ms": made.plan.info.duration_ms,
            "model": ", ".join(sorted({answer.model for answer in made.answers.values() if not answer.reason})),
            "cost_usd": sum((cost for cost in costs if cost is not None), Decimal(0)) if None not in costs else None,
        }
        await save_transcript(
            db,
            recording_id,
            call_id=recording.call_id,
            state=TranscriptState.DONE,
            reason=_notes(made.plan, made.answers),
            text=storable(plain(made.segments)),
            segments=[asdict(each) | {"text": storable(each.text)} for each in made.segments],
            differences=[asdict(each) for each in made.differences],
            done_at=datetime.now(UTC),
            **values,
        )
        await drop_pieces(db, recording_id)
        subject = f"{recording_id}/{job_id}" if made_before else str(recording_id)
        # facts only: spoken words are read where they are deleted in time
        await emit(db, "transcript.ready", subject, recording_ids(recording) | values)


def storable(text: str) -> str:
    """The text without the one character that PostgreSQL does not keep."""
    return text.replace("\0", "")


async def _still_wanted(db: AsyncSession, recording_id: UUID) -> tuple[Recording, Transcript]:
    """The recording, which stays as it is until the transaction ends, and its transcript; raises `Gone`."""
    recording = await find_recording(db, recording_id, lock=True)
    if recording is None or recording.state == RecordingState.DELETED:
        raise Gone
    there = await find_transcript(db, recording_id)
    if there is None or there.state in {TranscriptState.DONE, TranscriptState.SKIPPED}:
        raise Gone
    return recording, there


def _notes(plan: Plan, answers: Mapping[int, Answer]) -> str | None:
    """What a reader should know of a transcript that is done: who was silent, and what was refused."""
    notes = [f"nothing can be heard of the {speaker}" for speaker in plan.silent]
    for seq, answer in answers.items():
        if answer.reason:
            notes.append(f"{plan.pieces[seq].sent.from_ms} ms: {answer.reason}")
    return "; ".join(notes) or None
