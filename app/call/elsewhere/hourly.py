"""How often something may be done in an hour, by all calls of this process together."""

from collections import deque
from collections.abc import Callable

HOUR_S = 3600.0


class Hourly:
    """Counts what was done within the last hour. Told the time in seconds, by any clock that never goes back."""

    def __init__(self, most: Callable[[], int | None]) -> None:
        """`most` is the limit as it is set now; None for no limit."""
        self._most = most
        self._done_s: deque[float] = deque()

    def may(self, now_s: float) -> bool:
        """Whether it may be done once more."""
        while self._done_s and self._done_s[0] <= now_s - HOUR_S:
            self._done_s.popleft()
        most = self._most()
        return most is None or len(self._done_s) < most

    def count(self, now_s: float) -> None:
        """It is done once more."""
        self._done_s.append(now_s)
