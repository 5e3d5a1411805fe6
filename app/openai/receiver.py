"""How a call hears from its session with OpenAI."""

from collections.abc import AsyncIterator

from app.openai.link import Link
from app.realtime.events import RealtimeInEvent


class OpenAIRealtimeSessionReceiver:
    """What a session tells its call; ends after the sender's `close`, else raises `SessionLost`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @property
    def unreadable_frames(self) -> int:
        """How many frames were no events at all and were skipped."""
        return self._link.unreadable_frames

    def __aiter__(self) -> AsyncIterator[RealtimeInEvent]:
        return self._link.events()
