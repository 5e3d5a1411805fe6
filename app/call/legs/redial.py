"""When a lost session is replaced, and when one that is getting old is."""

from collections import deque

MOST_REDIALS = 3
WITHIN_MS = 300_000
PAUSES_MS = (0.0, 250.0, 750.0)
"""Before each of the tries that follow each other."""
GRACE_MS = 60_000
"""A full silence is waited for so long; then any gap will do."""
TRY_AGAIN_MS = 30_000
LEAST_AGE_MS = 30_000
"""Whoever says that a session ends sooner than this has another clock than we have: none is replaced younger."""


class Redials:
    """At most three in five minutes: beyond that the fault is not the line's."""

    def __init__(self) -> None:
        self._at_ms: deque[float] = deque()
        self._tries = 0

    @property
    def tries(self) -> int:
        """How many there were since the last session that came about."""
        return self._tries

    def may(self, at_ms: float) -> bool:
        """Whether there would be another try."""
        while self._at_ms and self._at_ms[0] <= at_ms - WITHIN_MS:
            self._at_ms.popleft()
        return len(self._at_ms) < MOST_REDIALS

    def next_pause_ms(self, at_ms: float) -> float | None:
        """How long to wait before the next try; `None` when there is no more."""
        if not self.may(at_ms):
            return None
        self._at_ms.append(at_ms)
        pause_ms = PAUSES_MS[min(self._tries, len(PAUSES_MS) - 1)]
        self._tries += 1
        return pause_ms

    def on_connected(self) -> None:
        """There is a session again."""
        self._tries = 0


class Rollover:
    """When the session is replaced before its provider ends it."""

    def __init__(self, *, every_ms: float) -> None:
        self._every_ms = every_ms
        self._least_ms = 0.0
        self._due_ms: float | None = None

    def on_session(self, at_ms: float) -> None:
        """A session begins."""
        self._least_ms = at_ms + LEAST_AGE_MS
        self._due_ms = at_ms + self._every_ms

    def on_expiry(self, at_ms: float, left_ms: float, lead_ms: float) -> None:
        """Its provider ends it in so long: be that much sooner, but do not replace it in the first half of its life."""
        self.by(at_ms + max(left_ms - lead_ms, left_ms / 2))

    def by(self, at_ms: float) -> None:
        """Not later than that."""
        at_ms = max(at_ms, self._least_ms)
        if self._due_ms is None or at_ms < self._due_ms:
            self._due_ms = at_ms

    def on_failed(self, at_ms: float) -> None:
        """None could be had: try again a little later."""
        self._due_ms = at_ms + TRY_AGAIN_MS

    def is_due(self, at_ms: float) -> bool:
        """Whether it is time to open the next one."""
        return self._due_ms is not None and at_ms >= self._due_ms

    def is_urgent(self, at_ms: float) -> bool:
        """Whether any gap will do."""
        return self._due_ms is not None and at_ms >= self._due_ms + GRACE_MS
