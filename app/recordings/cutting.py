"""A recording cut into the pieces that are written down one by one. The same recording is always cut the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.recordings.levels import Levels
from app.recordings.spans import Span, united

HEADER_BYTES, SAMPLE_BYTES = 44, 2
QUIET_MS = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """What a piece may be like."""

    most_bytes: int = 24_000_000
    most_ms: int = 20 * 60_000
    least_ms: int = 300
    """Nothing shorter is sent; pauses shorter than this are no pauses."""
    pad_ms: int = 200
    """Speech begins softly: so much more is sent at both ends, where there is room."""
    pause_ms: int = 2_000
    """One speaker's words on both sides of a shorter pause belong together when nobody spoke in it."""
    together_ms: int = 30_000
    """But not beyond this, so that the times of what was said stay useful."""

    def most_ms_at(self, rate_hz: int) -> int:
        """The longest piece at that rate."""
        return min(self.most_ms, (self.most_bytes - HEADER_BYTES) * 1000 // (SAMPLE_BYTES * rate_hz))


@dataclass(frozen=True, slots=True)
class Piece:
    """What is sent in one request, and where in it somebody speaks."""

    channel: int
    sent: Span
    spoken: Span


def cut(
    speech: Sequence[Sequence[Span]], levels: Levels, *, duration_ms: int, rate_hz: int, limits: Limits
) -> list[Piece]:
    """The pieces of a recording in the order of their beginnings; `speech` has the spans of each channel."""
    pieces = []
    for channel, spans in enumerate(speech):
        others = united(span for other, theirs in enumerate(speech) if other != channel for span in theirs)
        for sent, spoken in _utterances(spans, others, duration_ms, limits):
            for part in _split(sent, channel, levels, limits.most_ms_at(rate_hz), limits.least_ms):
                within = Span(max(part.from_ms, spoken.from_ms), min(part.until_ms, spoken.until_ms))
                pieces.append(Piece(channel, part, within))
    return sorted(pieces, key=lambda piece: (piece.sent.from_ms, piece.channel))


def _utterances(spans: Sequence[Span], others: list[Span], duration_ms: int, limits: Limits) -> list[tuple[Span, Span]]:
    """What one speaker said in one go: what is sent of it, and where in that it is spoken."""
    within = (Span(max(span.from_ms, 0), min(span.until_ms, duration_ms)) for span in spans)
    close = united((span for span in within if span.ms > 0), gap_ms=limits.least_ms)
    together = _together(close, others, limits)
    padded = zip(_padded(together, duration_ms, limits), together, strict=True)
    return [(sent, spoken) for sent, spoken in padded if sent.ms >= limits.least_ms]


def _together(spans: list[Span], others: list[Span], limits: Limits) -> list[Span]:
    """The spans, joined where only a pause of the same speaker is between them."""
    joined: list[Span] = []
    at = 0
    for span in spans:
        last = joined[-1] if joined else None
        if (
            last
            and span.from_ms - last.until_ms <= limits.pause_ms
            and span.until_ms - last.from_ms <= limits.together_ms
        ):
            while at < len(others) and others[at].until_ms <= last.until_ms:
                at += 1
            if at == len(others) or not others[at].meets(last.until_ms, span.from_ms):
                joined[-1] = Span(last.from_ms, span.until_ms)
                continue
        joined.append(span)
    return joined


def _padded(spans: list[Span], duration_ms: int, limits: Limits) -> list[Span]:
    """The spans with what is sent around them: half of each pause belongs to either side."""
    middles = [(before.until_ms + after.from_ms) // 2 for before, after in pairwise(spans)]
    padded = []
    for span, since, until in zip(spans, [0, *middles], [*middles, duration_ms], strict=False):  # there may be no span
        wanted = max(limits.pad_ms, limits.least_ms - span.ms)
        padded.append(Span(max(span.from_ms - wanted, since), min(span.until_ms + wanted, until)))
    return padded


def _split(span: Span, channel: int, levels: Levels, most_ms: int, least_ms: int) -> list[Span]:
    """The span in parts that are short enough, each cut at the quietest moment near the limit."""
    parts = []
    while span.ms > most_ms:
        latest = min(span.from_ms + most_ms, span.until_ms - least_ms)
        earliest = max(latest - max(most_ms // 4, 1), span.from_ms + least_ms)
        at = _quietest(channel, levels, earliest, latest)
        parts.append(Span(span.from_ms, at))
        span = Span(at, span.until_ms)
    return [*parts, span]


def _quietest(channel: int, levels: Levels, earliest: int, latest: int) -> int:
    """The moment around which it is quieter than around any other."""
    first, last = levels.step(earliest), levels.step(latest)
    around = levels.of(channel)[first : last + 1]
    width = min(max(int(QUIET_MS / levels.step_ms), 1), len(around))
    means = np.convolve(around, np.ones(width, np.float32) / width, mode="valid")
    quiet = first + int(means.argmin()) + width / 2
    return min(max(int(quiet * levels.step_ms), earliest), latest)
