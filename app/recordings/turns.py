"""Who spoke when in a recording: by its call's journal, and by its own sound where that has more to say."""

from collections.abc import Sequence
from typing import Literal

from app.call.journal.transcript import Turn
from app.recordings.levels import Levels
from app.recordings.spans import Span, united
from app.recordings.vad import loud, speech

Speaker = Literal["caller", "agent", "unknown"]

HEARD_LATE_MS = 600
"""A caller's turn begins in the journal when the model had noticed it."""
UNFINISHED_MS = 30_000
"""A turn that has no end (the process was killed in it) may have been this long."""


def channels_of(channels: int, caller_channel: str) -> list[Speaker]:
    """The speaker of each channel; the caller channel `only` says that there is nobody else in it."""
    if caller_channel == "only":
        return ["caller"] * channels
    if channels != 2:
        return ["unknown"] * channels
    return ["caller", "agent"] if caller_channel == "left" else ["agent", "caller"]


def spoken(levels: Levels, speakers: Sequence[Speaker], turns: Sequence[Turn], duration_ms: int) -> list[list[Span]]:
    """The spans in which each channel speaks: its turns as far as they sound, and speech that no turn knows of."""
    return [
        united([*speech(levels, channel), *_turns(levels, channel, speaker, turns, duration_ms)])
        for channel, speaker in enumerate(speakers)
    ]


def _turns(levels: Levels, channel: int, speaker: Speaker, turns: Sequence[Turn], duration_ms: int) -> list[Span]:
    early_ms = HEARD_LATE_MS if speaker == "caller" else 0
    spans = []
    for turn in turns:
        if turn.speaker == speaker and turn.at_ms < duration_ms and turn.until_ms != turn.at_ms:  # a key is no speech
            ended_ms = turn.until_ms if turn.until_ms is not None else _next(turn, turns)
            span = Span(max(turn.at_ms - early_ms, 0), min(max(ended_ms, turn.at_ms), duration_ms))
            spans.append(loud(levels, channel, span))
    return [span for span in spans if span and span.ms]


def _next(turn: Turn, turns: Sequence[Turn]) -> int:
    """When at the latest a turn without an end was over."""
    later = [other.at_ms for other in turns if other.speaker == turn.speaker and other.at_ms > turn.at_ms]
    return min([turn.at_ms + UNFINISHED_MS, *later])
