"""What a test may look at in a session, and wait for instead of sleeping."""

import asyncio
from collections.abc import Callable
from typing import Any, Self


class Observed:
    """Keeps what went through a session, and wakes those who wait for it."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        """The client's events, in order, refused ones too."""
        self.sent: list[str] = []
        """The types of the server's events that went out."""
        self.caller_audio = bytearray()
        """Every byte that was appended."""
        self.closed = asyncio.Event()
        self._changed = asyncio.Event()

    async def wait_for(self, what: str | Callable[[Self], object]) -> None:
        """Return once an event of that type was received or sent, or once the condition holds."""
        while not (what(self) if callable(what) else self.saw(what)):
            await self._changed.wait()

    def saw(self, kind: str) -> bool:
        """An event of that type was received or sent."""
        return kind in self.sent or any(event.get("type") == kind for event in self.received)

    def note_sent(self, kind: str) -> None:
        """An event of that type has gone out."""
        self.sent.append(kind)
        self._stir()

    def note_closed(self) -> None:
        """The socket is gone."""
        self.closed.set()
        self._stir()

    def _stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
