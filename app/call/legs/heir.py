"""A session that is prepared beside the one there is, to go on in its place."""

from collections.abc import Sequence

from app.call.legs.memory import Memory
from app.realtime.history import HistoryItem
from app.realtime.session import RealtimeSession


class Heir:
    """Knows the conversation up to some moment, and is told the rest just before it takes over."""

    def __init__(self, session: RealtimeSession, known: Sequence[HistoryItem], memory: Memory) -> None:
        self.session = session
        self._memory = memory
        self._known = len(known)

    @property
    def all_written(self) -> bool:
        """Whether the words of what each of them said last are there."""
        return self._memory.written

    async def catch_up(self) -> bool:
        """Tell it what it does not know yet; whether it knows everything now. Raises `SessionLost`."""
        before = self._memory.items
        missing = before[self._known :]
        self._known = len(before)
        await self.session[0].remember(missing)
        return self._memory.items == before
