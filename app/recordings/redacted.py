"""What may be kept of a recording's words."""

from collections.abc import Sequence
from dataclasses import replace

from app.recordings.segments import Segment, Words
from app.redaction import Redactor


def redacted_words(words: Words, redactor: Redactor) -> Words:
    """The words of one piece, as they may be written down."""
    parts = tuple(replace(part, text=redactor.text(part.text)) for part in words.parts)
    return replace(words, text=redactor.text(words.text), parts=parts)


def redacted_segments(segments: Sequence[Segment], redactor: Redactor) -> list[Segment]:
    """The same for all of them in order, as something may begin in one and end in the next of the same speaker."""
    return [replace(each, text=redactor.turn(each.speaker, each.text)) for each in segments]
