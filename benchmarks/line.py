"""A phone line in fast motion: the carrier's clock and ours, the network between them, and the truth about both sides.

The carrier sends the caller's frames and returns marks on one ordered connection; it plays what we send in order,
and drops what waits at a `clear`. The network delays each message differently and keeps the order. The two clocks
run at different speeds.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from app.audio import BYTES_PER_MS, FRAME_MS
from app.call.sound.recorder import Recorder

EMISSION_MS = 4.0
"""The carrier's frames leave so much late at most."""


@dataclass(slots=True)
class Chunk:
    """Audio that we sent, and when the caller really heard it."""

    audio: str
    ms: int
    heard_from_ms: float | None = None
    heard_until_ms: float | None = None
    mark: str = ""


def audio(number: int, ms: int) -> str:
    """Base64 text of so much audio (whole frames), different for each number."""
    size = ms * BYTES_PER_MS
    return f"{number:08d}".ljust((size + 2) // 3 * 4 - (3 - size % 3) % 3, "A") + "=" * ((3 - size % 3) % 3)


class Line:
    """One stream, at `now` on the carrier's clock; whatever happens later is an event in a heap."""

    def __init__(
        self,
        recorder: Recorder,
        random: Random,
        *,
        delay_ms: tuple[float, float] = (30, 120),
        drift: float = 50e-6,
        lost: float = 0.0,
        doubled: float = 0.0,
        marks: bool = True,
    ) -> None:
        self.recorder = recorder
        self.now = 0.0
        self.chunks: list[Chunk] = []
        self.frames: list[str] = []
        """By number: where it really was is its number times the frame's length."""
        self._random = random
        self._delay_ms = delay_ms
        self._drift = drift
        self._lost, self._doubled = lost, doubled
        self._marks = marks
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._down_ms = self._up_ms = self._written_ms = 0.0
        self._queue: deque[Chunk | str] = deque()
        self._playing: Chunk | None = None
        self._sent = itertools.count(1)
        self.at(FRAME_MS, self._frame)

    # -- what a test does, at our end

    def at(self, ms: float, do: Callable[[], None]) -> None:
        """Do something at that moment of the carrier's clock."""
        heapq.heappush(self._events, (ms, next(self._order), do))

    def run(self, until_ms: float) -> None:
        """Let time pass."""
        while self._events and self._events[0][0] <= until_ms:
            self.now, _, do = heapq.heappop(self._events)
            do()
        self.now = until_ms

    @property
    def ours(self) -> float:
        """The same moment on our clock."""
        return self.now * (1 + self._drift)

    def play(self, ms: int) -> None:
        """Send audio, as a call does it."""
        number = next(self._sent)
        chunk = Chunk(audio(number, ms), ms, mark=f"m{number}")
        self.chunks.append(chunk)
        if ahead := self.recorder.agent(chunk.mark, chunk.audio, self.ours):
            self._up(lambda: self._take(ahead))
        self._up(lambda: self._take(chunk))
        self._up(lambda: self._take(chunk.mark))

    def clear(self) -> None:
        """Interrupt, as a call does it."""
        self.recorder.clear(self.ours)
        self._up(self._clear)

    # -- the network

    def _delay(self) -> float:
        return self._random.uniform(*self._delay_ms)

    def _up(self, do: Callable[[], None]) -> None:
        if self._written_ms != self.now:  # what is written in one go travels together
            self._written_ms, self._up_ms = self.now, max(self._up_ms, self.now + self._delay())
        self.at(self._up_ms, do)

    def _down(self, do: Callable[[], None]) -> None:
        self._down_ms = max(self._down_ms, self.now + self._delay())
        self.at(self._down_ms, do)

    # -- the carrier

    def _frame(self) -> None:
        number = len(self.frames)
        payload = audio(number, FRAME_MS)
        self.frames.append(payload)
        for _ in range(1 + (self._random.random() < self._doubled) - (self._random.random() < self._lost)):
            self._down(lambda: self.recorder.caller(number * FRAME_MS, payload, self.ours))
        self.at((number + 2) * FRAME_MS + self._random.uniform(0, EMISSION_MS), self._frame)

    def _take(self, entry: Chunk | str) -> None:
        self._queue.append(entry)
        if self._playing is None:
            self._play_on()

    def _play_on(self) -> None:
        self._playing = None
        while self._queue:
            if isinstance(entry := self._queue.popleft(), str):
                self._echo(entry)
                continue
            entry.heard_from_ms, entry.heard_until_ms = self.now, self.now + entry.ms
            self._playing = entry
            self.at(entry.heard_until_ms, partial(self._played, entry))
            return

    def _played(self, chunk: Chunk) -> None:
        if chunk is self._playing:
            self._play_on()

    def _clear(self) -> None:
        if self._playing:
            self._playing.heard_until_ms = self.now
        dropped, self._queue, self._playing = self._queue, deque(), None
        for entry in dropped:
            if isinstance(entry, str):
                self._echo(entry)

    def _echo(self, mark: str) -> None:
        if self._marks:
            self._down(lambda: self.recorder.mark(mark, self.ours))
