"""The stream's own clock, told by the caller's frames."""

MOST_AHEAD_MS = 1000
"""A stream's clock may run this far ahead of ours, and one thousandth of the time more, before we distrust it."""
RECOUNT_MS = 20_000
"""A frame further behind than this is no late one but the first of a new count."""
STALLED_MS = 500
"""Without frames for so long, the line is silent and not merely late."""


class MediaClock:
    """Where the stream is, by the last frame that came.

    Frames and marks share one ordered socket. So what comes between two frames happened between them
    on the carrier's clock, however long the network held all of it back.
    """

    def __init__(self) -> None:
        self._end_ms = 0
        self._came_ms = 0.0
        self._shift_ms = 0

    def frame(self, at_ms: int, lasts_ms: int, now_ms: float) -> int | None:
        """Where a frame of that time belongs; None for one whose place is taken already."""
        place_ms = self._trusted(at_ms, now_ms)
        if place_ms + lasts_ms <= self._end_ms:
            return None
        place_ms = max(place_ms, self._end_ms)
        self._end_ms, self._came_ms = place_ms + lasts_ms, now_ms
        return place_ms

    def restart(self, now_ms: float) -> None:
        """Another stream begins, and counts from zero."""
        self._shift_ms = self._end_ms = max(self._end_ms, int(now_ms))
        self._came_ms = now_ms

    def at_ms(self, now_ms: float) -> int:
        """How far the stream is; frames tell it in steps, of which this is the beginning."""
        idle_ms = now_ms - self._came_ms
        return self._end_ms + (int(idle_ms) if idle_ms > STALLED_MS else 0)

    def _trusted(self, at_ms: int, now_ms: float) -> int:
        if at_ms + self._shift_ms < self._end_ms - RECOUNT_MS:
            self._shift_ms = self._end_ms - at_ms
        return min(at_ms + self._shift_ms, int(now_ms * 1.001) + MOST_AHEAD_MS)
