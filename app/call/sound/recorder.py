"""Two tracks on one clock: the caller as heard by the agent, the agent as heard by the caller.

The audio path only places pieces; decoding happens in `render`, in the writer's thread.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from app.audio import base64_size, ms_of
from app.call.sound.heard import HeardAudio
from app.call.sound.media_clock import MediaClock
from app.call.sound.pieces import Piece, Track

KEPT_MS = 60_000
"""So much of each track waits for a disk that refuses, then the oldest is given up."""


@dataclass(frozen=True, slots=True)
class Take:
    """What both tracks gained since the last take."""

    caller: list[Piece]
    agent: list[Piece]


class Recorder:
    """Collects what was spoken and what was heard. Told the time in milliseconds since the stream's start.

    One that is off collects nothing, and is never on again.
    """

    def __init__(self, *, on: bool = True) -> None:
        self._on = on
        self._clock = MediaClock()
        self._heard = HeardAudio()
        self._caller, self._agent = Track(most_ms=KEPT_MS), Track(most_ms=KEPT_MS)
        self._silences: list[tuple[int, int | None]] = []  # from, until; the last one may still go on

    @property
    def lost_ms(self) -> int:
        """How much was given up so far, because nobody took it."""
        return self._caller.lost_ms + self._agent.lost_ms

    @property
    def on(self) -> bool:
        """Whether it records, or is paused at most."""
        return self._on

    @property
    def paused(self) -> bool:
        """Whether what is said now is not kept."""
        return bool(self._silences) and self._silences[-1][1] is None

    def caller(self, at_ms: int, payload: str, now_ms: float) -> None:
        """A frame of the caller, at its stream's clock."""
        if not self._on:
            return
        ms = ms_of(base64_size(payload))
        place_ms = self._clock.frame(at_ms, ms, now_ms)
        if place_ms is not None and not self.paused:
            self._caller.add(Piece(place_ms, payload, ms))

    def agent(self, mark: str, audio: str, now_ms: float) -> str | None:
        """Audio goes out for the caller's ear, with this mark behind it; the mark to send ahead of it, if any."""
        return self._heard.send(mark, audio, self._clock.at_ms(now_ms)) if self._on else None

    def mark(self, name: str, now_ms: float) -> None:
        """A mark came back."""
        if self._on:
            self._keep(self._heard.mark(name, self._clock.at_ms(now_ms)))

    def clear(self, now_ms: float) -> None:
        """The queue is dropped: where it was cut, its marks will tell."""
        self._heard.clear(self._clock.at_ms(now_ms))

    def end(self, now_ms: float) -> None:
        """The stream is over, and nothing is heard any more."""
        self._keep(self._heard.end(self._clock.at_ms(now_ms)))

    def restart(self, now_ms: float) -> None:
        """Another stream goes on."""
        self._clock.restart(now_ms)

    def pause(self, now_ms: float) -> None:
        """Both tracks are silent from here on."""
        if not self.paused:
            self._silences.append((self._clock.at_ms(now_ms), None))

    def resume(self, now_ms: float) -> None:
        """Both tracks go on."""
        if self.paused:
            from_ms, _ = self._silences.pop()
            self._silences.append((from_ms, self._clock.at_ms(now_ms)))

    def stop(self) -> None:
        """Record no more, and forget what was not taken."""
        self._on = False
        self._heard, self._silences = HeardAudio(), []
        self._caller.take(), self._agent.take()

    def take(self, now_ms: float) -> Take:
        """What has its place by now; it does not change any more."""
        self._keep(self._heard.give_up(self._clock.at_ms(now_ms)))
        return Take(self._caller.take(), self._agent.take())

    def _keep(self, pieces: Iterable[Piece]) -> None:
        """Add to the agent's track what of these pieces is not silenced by a pause."""
        for piece in pieces:
            for part in self._audible(piece):
                self._agent.add(part)
        if not self._heard.pending:
            self._silences = self._silences[-1:] if self.paused else []

    def _audible(self, piece: Piece) -> Iterable[Piece]:
        from_ms = piece.at_ms
        for silent_ms, until_ms in self._silences:
            part = piece.part(from_ms, silent_ms)
            if part.ms:
                yield part
            if until_ms is None:
                return
            from_ms = max(from_ms, until_ms)
        rest = piece.part(from_ms, piece.end_ms)
        if rest.ms:
            yield rest
