"""How long each answer took, from the end of the caller's speech to the caller's ear."""

from app.call.events import CallEvent, Kind


class Latency:
    """Measures one answer at a time; told the time in milliseconds of the call's clock."""

    def __init__(self) -> None:
        self._stopped_ms: float | None = None
        self._delta_ms: float | None = None
        self._frame_ms: float | None = None
        self._item_id = ""

    def on_caller_stopped(self, at_ms: float) -> None:
        """The model says that the caller stopped."""
        self._stopped_ms, self._delta_ms, self._frame_ms = at_ms, None, None

    def on_delta(self, at_ms: float) -> None:
        """Audio came from the model."""
        if self._stopped_ms is not None and self._delta_ms is None:
            self._delta_ms = at_ms

    def on_frame(self, item_id: str, at_ms: float) -> None:
        """Audio of that item goes to the carrier."""
        if self._stopped_ms is not None and self._frame_ms is None:
            self._item_id, self._frame_ms = item_id, at_ms

    def on_mark(self, at_ms: float) -> list[CallEvent]:
        """The carrier says that audio was heard: the answer's figures, once."""
        if self._stopped_ms is None or self._delta_ms is None or self._frame_ms is None:
            return []
        since, self._stopped_ms = self._stopped_ms, None
        latency = {
            "first_delta_ms": int(self._delta_ms - since),
            "first_frame_ms": int(self._frame_ms - since),
            "first_mark_ms": int(at_ms - since),
        }
        return [CallEvent(Kind.ANSWER_LATENCY, int(at_ms), {"item_id": self._item_id, "latency": latency})]
