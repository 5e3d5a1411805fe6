"""The carrier's two ends of a stream's audio, told the time and never asking for it."""

from collections import deque
from dataclasses import dataclass

from app.audio import BYTES_PER_MS, FRAME_BYTES, SILENCE, ms_of


@dataclass(frozen=True, slots=True)
class MarkReached:
    """Everything queued before the mark has been played, or dropped by `clear`."""

    at_ms: int
    name: str


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """The caller begins to hear queued audio."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class VoiceStopped:
    """The queue ran dry, or was cleared while something was being heard."""

    at_ms: int
    cleared: bool


PlayerEvent = MarkReached | VoiceStarted | VoiceStopped


class Player:
    """What the caller hears: queued audio in order at real-time speed, silence where there is none.

    Every method first plays up to the time it is given, in milliseconds since the stream's start.
    """

    def __init__(self) -> None:
        self._queue: deque[bytes | str] = deque()  # audio still to play, and the names of marks in between
        self._heard = bytearray()
        self._voice = False
        self.played_bytes = 0
        self.cleared_bytes = 0

    @property
    def heard(self) -> bytes:
        """The whole track since the start, silence included."""
        return bytes(self._heard)

    @property
    def queued_bytes(self) -> int:
        """Audio that waits to be played."""
        return sum(len(entry) for entry in self._queue if isinstance(entry, bytes))

    def play(self, audio: bytes, at_ms: float) -> list[PlayerEvent]:
        """Queue audio behind everything that waits already."""
        events = self.advance(at_ms)
        if audio:
            self._queue.append(audio)
        return events

    def mark(self, name: str, at_ms: float) -> list[PlayerEvent]:
        """Queue a mark; with nothing before it, it is reached at once."""
        events = self.advance(at_ms)
        self._queue.append(name)
        return events + self._reach_marks()

    def clear(self, at_ms: float) -> list[PlayerEvent]:
        """Drop all audio that waits and reach every pending mark, in order."""
        events = self.advance(at_ms)
        if dropped := self.queued_bytes:
            self.cleared_bytes += dropped
            if self._voice:
                events.append(VoiceStopped(self._now_ms, cleared=True))
                self._voice = False
        self._queue = deque(entry for entry in self._queue if isinstance(entry, str))
        return events + self._reach_marks()

    def advance(self, to_ms: float) -> list[PlayerEvent]:
        """Play up to that time; a time already past changes nothing."""
        target = int(to_ms * BYTES_PER_MS)
        events: list[PlayerEvent] = []
        while len(self._heard) < target and self._queue:
            if isinstance(audio := self._queue.popleft(), bytes):
                events += self._hear(audio, target)
            events += self._reach_marks()
        if (missing := target - len(self._heard)) > 0:
            if self._voice:
                events.append(VoiceStopped(self._now_ms, cleared=False))
                self._voice = False
            self._heard += SILENCE * missing
        return events

    def end(self, at_ms: float) -> list[PlayerEvent]:
        """The stream is over: whatever still waits is never heard, and no mark is reached any more."""
        events = self.advance(at_ms)
        if self._voice:
            events.append(VoiceStopped(self._now_ms, cleared=self.queued_bytes > 0))
            self._voice = False
        self._queue.clear()
        return events

    @property
    def _now_ms(self) -> int:
        return ms_of(len(self._heard))

    def _hear(self, audio: bytes, until: int) -> list[PlayerEvent]:
        started: list[PlayerEvent] = [] if self._voice else [VoiceStarted(self._now_ms)]
        room = until - len(self._heard)
        now, later = audio[:room], audio[room:]
        self._heard += now
        self.played_bytes += len(now)
        self._voice = True
        if later:
            self._queue.appendleft(later)
        return started

    def _reach_marks(self) -> list[PlayerEvent]:
        events: list[PlayerEvent] = []
        while self._queue and isinstance(self._queue[0], str):
            events.append(MarkReached(self._now_ms, self._queue[0]))
            self._queue.popleft()
        return events


class Microphone:
    """What the caller says, cut into 20 ms frames; silence where nothing is said."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._spoken = bytearray()
        self.said_bytes = 0
        self.taken_bytes = 0

    @property
    def spoken(self) -> bytes:
        """The whole track since the start, silence included."""
        return bytes(self._spoken)

    @property
    def speaking(self) -> bool:
        """Whether something is still to be said."""
        return bool(self._waiting)

    def say(self, audio: bytes) -> int:
        """Queue speech; it has been spoken when `taken_bytes` reaches the returned number."""
        self._waiting += audio
        self.said_bytes += len(audio)
        return self.said_bytes

    def frame(self) -> bytes | None:
        """The next 20 ms; None stands for silence."""
        taken = bytes(self._waiting[:FRAME_BYTES])
        del self._waiting[:FRAME_BYTES]
        self.taken_bytes += len(taken)
        frame = taken.ljust(FRAME_BYTES, SILENCE)
        self._spoken += frame
        return frame if taken else None
