"""What a session has to send, in order."""

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """The socket's end, as the server wants it."""

    code: int = 1000
    reason: str = ""


Outgoing = Event | str | Close
"""An event; a raw frame; the end."""


class Outbox:
    """Events wait here for the socket; each gets its id on the way in."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._stalled = False

    def stall(self) -> None:
        """Let nothing out any more."""
        self._stalled = True

    def emit(self, *events: Outgoing) -> None:
        """Send these to the client, after everything sent before."""
        for event in events:
            numbered = {"event_id": new_id("event"), **event} if isinstance(event, dict) else event
            self._waiting.put_nowait(numbered)

    async def get(self) -> Outgoing:
        """The next to send, as soon as there is one."""
        outgoing = await self._waiting.get()
        if self._stalled:
            await asyncio.Event().wait()
        return outgoing


def new_id(kind: str) -> str:
    """A new id that tells what it is of."""
    return f"{kind}_{uuid.uuid4().hex[:21]}"
