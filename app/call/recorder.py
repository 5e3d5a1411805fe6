"""Two tracks on one clock: the caller as heard by the agent, the agent as heard by the caller.

The audio path only appends to lists; decoding happens in `render`, in the writer's thread.
"""

from dataclasses import dataclass

from app.audio import BYTES_PER_MS, SILENCE, base64_size, from_base64, ms_of

MOST_AHEAD_MS = 1000
"""A stream's clock may run this far ahead of ours before we distrust it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Base64 audio at its place on the call's clock; `ms` is how much of it counts."""

    at_ms: float
    audio: str
    ms: int


@dataclass(frozen=True, slots=True)
class Take:
    """What both tracks gained since the last take."""

    caller: list[Piece]
    agent: list[Piece]


class Recorder:
    """Collects what was spoken and what was heard. Told the time in milliseconds since the stream's start."""

    def __init__(self) -> None:
        self._caller: list[Piece] = []
        self._agent: list[Piece] = []

    def caller(self, at_ms: int, payload: str, now_ms: float) -> None:
        """A frame of the caller, at its stream's clock."""
        self._caller.append(Piece(min(at_ms, now_ms + MOST_AHEAD_MS), payload, ms_of(base64_size(payload))))

    def agent(self, plays_from_ms: float, audio: str) -> None:
        """Audio queued for the caller's ear."""
        self._agent.append(Piece(plays_from_ms, audio, ms_of(base64_size(audio))))

    def cut(self, at_ms: float) -> None:
        """The queue was dropped: what lies after this moment is never heard."""
        self._agent = [
            Piece(piece.at_ms, piece.audio, min(piece.ms, int(at_ms - piece.at_ms)))
            for piece in self._agent
            if piece.at_ms < at_ms
        ]

    def take(self, until_ms: float) -> Take:
        """Everything that lies wholly before that moment; it can no longer change."""
        heard = [piece for piece in self._agent if piece.at_ms + piece.ms <= until_ms]
        take = Take(self._caller, heard)
        self._caller, self._agent = [], self._agent[len(heard) :]
        return take


def render(pieces: list[Piece], position: int) -> bytes:
    """The bytes that follow `position` (bytes since the stream's start), with gaps as silence.

    A piece that would overlap what is there follows it instead: nobody speaks twice at once.
    """
    out = bytearray()
    for piece in pieces:
        gap = int(piece.at_ms) * BYTES_PER_MS - (position + len(out))
        if gap > 0:
            out += SILENCE * gap
        try:
            out += from_base64(piece.audio)[: piece.ms * BYTES_PER_MS]
        except ValueError:
            continue  # not audio at all; the gap will be silence
    return bytes(out)
