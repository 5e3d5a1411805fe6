"""The caller leg's socket, as a call sees it."""

from typing import Protocol

from app.errors import CarrierError


class StreamGone(CarrierError):
    """The media socket is closed, by either side; `code` is the websocket close code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the media socket is closed ({code})")
        self.code = code


class StreamSocket(Protocol):
    """Carries Media Streams messages as text. One reader; writers may be several."""

    @property
    def ignored(self) -> int:
        """How many messages were dropped unread: Media Streams has no binary ones."""

    async def receive(self) -> str:
        """The next text message; raises `StreamGone`. A message over 64 KiB closes the socket with 1009."""

    async def send(self, text: str) -> None:
        """Send one text message; raises `StreamGone`."""

    async def close(self, code: int = 1000) -> None:
        """Close the socket; one that is closed already is fine."""
