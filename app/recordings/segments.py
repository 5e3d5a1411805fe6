"""A recording in words: who said what, and when."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.recordings.cutting import Piece


@dataclass(frozen=True, slots=True)
class Segment:
    """Something that one speaker said."""

    speaker: str
    """`caller`, `agent`, `unknown`; or a letter, by a model that tells voices apart."""
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """What came back of one piece; `parts` where the model told its times itself."""

    text: str
    parts: tuple[Segment, ...] = ()
    language: str | None = None


def stitch(pieces: Sequence[Piece], words: Mapping[int, Words], speakers: Sequence[str]) -> list[Segment]:
    """The words of all pieces on the recording's own clock, in the order they were spoken; a piece may have none."""
    segments = [
        segment
        for seq, piece in enumerate(pieces)
        if seq in words
        for segment in _of_piece(piece, words[seq], speakers[piece.channel], _letter(seq, len(pieces)))
    ]
    return sorted(segments, key=lambda segment: (segment.start_ms, segment.end_ms))


def main_language(words: Mapping[int, Words]) -> str | None:
    """What was spoken most, by the length of what was said."""
    spoken: Counter[str] = Counter()
    for each in words.values():
        if each.language and each.text:
            spoken[each.language] += len(each.text)
    return spoken.most_common(1)[0][0] if spoken else None


def from_json(segments: Sequence[Mapping[str, Any]]) -> list[Segment]:
    """Segments as a transcript's row keeps them."""
    return [Segment(each["speaker"], each["start_ms"], each["end_ms"], each["text"]) for each in segments]


def _of_piece(piece: Piece, words: Words, speaker: str, letter: str) -> list[Segment]:
    text = " ".join(words.text.split())
    if not text:
        return []
    if not words.parts:
        return [Segment(speaker, piece.spoken.from_ms, piece.spoken.until_ms, text)]
    return [_placed(piece, part, speaker, letter) for part in words.parts if part.text.strip()]


def _placed(piece: Piece, part: Segment, speaker: str, letter: str) -> Segment:
    """A part at its place in the recording: never outside of what was sent."""
    start_ms = min(piece.sent.from_ms + max(part.start_ms, 0), piece.sent.until_ms)
    end_ms = min(piece.sent.from_ms + max(part.end_ms, part.start_ms, 0), piece.sent.until_ms)
    named = f"{part.speaker}{letter}" if part.speaker and speaker == "unknown" else speaker
    return Segment(named, start_ms, end_ms, " ".join(part.text.split()))


def _letter(seq: int, count: int) -> str:
    """Voices are told apart within one piece only: A of the second piece may be B of the first."""
    return "" if count == 1 else str(seq + 1)
