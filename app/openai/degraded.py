"""A session that was not granted all that was asked for, and still carries a call."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from app.openai import client_events
from app.openai.link import Link
from app.realtime.events import RealtimeInEvent, SessionDegraded

if TYPE_CHECKING:  # it needs numpy, and only a session that speaks PCM needs it
    from app.openai.transcode import Transcoding


class DegradedLink(Link):
    """Says first what was not granted, and turns the session's PCM into the phone's µ-law where that is one of it."""

    def __init__(self, *link: Any, fields: Sequence[str], transcoding: "Transcoding | None") -> None:
        super().__init__(*link)
        self._fields = tuple(fields)
        self._transcoding = transcoding

    def append(self, audio: str) -> str:
        """The event that carries this caller audio."""
        return client_events.append(self._transcoding.to_session(audio) if self._transcoding else audio)

    async def events(self) -> AsyncIterator[RealtimeInEvent]:
        """What the server says, in the call's own audio format."""
        yield SessionDegraded(self._fields)
        async for event in super().events():
            if self._transcoding is None:
                yield event
            else:
                for told in self._transcoding.to_call(event):
                    yield told
