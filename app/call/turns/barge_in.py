"""Whether speech of the caller interrupts the agent: not at all, at once, or once it has lasted."""


class BargeIn:
    """Decides for one call. Times are milliseconds since the stream's start."""

    def __init__(self, *, allowed: bool = True, least_ms: int = 0) -> None:
        self._allowed = allowed
        self._least_ms = least_ms
        self._since_ms: float | None = None

    def on_started(self, at_ms: float, *, shielded: bool) -> bool:
        """The caller starts to speak, perhaps while the agent must not be interrupted. True when it counts now."""
        self._since_ms = None
        if not self._allowed or shielded:
            return False
        if self._least_ms:
            self._since_ms = at_ms
        return not self._least_ms

    def wake_in_ms(self, at_ms: float) -> float | None:
        """When to ask `on_time`, if speech is being weighed."""
        return None if self._since_ms is None else self._since_ms + self._least_ms - at_ms

    def on_stopped(self, at_ms: float) -> bool:
        """The caller stops. True when what was being weighed was too short to count."""
        since_ms, self._since_ms = self._since_ms, None
        return since_ms is not None and at_ms - since_ms < self._least_ms

    def on_time(self, at_ms: float) -> bool:
        """True once, when the speech has lasted long enough."""
        if self._since_ms is None or at_ms < self._since_ms + self._least_ms:
            return False
        self._since_ms = None
        return True
