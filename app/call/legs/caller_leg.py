"""The caller leg: the stream that carries the caller now, and the one in which they come back from elsewhere."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from app.call.actions import Action
from app.call.events import Kind
from app.call.legs.caller_frames import CallerFrames
from app.call.socket import StreamGone, StreamSocket
from app.call.sound.recorder import Recorder
from app.call.status import EndReason
from app.call.turns.flow import CallFlow
from app.errors import MediaProtocolError, Refused
from app.twilio import media_protocol
from app.twilio.media_protocol import Ignored, MarkReached, Media, Started, Stopped


@dataclass(frozen=True, slots=True)
class Stream:
    """One of a call's streams."""

    socket: StreamSocket
    stream_sid: str
    done: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the call needs it no more."""


class CallerLeg:
    """One call's streams, one after the other. Enter `run` once.

    A stream that ends is the call's end, unless the caller is being sent elsewhere: then they are away, nothing is
    played and nothing heard, until another stream brings them back.
    """

    def __init__(
        self,
        socket: StreamSocket,
        stream_sid: str,
        *,
        flow: CallFlow,
        recorder: Recorder,
        hear: Callable[[str], Awaitable[None]],
        perform: Callable[[Sequence[Action]], Awaitable[None]],
        returned: Callable[[], Awaitable[None]],
        note: Callable[..., None],
        end: Callable[[EndReason], None],
        now_ms: Callable[[], float],
    ) -> None:
        """`hear` gets the caller's frames; `returned` is called when the caller is back, before anybody waiting."""
        self.frames = CallerFrames()
        self.away = False
        """Whether there is no stream now, and another is to come."""
        self.leaving = False
        """Whether the caller is being sent elsewhere, or is there."""
        self._stream = Stream(socket, stream_sid)
        self._next: Stream | None = None
        self._left = asyncio.Event()
        self._came = asyncio.Event()
        self._back = asyncio.Event()
        self._flow = flow
        self._recorder = recorder
        self._hear = hear
        self._perform = perform
        self._returned = returned
        self._note = note
        self._end = end
        self._now_ms = now_ms

    async def run(self) -> None:
        """Carry streams until one ends and the caller is not just elsewhere."""
        while True:
            await self._hear_out(self._stream.socket)
            if not self.leaving:
                self._end(EndReason.STREAM_LOST)
                return
            left_ms = self._now_ms()
            await self._go()
            await self._came.wait()
            await self._come_back(left_ms)

    async def close(self, code: int) -> None:
        """The call is over, and so are its streams."""
        self.leaving = False
        for stream in filter(None, (self._stream, self._next)):
            await stream.socket.close(code)
            stream.done.set()

    @property
    def oddities(self) -> dict[str, int]:
        """What was odd about the streams so far, by kind."""
        found = self.frames.oddities + Counter(ignored=self._stream.socket.ignored)  # a sum has no zeros
        return dict(found)

    # -- what goes out

    async def play(self, audio: str, mark: str) -> None:
        """Queue audio at the carrier, and a mark behind it; raises `StreamGone`."""
        if self.away:
            return
        sid = self._stream.stream_sid
        if ahead := self._recorder.agent(mark, audio, self._now_ms()):
            await self._send(media_protocol.mark(sid, ahead))
        await self._send(media_protocol.media(sid, audio))
        await self._send(media_protocol.mark(sid, mark))

    async def clear(self) -> None:
        """Drop what is queued at the carrier; raises `StreamGone`."""
        if self.away:
            return
        self._recorder.clear(self._now_ms())
        await self._send(media_protocol.clear(self._stream.stream_sid))

    async def _send(self, text: str) -> None:
        try:
            await self._stream.socket.send(text)
        except StreamGone:
            if not self.leaving:
                raise

    # -- what comes in

    async def _hear_out(self, socket: StreamSocket) -> None:
        """Take what a stream brings until it is over."""
        oddities = self.frames.oddities
        while True:
            try:
                event = media_protocol.decode(await socket.receive())
            except StreamGone:
                return
            except MediaProtocolError:
                oddities["broken"] += 1
                continue
            if type(event) is Media:
                if self.frames.is_next(event):
                    self._recorder.caller(event.at_ms, event.payload, self._now_ms())
                    await self._hear(event.payload)
            elif isinstance(event, Ignored | Started):
                oddities["unexpected"] += 1
            elif type(event) is Stopped and self.leaving:
                return
            else:
                if type(event) is MarkReached:
                    self._recorder.mark(event.name, self._now_ms())
                await self._perform(self._flow.on_caller(event, self._now_ms()))

    # -- elsewhere and back

    def leave(self) -> None:
        """The caller is being sent elsewhere: from here on the stream's end is not the call's."""
        self.leaving = True
        self._left.clear()
        self._back.clear()

    def stay(self) -> bool:
        """The caller was not sent elsewhere after all; False where the stream has ended already."""
        if self._left.is_set() or self._came.is_set():
            return False
        self.leaving = False
        return True

    async def join(self, socket: StreamSocket, stream_sid: str) -> Stream:
        """Here is the caller again; raises `Refused` where nobody waits for a stream."""
        if not self.leaving or self._came.is_set():
            raise Refused("the call has its stream already")
        self._next = stream = Stream(socket, stream_sid)
        self._came.set()
        await self.give_up()
        return stream

    async def give_up(self) -> None:
        """Whatever the old stream may still have to say, it is over."""
        if not self.away:
            await self._stream.socket.close()

    async def wait_left(self) -> None:
        """Return when the stream from which the caller was sent elsewhere is over."""
        await self._left.wait()

    async def wait_back(self) -> None:
        """Return when the caller is back."""
        await self._back.wait()

    async def _go(self) -> None:
        self.away = True
        self._left.set()
        await self._stream.socket.close()
        self._stream.done.set()
        self.frames.oddities["ignored"] += self._stream.socket.ignored
        now_ms = self._now_ms()
        self._recorder.end(now_ms)
        self._note(Kind.STREAM_LEFT)
        await self._perform(self._flow.absence.begin(now_ms))

    async def _come_back(self, left_ms: float) -> None:
        assert self._next  # noqa: S101 - it has come
        now_ms = self._now_ms()
        self._stream, self._next = self._next, None
        self._came.clear()
        self.frames.restart()
        self._recorder.restart(now_ms)
        self.leaving = self.away = False
        self._note(Kind.STREAM_RETURNED, away_ms=int(now_ms - left_ms))
        await self._returned()
        self._back.set()
