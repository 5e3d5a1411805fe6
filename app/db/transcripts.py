"""The questions we ask of transcripts while they are being made."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables import Transcript, TranscriptPiece


async def mark_transcript(db: AsyncSession, recording_id: UUID, state: str, reason: str | None, **values: Any) -> None:
    """Say where the recording's transcript is on its way; the words that it has already stay."""
    row = {"state": state, "reason": reason} | values
    empty = {"recording_id": recording_id, "text": "", "segments": [], "differences": []}
    put = insert(Transcript).values(empty | row)
    await db.execute(put.on_conflict_do_update(index_elements=[Transcript.recording_id], set_=row))


async def keep_piece(db: AsyncSession, recording_id: UUID, seq: int, **values: Any) -> bool:
    """Keep a finished piece; False where no transcript waits for it any more."""
    waits = Transcript.state == "waiting"
    wanted = select(Transcript.recording_id).where(Transcript.recording_id == recording_id, waits)
    if await db.scalar(wanted.with_for_update(key_share=True)) is None:
        return False
    put = insert(TranscriptPiece).values({"recording_id": recording_id, "seq": seq} | values)
    keys = [TranscriptPiece.recording_id, TranscriptPiece.seq]
    await db.execute(put.on_conflict_do_update(index_elements=keys, set_=values))
    return True


async def kept_pieces(db: AsyncSession, recording_id: UUID) -> Mapping[int, TranscriptPiece]:
    """The pieces that are finished, by their number."""
    ours = select(TranscriptPiece).where(TranscriptPiece.recording_id == recording_id)
    return {piece.seq: piece for piece in await db.scalars(ours)}


async def drop_pieces(db: AsyncSession, recording_id: UUID) -> None:
    """Forget the pieces: they are in the transcript, or nobody wants it."""
    await db.execute(delete(TranscriptPiece).where(TranscriptPiece.recording_id == recording_id))


async def drop_refused(db: AsyncSession, recording_id: UUID) -> None:
    """Forget the pieces that the model refused, so that it is asked for them again."""
    refused = TranscriptPiece.recording_id == recording_id, TranscriptPiece.reason.is_not(None)
    await db.execute(delete(TranscriptPiece).where(*refused))
