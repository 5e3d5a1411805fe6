"""Carries one call through its TwiML, document by document, until somebody or something ends it."""

import asyncio
import contextlib
from datetime import UTC, datetime
from urllib.parse import urljoin

from app.errors import CarrierError, CarrierFault
from app.sandbox.twilio import twiml
from app.sandbox.twilio.call import SandboxCall
from app.sandbox.twilio.network import Destination
from app.sandbox.twilio.recording_room import RecordingRoom
from app.sandbox.twilio.steps import End, Fetch, Follow, Step
from app.sandbox.twilio.timeline import Bridged, Dialled, EndCause, StreamEnd, VerbStarted, WebhookAnswered
from app.sandbox.twilio.twiml import Verb
from app.sandbox.twilio.voicemail import listen
from app.sandbox.twilio.webhook import new_sid, twiml_of

SPOKEN_CHARACTERS_A_SECOND = 15
PLAYED_FILE_MS = 2000.0
"""No file is fetched; each plays for this long."""
KEY_TONE_MS = 250.0


class Follower:
    """Does what the documents say; an order from outside (hang-up, redirect) interrupts whatever is going on."""

    def __init__(self, call: SandboxCall, *, fallback_url: str | None, recordings: RecordingRoom) -> None:
        self._call = call
        self._recordings = recordings
        self._network = call.network
        self._fallback_url = fallback_url
        self._base_url = ""
        self._action: Fetch | None = None  # owed to a verb that a hang-up cuts short

    async def run(self, step: Step) -> None:
        """Carry the call from this step to its end, and tell everybody that it is over."""
        while not isinstance(step, End):
            step = await self._unless_ordered(step)
        self._call.set_status(step.status)
        self._recordings.end(self._call)
        self._call.report("completed")
        if self._action:
            self._call.callbacks.send(
                self._action.url, self._call.params | self._action.extra, method=self._action.method
            )
        self._recordings.report(self._call)
        await self._call.callbacks.drain()
        self._call.end(step.cause)

    async def _unless_ordered(self, step: Fetch | Follow) -> Step:
        order = asyncio.create_task(self._call.steps.get(), name="sandbox-orders")
        going = asyncio.create_task(self._take(step), name="sandbox-verbs")
        try:
            await asyncio.wait([order, going], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (order, going):
                task.cancel()
            await asyncio.wait([order, going])
        following = None if going.cancelled() else going.result()
        if following is not None and order.cancelled():
            return following
        if isinstance(order.result(), Follow | Fetch):
            self._action = None  # a redirected verb asks for no action
        return order.result()

    async def _take(self, step: Fetch | Follow) -> Step:
        """Follow one document to its end; what comes next is the answer."""
        try:
            document = twiml.parse(await self._fetch(step) if isinstance(step, Fetch) else step.twiml)
        except CarrierFault as fault:
            return self._fall_back(fault)
        if isinstance(step, Follow) and step.base_url:
            self._base_url = step.base_url
        for warning in document.warnings:
            self._call.chronicle.warn(twiml.SCHEMA, warning)
        for verb in document.verbs:
            self._call.chronicle.add(VerbStarted(self._call.chronicle.now(), verb))
            if verb.name == "Reject" and self._call.status == "ringing":
                return End(EndCause.REJECTED, "busy" if verb.get("reason") == "busy" else "failed")
            self._call.set_status("in-progress")
            if (following := await self._perform(verb)) is not None:
                return following
        return End(EndCause.VERBS_RAN_OUT)

    async def _fetch(self, step: Fetch) -> str:
        self._base_url = step.url
        answer = await self._network.webhook(step.url, self._call.params | step.extra, method=step.method)
        now = self._call.chronicle.now()
        self._call.chronicle.add(WebhookAnswered(now, step.url, answer.status, answer.took_ms))
        return twiml_of(answer)

    def _fall_back(self, fault: CarrierFault) -> Step:
        """The fallback URL gets one chance; without it the caller hears a generic error and the call ends."""
        self._call.chronicle.warn(fault.code, str(fault))
        url, self._fallback_url = self._fallback_url, None
        if url is None:
            return End(EndCause.ERROR)
        return Fetch(url, extra={"ErrorCode": str(fault.code), "ErrorUrl": self._base_url})

    async def _perform(self, verb: Verb) -> Step | None:
        match verb.name:
            case "Connect":
                return await self._connect(verb)
            case "Say":
                await self._repeat(verb, len(verb.text) / SPOKEN_CHARACTERS_A_SECOND * 1000)
            case "Play":
                await self._repeat(verb, len(verb.get("digits")) * KEY_TONE_MS or PLAYED_FILE_MS)
            case "Pause":
                await self._network.pass_ms(float(verb.get("length", "1")) * 1000)
            case "Dial":
                return await self._dial(verb)
            case "Record":
                return await self._record(verb)
            case "Redirect":
                return Fetch(self._absolute(verb.text), verb.get("method", "POST"))
            case "Start":
                self._recordings.start_by_verb(self._call, verb, self._base_url)
            case "Hangup" | "Reject":
                return End(EndCause.HANGUP_VERB)
        return None  # streams that <Start> and <Stop> name are in the timeline only

    async def _repeat(self, verb: Verb, once_ms: float) -> None:
        times = int(verb.get("loop", "1"))
        while True:
            await self._network.pass_ms(once_ms)
            times -= 1
            if times == 0:  # a loop of 0 never comes here: it goes on until the call ends
                return

    async def _connect(self, verb: Verb) -> Step | None:
        if not verb.children:
            self._call.chronicle.warn(twiml.SCHEMA, "<Connect> has no <Stream>")
            return None
        self._action = self._action_of(verb)
        await self._carry_stream(verb.children[0])
        return self._acted()

    async def _carry_stream(self, verb: Verb) -> None:
        """Carry one stream until the server closes it; interrupted, it ends with `stop`."""
        try:
            twiml.check_stream(verb)
            stream = await self._network.open_stream(
                verb.get("url"),
                call_sid=self._call.call_sid,
                parameters=twiml.parameters_of(verb),
                chronicle=self._call.chronicle,
            )
        except CarrierFault as fault:
            self._call.chronicle.warn(fault.code, str(fault))
            self._report_stream(verb, "", "stream-error", str(fault))
            return
        self._call.streams.append(stream)
        try:
            with contextlib.suppress(CarrierError):  # closed right after the handshake
                await stream.begin()
            self._report_stream(verb, stream.stream_sid, "stream-started")
            code = await stream.wait_closed()
        finally:
            await stream.stop()
            self._report_stream(verb, stream.stream_sid, "stream-stopped")
        if stream.ended_by is StreamEnd.SERVER and code not in (1000, 1001, 1005):
            self._call.chronicle.warn(31921, f"the media socket was closed abnormally ({code})")

    def _report_stream(self, verb: Verb, stream_sid: str, event: str, error: str = "") -> None:
        if url := verb.get("statusCallback"):
            params = {
                "AccountSid": self._network.account_sid,
                "CallSid": self._call.call_sid,
                "StreamSid": stream_sid,
                "StreamName": verb.get("name", stream_sid),
                "StreamEvent": event,
                "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            }
            method = verb.get("statusCallbackMethod", "POST")
            self._call.callbacks.send(
                self._absolute(url), params | ({"StreamError": error} if error else {}), method=method
            )

    async def _dial(self, verb: Verb) -> Step | None:
        numbers = [child.text for child in verb.children] or [verb.text]
        if not all(numbers):
            self._call.chronicle.warn(13223, "<Dial> names nobody to call")
            return None
        self._action = self._action_of(verb, {"DialCallStatus": "canceled"})
        phones = [(number, self._network.destinations.get(number, Destination())) for number in numbers]
        number, phone = min(phones, key=lambda ringing: (ringing[1].outcome != "answered", ringing[1].ring_ms))
        outcome = await self._ring(phone, timeout_ms=float(verb.get("timeout", "30")) * 1000)
        talked_ms = await self._talk(verb, number, phone) if outcome == "completed" else 0.0
        self._call.chronicle.add(Dialled(self._call.chronicle.now(), number, outcome))
        self._action = self._dialled(verb, outcome, talked_ms)
        return self._acted()

    async def _ring(self, phone: Destination, *, timeout_ms: float) -> str:
        """Ring a phone; answers how that ended."""
        if phone.ring_ms > timeout_ms:
            await self._network.pass_ms(timeout_ms)
            return "no-answer"
        await self._network.pass_ms(phone.ring_ms)
        return "completed" if phone.outcome == "answered" else phone.outcome

    async def _talk(self, verb: Verb, number: str, phone: Destination) -> float:
        """Talk as long as the phone does, and no longer than is allowed; answers for how long."""
        self._action = self._dialled(verb, "completed", 0.0)  # owed when the caller hangs up first
        self._call.chronicle.add(Bridged(self._call.chronicle.now(), number))
        limit_ms = float(verb.get("timeLimit", "14400")) * 1000
        talked_ms = limit_ms if phone.talk_ms is None else min(phone.talk_ms, limit_ms)
        await self._network.pass_ms(talked_ms)
        return talked_ms

    def _dialled(self, verb: Verb, outcome: str, talked_ms: float) -> Fetch | None:
        """What the action of a `<Dial>` is told of it."""
        return self._action_of(
            verb,
            {
                "DialCallStatus": outcome,
                "DialCallSid": new_sid("CA"),
                "DialCallDuration": str(int(talked_ms / 1000)),
                "DialBridged": str(outcome == "completed").lower(),
            },
        )

    async def _record(self, verb: Verb) -> Step | None:
        """Record a message; an empty one has no action, and the next verb follows."""
        message = self._recordings.start_message(self._call, verb, self._base_url)
        url, method = (
            self._absolute(verb.get("action")) if verb.get("action") else self._base_url,
            verb.get("method", "POST"),
        )
        try:
            key = await listen(self._call, verb, message)
        except asyncio.CancelledError:
            self._action = Fetch(url, method, message.acted("hangup")) if message.sound else None
            raise
        finally:
            message.end()
            if not message.sound:
                self._recordings.forget(message)
        return Fetch(url, method, message.acted(key)) if message.sound else None

    def _action_of(self, verb: Verb, extra: dict[str, str] | None = None) -> Fetch | None:
        if not verb.get("action"):
            return None
        return Fetch(self._absolute(verb.get("action")), verb.get("method", "POST"), extra or {})

    def _acted(self) -> Step | None:
        action, self._action = self._action, None
        return action

    def _absolute(self, url: str) -> str:
        return urljoin(self._base_url, url)
