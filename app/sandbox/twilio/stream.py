"""The carrier's end of one media socket: a thin shell around the player, the microphone and the messages."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from app.audio import FRAME_MS
from app.errors import CarrierError, CarrierFault
from app.sandbox.twilio import timeline as moments
from app.sandbox.twilio.messages import Clear, Mark, Play, ServerMessage, StreamMessages, read
from app.sandbox.twilio.player import MarkReached, Microphone, Player, PlayerEvent, VoiceStarted, VoiceStopped
from app.sandbox.twilio.timeline import Chronicle, StreamEnd

Disturbance = Callable[[int, str], Sequence[str]]
"""A bad line: from a frame's number and its message, the messages to send now."""

_BURST_FRAMES = 50  # so many at most in one go when the loop was late, then others get their turn
_GOODBYE_S = 0.5


@dataclass(frozen=True, slots=True)
class Received:
    """One message of the server: understood, or dropped as the carrier drops what it cannot take."""

    at_ms: int
    message: ServerMessage | None
    dropped: str | bytes | None = None


class MediaStream:
    """One media stream. Nothing is sent before `begin`; what the server sends is read from the start."""

    def __init__(self, socket: ClientConnection, messages: StreamMessages, chronicle: Chronicle) -> None:
        self.player = Player()
        self.microphone = Microphone()
        self.received: list[Received] = []
        self.started_ms = 0.0
        self.disturbance: Disturbance | None = None
        self.line_silent = False
        self._socket = socket
        self._messages = messages
        self._chronicle = chronicle
        self._frames = 0
        self._open = True
        self._speaking = False
        self._complained: set[int] = set()
        self._echoes: deque[str] = deque()
        self.ended_by = StreamEnd.SERVER
        self._reader = asyncio.create_task(self._read(), name="sandbox-stream-reader")
        self._pacer: asyncio.Task[None] | None = None

    @property
    def stream_sid(self) -> str:
        return self._messages.stream_sid

    @property
    def begun(self) -> bool:
        """Whether `start` has been sent."""
        return self._pacer is not None

    @property
    def open(self) -> bool:
        """Whether the socket still is."""
        return self._open

    @property
    def close_code(self) -> int | None:
        """The websocket's close code, once it is closed."""
        return self._socket.close_code

    @property
    def close_reason(self) -> str | None:
        """What the other side said when it closed."""
        return self._socket.close_reason

    async def begin(self) -> None:
        """Send `connected` and `start`, then the caller's audio every 20 ms."""
        await self.send_raw(self._messages.connected())
        await self.send_raw(self._messages.start())
        self.started_ms = self._chronicle.now_ms()
        self._chronicle.add(moments.StreamStarted(int(self.started_ms), self.stream_sid))
        self._pacer = asyncio.create_task(self._pace(), name="sandbox-stream-pacer")

    async def wait_closed(self) -> int:
        """Wait until the server closes the socket (or it breaks), and return the close code."""
        await asyncio.wait([self._reader])
        await self._end_pacer()
        self._reader.result()  # a mistake of our own must not pass for a hang-up
        return self.close_code or 1006

    async def stop(self) -> None:
        """End the stream as the carrier does: `stop`, then close. A socket that is closed already is left alone."""
        if self.open:
            self.ended_by = StreamEnd.CARRIER
            await self._end_pacer()
            await self._play(self.player.end(self._now_ms()))
            with contextlib.suppress(CarrierError, TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):  # a server that reads no more cannot hold us
                    await self.send_raw(self._messages.stop())
            await self._socket.close()
        await self.wait_closed()

    async def drop(self) -> None:
        """Let the connection die: no `stop`, no goodbye."""
        self.ended_by = StreamEnd.DROPPED
        self._socket.transport.abort()
        await self.wait_closed()

    async def send_raw(self, message: str | bytes) -> None:
        """Send anything at all."""
        try:
            await self._socket.send(message)
        except ConnectionClosed as error:
            raise CarrierError("the stream's socket is closed") from error

    async def press(self, digits: str) -> None:
        """Let the caller press these keys."""
        for digit in digits:
            self._chronicle.add(moments.KeyPressed(self._chronicle.now(), digit))
            await self.send_raw(self._messages.dtmf(digit))

    async def say(self, ulaw: bytes) -> None:
        """Let the caller speak; returns when all of it has gone out."""
        end = self.microphone.say(ulaw)
        await self._chronicle.until(lambda: self.microphone.taken_bytes >= end or not self.open)
        if self.microphone.taken_bytes < end:
            raise CarrierError("the stream ended before the caller had said everything")

    def _now_ms(self) -> float:
        return self._chronicle.now_ms() - self.started_ms if self._pacer else 0.0

    async def _pace(self) -> None:
        """Send each frame when its time on the absolute schedule has come; several when the loop was late."""
        with contextlib.suppress(CarrierError):
            while True:
                now_ms = self._now_ms()
                await self._play(self.player.advance(now_ms))
                due = min(int(now_ms / FRAME_MS), self._frames + _BURST_FRAMES)
                while self._frames < due:
                    await self._send_frame()
                self._chronicle.pulse()
                await asyncio.sleep(((self._frames + 1) * FRAME_MS - self._now_ms()) / 1000 / self._chronicle.speed)

    async def _send_frame(self) -> None:
        self._frames += 1
        frame = self.microphone.frame()
        self._note_speech(frame is not None)
        if self.line_silent:
            return
        message = self._messages.media(self._frames, frame)
        for sent in self.disturbance(self._frames, message) if self.disturbance else (message,):
            await self.send_raw(sent)

    def _note_speech(self, speaking: bool) -> None:
        if speaking != self._speaking:
            self._speaking = speaking
            at_ms = int(self.started_ms) + (self._frames - 1) * FRAME_MS
            self._chronicle.add(moments.CallerStarted(at_ms) if speaking else moments.CallerStopped(at_ms))

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for raw in self._socket:
                await self._take(raw)
        await self._play(self.player.end(self._now_ms()))
        code = self._socket.close_code or 1006
        self._open = False
        self._chronicle.add(moments.StreamEnded(self._chronicle.now(), self.stream_sid, self.ended_by, code))

    async def _take(self, raw: str | bytes) -> None:
        try:
            message = read(raw, self.stream_sid)
        except CarrierFault as fault:
            self.received.append(Received(self._chronicle.now(), None, raw))
            self._complain(fault)
            return
        self.received.append(Received(self._chronicle.now(), message))
        if self.ended_by is not StreamEnd.SERVER:
            return  # written after our `stop`: nobody hears it, no mark comes back
        now_ms = self._now_ms()
        match message:
            case Play(audio):
                await self._play(self.player.play(audio, now_ms))
            case Mark(name):
                await self._play(self.player.mark(name, now_ms))
            case Clear():
                await self._play(self.player.clear(now_ms))
        self._chronicle.pulse()

    def _complain(self, fault: CarrierFault) -> None:
        """The carrier reports each kind of bad message once per stream, and never to the server."""
        if fault.code in self._complained:
            self._chronicle.pulse()
            return
        self._complained.add(fault.code)
        self._chronicle.warn(fault.code, str(fault))

    async def _play(self, events: Sequence[PlayerEvent]) -> None:
        offset_ms = int(self.started_ms)
        for event in events:
            match event:
                case MarkReached(at_ms, name):
                    self._chronicle.add(moments.MarkEchoed(offset_ms + at_ms, name))
                    self._echoes.append(name)
                case VoiceStarted(at_ms):
                    self._chronicle.add(moments.AgentStarted(offset_ms + at_ms))
                case VoiceStopped(at_ms, cleared):
                    self._chronicle.add(moments.AgentStopped(offset_ms + at_ms, cleared))
        while self._echoes:  # reader and pacer both come here: one queue keeps the echoes in order
            with contextlib.suppress(CarrierError):
                await self.send_raw(self._messages.mark(self._echoes.popleft()))

    async def _end_pacer(self) -> None:
        if self._pacer:
            self._pacer.cancel()
            await asyncio.wait([self._pacer])
            if not self._pacer.cancelled():
                self._pacer.result()
