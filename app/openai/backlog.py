"""Caller audio that waits while the server is too slow to take it."""

from collections import deque

from app.audio import base64_size, ms_of


class Backlog:
    """The newest few seconds of caller audio (base64 µ-law), oldest first; what does not fit is dropped and counted."""

    def __init__(self, limit_ms: int) -> None:
        self.dropped_ms = 0
        self._limit_ms = limit_ms
        self._waiting: deque[str] = deque()
        self._waiting_ms = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def keep(self, audio: str) -> None:
        """Let it wait behind the rest; the oldest makes room."""
        self._waiting.append(audio)
        self._waiting_ms += ms_of(base64_size(audio))
        while self._waiting_ms > self._limit_ms:
            before_ms = self._waiting_ms
            self.take()
            self.dropped_ms += before_ms - self._waiting_ms

    def take(self) -> str:
        """The oldest that still waits."""
        audio = self._waiting.popleft()
        self._waiting_ms -= ms_of(base64_size(audio))
        return audio
