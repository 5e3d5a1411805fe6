"""Pieces of sound at their places on a call's clock, and the bytes that they make."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from app.audio import BYTES_PER_MS, SILENCE, from_base64

BLOCK_MS = 10_000
"""Silence is written in blocks of this length."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Base64 audio at its place on the call's clock: `ms` of it count, from `skip_ms` on."""

    at_ms: int
    audio: str
    ms: int
    skip_ms: int = 0

    @property
    def end_ms(self) -> int:
        """Where it ends on the call's clock."""
        return self.at_ms + self.ms

    def part(self, from_ms: int, until_ms: int) -> "Piece":
        """What lies between those two moments of the call's clock."""
        at_ms = max(self.at_ms, from_ms)
        ms = max(min(self.end_ms, until_ms) - at_ms, 0)
        return replace(self, at_ms=at_ms, ms=ms, skip_ms=self.skip_ms + at_ms - self.at_ms)


class Track:
    """Pieces on their way to the disk; the oldest are given up where nobody takes them for too long."""

    def __init__(self, *, most_ms: int) -> None:
        self._most_ms = most_ms
        self._pieces: deque[Piece] = deque()
        self._ms = 0
        self.lost_ms = 0

    def add(self, piece: Piece) -> None:
        """One more piece, later than all others."""
        self._pieces.append(piece)
        self._ms += piece.ms
        while self._ms > self._most_ms and len(self._pieces) > 1:
            lost = self._pieces.popleft()
            self._ms -= lost.ms
            self.lost_ms += lost.ms

    def take(self) -> list[Piece]:
        """All of them, to be written."""
        taken, self._pieces, self._ms = list(self._pieces), deque(), 0
        return taken


def render(pieces: Iterable[Piece], position: int) -> Iterator[bytes]:
    """The bytes that follow `position` (bytes since the stream's start), block by block, with gaps as silence.

    A piece that would overlap what is there follows it instead: nobody speaks twice at once.
    """
    for piece in pieces:
        try:
            audio = from_base64(piece.audio)[piece.skip_ms * BYTES_PER_MS :][: piece.ms * BYTES_PER_MS]
        except ValueError:
            continue  # not audio at all; the gap will be silence
        while (gap := piece.at_ms * BYTES_PER_MS - position) > 0:
            block = SILENCE * min(gap, BLOCK_MS * BYTES_PER_MS)
            position += len(block)
            yield block
        position += len(audio)
        yield audio
