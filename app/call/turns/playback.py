"""What the caller has heard of what the agent has said."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Queued:
    """A chunk on its way to the caller's ear."""

    mark: str
    plays_from_ms: float
    """When its first sample is played, by our reckoning."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An item that the caller did not hear to its end."""

    item_id: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    mark: str
    item_id: str
    from_ms: int
    """Where the chunk starts within its item."""
    ms: int
    """Real audio of the item."""
    lasts_ms: int
    """The same with its padding."""


class Playback:
    """What the caller has heard of what the agent has said.

    Twilio echoes a mark once the audio before it has been played. A `clear` makes it
    echo the marks it dropped as well; those were never heard.
    """

    def __init__(self) -> None:
        self._queue: deque[_Chunk] = deque()
        self._queued_ms = 0
        self._joins_at_ms = (
            0.0  # where the next chunk joins on without a gap: marks come back with a jitter, audio plays on
        )
        self._playing_since_ms = 0.0  # when the first chunk of the queue began to play
        self._sent_ms: dict[str, int] = {}
        self._finished: set[str] = set()
        self._marks = 0

    def queue(self, item_id: str, ms: int, at_ms: float, *, padding_ms: int = 0) -> Queued:
        """Count a chunk as sent; its mark comes back when the caller has heard it."""
        plays_from_ms = self._joins_at_ms if self._queue else at_ms
        if not self._queue:
            self._playing_since_ms = at_ms
        self._joins_at_ms = plays_from_ms + ms + padding_ms
        self._marks += 1
        sent_ms = self._sent_ms.get(item_id, 0)
        self._queue.append(_Chunk(f"m{self._marks}", item_id, sent_ms, ms, ms + padding_ms))
        self._queued_ms += ms + padding_ms
        self._sent_ms[item_id] = sent_ms + ms
        return Queued(f"m{self._marks}", plays_from_ms)

    def finish(self, item_id: str) -> None:
        """No more audio will come for that item."""
        self._finished.add(item_id)

    def finish_all(self) -> frozenset[str]:
        """No more audio will come for anything sent so far; the items of it."""
        self._finished |= self._sent_ms.keys()
        return frozenset(self._sent_ms)

    def reached(self, mark: str, at_ms: float) -> bool:
        """A mark came back: everything up to it was heard. False for a mark that a clear dropped, or one not ours."""
        if not any(chunk.mark == mark for chunk in self._queue):
            return False
        heard = None
        while heard is None or heard.mark != mark:
            heard = self._queue.popleft()
            self._queued_ms -= heard.lasts_ms
        self._playing_since_ms = at_ms
        return True

    @property
    def unheard(self) -> bool:
        """Whether audio was sent whose mark has not come back."""
        return bool(self._queue)

    @property
    def plays_until_ms(self) -> float:
        """When everything queued has been played, by our reckoning."""
        return self._playing_since_ms + self._queued_ms

    def sent_ms(self, item_id: str) -> int:
        """How much of that item was sent."""
        return self._sent_ms.get(item_id, 0)

    def interrupt(self, at_ms: float) -> list[Cut]:
        """Empty the queue; the items in it that were not heard to their end, with what was heard of each.

        Heard is the last true mark plus the time since, never above what was sent.
        """
        heard_ms = self._heard(at_ms)
        self._queue.clear()
        self._queued_ms = 0
        return [
            Cut(item_id, ms)
            for item_id, ms in heard_ms.items()
            if ms < self._sent_ms[item_id] or item_id not in self._finished
        ]

    def _heard(self, at_ms: float) -> dict[str, int]:
        """For each item queued, how far into it the caller has come."""
        left_ms = at_ms - self._playing_since_ms
        heard_ms: dict[str, int] = {}
        for chunk in self._queue:
            if left_ms > 0 or chunk.item_id not in heard_ms:
                heard_ms[chunk.item_id] = chunk.from_ms + int(min(max(left_ms, 0), chunk.ms))
            left_ms -= chunk.lasts_ms
        return heard_ms
