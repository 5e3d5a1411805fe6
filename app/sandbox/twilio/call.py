"""One rehearsed phone call, as the person at the phone and the test that watches see it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import formatdate

from app.audio import BYTES_PER_MS, SILENCE, ms_of
from app.errors import CarrierError
from app.sandbox.twilio.callbacks import Callbacks
from app.sandbox.twilio.network import Network
from app.sandbox.twilio.steps import End, StatusCallback, Step
from app.sandbox.twilio.stream import MediaStream, Received
from app.sandbox.twilio.timeline import EndCause, Ended, Moment, StatusChanged, Warned
from app.sandbox.twilio.webhook import new_sid, voice_params

WAIT_S = 10.0
TERMINAL = {"completed": "200", "busy": "486", "no-answer": "487", "failed": "603", "canceled": "487"}
"""The statuses of a call that is over, and the SIP answer behind each."""


class SandboxCall:
    """A call in progress, and everything there is to know of it afterwards.

    Each wait raises `TimeoutError` after real seconds, and `CarrierError` once the call is over without it.
    """

    def __init__(
        self,
        network: Network,
        *,
        to: str,
        from_: str,
        direction: str = "inbound",
        status: str = "ringing",
        status_callback: StatusCallback | None = None,
        extra: dict[str, str] | None = None,
    ) -> None:
        self.call_sid = new_sid("CA")
        self.created_at = datetime.now(UTC).replace(microsecond=0)
        self.to = to
        self.from_ = from_
        self.direction = direction
        self.status = status
        self.end_cause: EndCause | None = None
        self.streams: list[MediaStream] = []
        self.network = network
        self.chronicle = network.chronicle()
        self.steps: asyncio.Queue[Step] = asyncio.Queue()
        self.messages: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue()
        self._over = False
        self._status_callback = status_callback
        self.callbacks = Callbacks(network, self.chronicle)
        self._callbacks_sent = 0
        self._answered_ms: float | None = None
        self._ended_ms: float | None = None
        self._extra = extra or {}

    # What the caller does.

    async def say(self, ulaw: bytes) -> None:
        """Speak into the open stream; returns when all of it has been spoken."""
        await self._open_stream.say(ulaw)

    async def press(self, digits: str) -> None:
        """Press these keys."""
        await self._open_stream.press(digits)

    def leave_message(self, ulaw: bytes, *, key: str = "") -> None:
        """Say this after the tone of a `<Record>`, and then press that key."""
        self.messages.put_nowait((ulaw, key))

    async def hang_up(self) -> None:
        """Put the phone down, and wait until everybody has been told."""
        self.put_down()
        await self.wait_ended()

    def put_down(self) -> None:
        """Put the phone down, and go."""
        self.order(End(EndCause.CALLER, "completed" if self._answered_ms is not None else "canceled"))

    async def drop(self) -> None:
        """Let the stream's connection die without a word."""
        await self._open_stream.drop()

    async def send_raw(self, message: str | bytes) -> None:
        """Send anything at all over the stream."""
        await self._open_stream.send_raw(message)

    # What can be seen of it.

    @property
    def timeline(self) -> Sequence[Moment]:
        """Everything that happened so far."""
        return self.chronicle.moments

    @property
    def warnings(self) -> list[Warned]:
        """What the carrier's debugger would show."""
        return [moment for moment in self.timeline if isinstance(moment, Warned)]

    @property
    def stream(self) -> MediaStream | None:
        """The latest stream."""
        return self.streams[-1] if self.streams else None

    @property
    def stream_sid(self) -> str | None:
        return self.stream.stream_sid if self.stream else None

    @property
    def received(self) -> list[Received]:
        """Every message of the server, of all streams."""
        return [received for stream in self.streams for received in stream.received]

    @property
    def heard(self) -> bytes:
        """What the caller heard of the agent since the call was placed, silence included."""
        return self._track(lambda stream: stream.player.heard)

    @property
    def spoken(self) -> bytes:
        """What the caller said since the call was placed, silence included."""
        return self._track(lambda stream: stream.microphone.spoken)

    @property
    def heard_ms(self) -> int:
        """How much of the agent's audio has been heard, silence between not counted."""
        return ms_of(sum(stream.player.played_bytes for stream in self.streams))

    @property
    def over(self) -> bool:
        """Whether the call has ended, or is just about to."""
        return self._over or self.status in TERMINAL

    # Waiting.

    async def wait_for(self, happened: Callable[["SandboxCall"], bool], *, timeout_s: float = WAIT_S) -> None:
        """Wait until it has happened; it is asked again whenever anything changed."""
        async with asyncio.timeout(timeout_s):
            await self.chronicle.until(lambda: self.end_cause is not None or happened(self))
        if not happened(self):
            raise CarrierError(f"the call ended ({self.end_cause}) before that; last: {self.timeline[-3:]}")

    async def wait_stream(self, *, timeout_s: float = WAIT_S) -> MediaStream:
        """Wait until the first stream has started."""
        await self.wait_for(lambda call: bool(call.streams and call.streams[0].begun), timeout_s=timeout_s)
        return self.streams[0]

    async def wait_heard(self, ms: float, *, timeout_s: float = WAIT_S) -> None:
        """Wait until the caller has heard so much of the agent, silence between not counted."""
        await self.wait_for(lambda call: call.heard_ms >= ms, timeout_s=timeout_s)

    async def wait_ended(self, *, timeout_s: float = WAIT_S) -> EndCause:
        """Wait until the call is over and every callback has been sent."""
        await self.wait_for(lambda call: call.end_cause is not None, timeout_s=timeout_s)
        assert self.end_cause  # noqa: S101 - what was just awaited
        return self.end_cause

    # What the carrier's own machinery uses.

    def order(self, step: Step) -> None:
        """Let the call go on with this instead of what it is doing; the first `End` is the last order."""
        if not self.over:
            self._over = isinstance(step, End)
            self.steps.put_nowait(step)

    def set_status(self, status: str) -> None:
        """Write down where the call stands."""
        if status != self.status:
            self.status = status
            self.chronicle.add(StatusChanged(self.chronicle.now(), status))
        if status == "in-progress" and self._answered_ms is None:
            self._answered_ms = self.chronicle.now_ms()
        if status in TERMINAL:
            self._ended_ms = self.chronicle.now_ms()

    def end(self, cause: EndCause) -> None:
        """Everybody has been told; whoever waits for the end may go on."""
        self.end_cause = cause
        self.chronicle.add(Ended(self.chronicle.now(), cause))

    @property
    def params(self) -> dict[str, str]:
        """The voice parameters of a webhook sent now."""
        params = voice_params(
            account_sid=self.network.account_sid,
            call_sid=self.call_sid,
            from_=self.from_,
            to=self.to,
            direction=self.direction,
        )
        return params | {"CallStatus": self.status} | self._extra

    @property
    def duration_s(self) -> int:
        """Whole seconds from the answer to the end, or to now."""
        if self._answered_ms is None:
            return 0
        return int(((self._ended_ms or self.chronicle.now_ms()) - self._answered_ms) / 1000)

    def report(self, event: str) -> None:
        """Send the status callback of that event, if somebody asked for it."""
        callback = self._status_callback
        if callback is None or event not in callback.events:
            return
        params = self.params | {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._callbacks_sent),
            "Timestamp": formatdate(usegmt=False),
        }
        if event == "completed":
            seconds = self.duration_s
            params |= {
                "CallDuration": str(seconds),
                "Duration": str(-(-seconds // 60)),
                "SipResponseCode": TERMINAL[self.status],
            }
        self._callbacks_sent += 1
        self.callbacks.send(callback.url, params, method=callback.method)

    @property
    def _open_stream(self) -> MediaStream:
        if self.stream is None or not self.stream.open:
            raise CarrierError("the call has no open stream")
        return self.stream

    def _track(self, side: Callable[[MediaStream], bytes]) -> bytes:
        track = b""
        for stream in self.streams:
            track = track.ljust(int(stream.started_ms) * BYTES_PER_MS, SILENCE) + side(stream)
        return track
