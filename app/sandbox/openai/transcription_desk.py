"""Who asked for transcriptions, and what is made to go wrong with them."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TranscriptionFault:
    """One request's misfortune; none by default."""

    status: int = 200
    """With another one, or with a `body`, that is the answer, whatever was asked."""
    code: str | None = None
    """The error's code, where there is no `body`."""
    message: str = "This request is refused on purpose."
    body: str | bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with the answer, like `retry-after`."""
    cut_after_bytes: int | None = None
    """The connection breaks after so many bytes of the answer's body."""
    hang: bool = False
    """No answer comes before `Transcriptions.release`."""
    without_done: bool = False
    """A stream ends without its last event."""


NO_FAULT = TranscriptionFault()


@dataclass(frozen=True, slots=True)
class SeenTranscription:
    """A request as it came."""

    request_id: str
    model: str
    fields: Mapping[str, Sequence[str]]
    """All but the file."""
    filename: str | None
    content_type: str | None
    file_bytes: int
    seconds: float | None
    """How long its file plays; None where it could not be opened."""
    headers: Mapping[str, str] = field(repr=False)


class Transcriptions:
    """The transcription API's desk: each request takes the next of `faults`, and is written down."""

    def __init__(self) -> None:
        self.faults: deque[TranscriptionFault] = deque()
        self.requests: list[SeenTranscription] = []
        self.gone: set[str] = set()
        """Models that there are no longer."""
        self._arrived = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._hung = asyncio.Event()

    def hold(self) -> None:
        """Let no answer out until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Let out what is held, and what hangs."""
        self._open.set()
        self._hung.set()
        self._hung = asyncio.Event()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no answer out as long as the block goes on."""
        self.hold()
        try:
            yield
        finally:
            self.release()

    async def request(self, number: int = 0) -> SeenTranscription:
        """The request that came as that one, as soon as there is one; its answer may still be held."""
        while len(self.requests) <= number:
            await self._arrived.wait()
        return self.requests[number]

    def arrive(self, seen: SeenTranscription) -> TranscriptionFault:
        """Write a request down; with what is to go wrong with it."""
        self.requests.append(seen)
        self._arrived.set()
        self._arrived = asyncio.Event()
        return self.faults.popleft() if self.faults else NO_FAULT

    async def pass_out(self, fault: TranscriptionFault) -> None:
        """Return when this request's answer may go."""
        if fault.hang:
            await self._hung.wait()
        await self._open.wait()
