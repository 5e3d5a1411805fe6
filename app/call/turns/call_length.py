"""How long a call may last: the agent is told in time, says goodbye at the end, and nothing holds the line longer."""

from typing import Literal

NOTICE_MS = 30_000
"""So long before the end the agent is told; of a short call, a quarter."""


class CallLength:
    """One call's length. Times are milliseconds since the stream's start."""

    def __init__(self, *, most_ms: float, goodbye_ms: float) -> None:
        self.notice_ms = min(NOTICE_MS, most_ms / 4)
        """How long before the end the agent is told."""
        self._most_ms = most_ms
        self._goodbye_ms = goodbye_ms
        self._told = False
        self._left_ms: float | None = None

    def on_time(self, at_ms: float, *, leaving: bool) -> Literal["wrap_up", "leave", "end"] | None:
        """What is due at that moment, each once; who is saying goodbye already is not told to.

        The last is due however the goodbye went: with a model that is mute or gone there may be none.
        """
        if at_ms >= self._most_ms and self._left_ms is None and not leaving:
            self._told, self._left_ms = True, at_ms
            return "leave"
        if at_ms >= (self._left_ms or self._most_ms) + self._goodbye_ms:
            return "end"
        if at_ms >= self._most_ms - self.notice_ms and not self._told:
            self._told = True
            return "wrap_up"
        return None
