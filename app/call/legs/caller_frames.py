"""What comes over the stream: frames in their order, what is odd about them, and whether anything is heard at all."""

from collections import Counter

from app.audio import FRAME_BYTES, SILENCE, to_base64
from app.twilio.media_protocol import Media

RESYNC_CHUNKS = 1000
"""A chunk number further behind than this is no late frame but a new count."""
ONE_WAY_MS = 15_000
"""A line that carries nothing but digital silence for so long is muted or broken: even a quiet room makes noise."""
_SILENT = frozenset({to_base64(SILENCE * FRAME_BYTES), to_base64(b"\x7f" * FRAME_BYTES)})


class CallerFrames:
    """Follows the frames of a call's streams. Times are milliseconds since the first one's start."""

    def __init__(self) -> None:
        self.count = 0
        self.oddities: Counter[str] = Counter()
        self._last_chunk = 0
        self._heard_count = self._last_count = 0
        self._silent_since_ms: float | None = None
        self._told = False

    def restart(self) -> None:
        """Another stream goes on, and counts from one."""
        self._last_chunk = 0
        self._silent_since_ms = None

    def is_next(self, media: Media) -> bool:
        """Whether that frame comes after all that came before; a late or doubled one does not."""
        self.count += 1
        if media.payload not in _SILENT:
            self._heard_count = self.count
        behind = self._last_chunk - media.chunk
        if media.chunk and 0 <= behind < RESYNC_CHUNKS:
            self.oddities["late_or_doubled"] += 1
            return False
        if media.chunk and self._last_chunk and behind < -1:
            self.oddities["gaps"] += 1
        self._last_chunk = media.chunk
        return True

    def one_way_ms(self, at_ms: float) -> int | None:
        """Asked now and then: how long there has been only silence, once, when it is too long."""
        if self._silent_since_ms is None or self._heard_count > self._last_count:
            self._silent_since_ms = at_ms
        self._last_count = self.count
        silent_ms = at_ms - self._silent_since_ms
        if self._told or silent_ms < ONE_WAY_MS:
            return None
        self._told = True
        return int(silent_ms)
