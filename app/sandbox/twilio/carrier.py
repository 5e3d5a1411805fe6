"""A Twilio to rehearse with: it places calls, follows TwiML, carries media streams and answers REST requests."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from app.sandbox.twilio.call import SandboxCall
from app.sandbox.twilio.follower import Follower
from app.sandbox.twilio.machines import tell_who_answered
from app.sandbox.twilio.network import Destination, Network
from app.sandbox.twilio.outbound import ring_out
from app.sandbox.twilio.recording_room import RecordingRoom
from app.sandbox.twilio.rest import Form, RestApi, RestFault, RestRequest, serving
from app.sandbox.twilio.steps import End, Fetch, Follow, StatusCallback
from app.sandbox.twilio.stream import MediaStream
from app.sandbox.twilio.timeline import EndCause
from app.sandbox.twilio.webhook import Answer

LEAVE_S = 1.5
"""Calls may take this long to end in order when the sandbox is left: a goodbye to a mute server, and its closing."""


class SandboxTwilio:
    """The carrier, as an async context manager; leaving it hangs up what still talks.

    `place_call` rehearses a whole call. Its parts can be had one by one, to do them wrongly: `ring`, `webhook`,
    `open_stream`, `sign`.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        voice_url: str,
        fallback_url: str | None = None,
        status_url: str | None = None,
        speed: float = 1.0,
        host: str = "127.0.0.1",
        port: int = 0,
        webhook_limit_s: float = 15.0,
    ) -> None:
        self.account_sid = account_sid
        self.calls: dict[str, SandboxCall] = {}
        self._voice_url = voice_url
        self._fallback_url = fallback_url
        self._status_url = status_url
        self._address = (host, port)
        self._network = Network(
            account_sid=account_sid, auth_token=auth_token, speed=speed, webhook_limit_s=webhook_limit_s
        )
        self.recordings = RecordingRoom()
        self._rest = RestApi(
            account_sid=account_sid,
            auth_token=auth_token,
            calls=self.calls,
            create=self._dial_out,
            recordings=self.recordings,
        )
        self._running: list[asyncio.Task[None]] = []
        self._streams: list[MediaStream] = []
        self._outbound: asyncio.Queue[SandboxCall] = asyncio.Queue()
        self._exit = AsyncExitStack()
        self._api_base_url = ""

    async def __aenter__(self) -> Self:
        await self._exit.enter_async_context(self._network)
        self._api_base_url = await self._exit.enter_async_context(serving(self._rest.app(), *self._address))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up, wait a little, and raise what went wrong inside the carrier itself."""
        try:
            for call in self.calls.values():
                call.put_down()
            await asyncio.gather(*(stream.stop() for stream in self._streams))
            if self._running:
                await asyncio.wait(self._running, timeout=LEAVE_S)
            for task in self._running:
                task.cancel()
            results = await asyncio.gather(*self._running, return_exceptions=True)
            if failures := [result for result in results if isinstance(result, Exception)]:
                raise ExceptionGroup("the sandbox's carrier failed", failures)
        finally:
            await self.recordings.close()
            await self._exit.aclose()

    @property
    def api_base_url(self) -> str:
        """The origin of the REST API, in place of https://api.twilio.com."""
        return self._api_base_url

    @property
    def requests(self) -> list[RestRequest]:
        """Every REST request so far."""
        return self._rest.requests

    @property
    def destinations(self) -> dict[str, Destination]:
        """How phones behave that are dialled; one that is not here answers after a second and talks for three."""
        return self._network.destinations

    def own(self, number: str, **changes: str | None) -> None:
        """The account has this number. Its calls go where all calls go, unless `changes` (Twilio's fields) say more."""
        urls = {
            "voice_url": self._voice_url,
            "voice_fallback_url": self._fallback_url,
            "status_callback": self._status_url,
        }
        self._rest.numbers.own(number, {**urls, **changes})

    @property
    def numbers(self) -> list[dict[str, Any]]:
        """The account's numbers as they are now, in Twilio's fields."""
        return self._rest.numbers.numbers

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Every text message that was sent, in Twilio's fields."""
        return self._rest.texts.messages

    @property
    def account(self) -> dict[str, Any]:
        """The account in Twilio's fields; a test may change them."""
        return self._rest.numbers.account

    def fail_rest(self, status: int | None, *, code: int = 20500, times: int = 1, acts: bool = False) -> None:
        """Let the next REST requests fail with that status; None lets them hang until the client gives up.

        With `acts` they do what was asked, and only say that they did not.
        """
        self._rest.faults += [RestFault(status, code, acts)] * times

    async def place_call(self, *, to: str, from_: str, **extra: str) -> SandboxCall:
        """Call the server's number: webhook, and then whatever its TwiML says. `extra` are more form fields."""
        call = self.ring(to=to, from_=from_, **extra)
        call.order(Fetch(self._voice_url))
        return call

    def ring(self, *, to: str, from_: str, **extra: str) -> SandboxCall:
        """A call that rings and is known to the API, of which the server has not been told: the rest is up to you."""
        callback = StatusCallback(self._status_url) if self._status_url else None
        call = SandboxCall(self._network, to=to, from_=from_, status_callback=callback, extra=extra)
        self._start(call, self._answer(call))
        return call

    def follow(self, call: SandboxCall, twiml: str) -> None:
        """Let a call that only rings be answered with this TwiML."""
        call.order(Follow(twiml, self._voice_url))

    async def outbound_call(self) -> SandboxCall:
        """The next call that the server places over REST."""
        return await self._outbound.get()

    def sign(self, url: str, params: Mapping[str, str] | None = None) -> str:
        """The signature of a form POST, or of a URL alone (GET, websocket)."""
        return self._network.sign(url, params)

    async def webhook(
        self,
        params: Mapping[str, str],
        *,
        url: str | None = None,
        method: str = "POST",
        signature: str | None = None,
        idempotency_token: str | None = None,
    ) -> Answer:
        """Send one webhook (to the voice URL, truly signed, unless told otherwise) and return the plain answer."""
        return await self._network.webhook(
            url or self._voice_url, params, method=method, signature=signature, idempotency_token=idempotency_token
        )

    async def open_stream(
        self,
        url: str,
        *,
        call_sid: str,
        parameters: Mapping[str, str] | None = None,
        signature: str | None = None,
    ) -> MediaStream:
        """Open one media socket outside of any call; nothing is sent until its `begin`."""
        stream = await self._network.open_stream(url, call_sid=call_sid, parameters=parameters, signature=signature)
        self._streams.append(stream)
        return stream

    def _start(self, call: SandboxCall, course: Coroutine[None, None, None]) -> None:
        """Run a call beside the others; one that fails in here still ends, and is raised when we leave."""
        self.calls[call.call_sid] = call
        self._running.append(asyncio.create_task(_end_in_any_case(call, course), name="sandbox-call"))

    async def _answer(self, call: SandboxCall) -> None:
        follower = Follower(call, fallback_url=self._fallback_url, recordings=self.recordings)
        await follower.run(await call.steps.get())

    def _dial_out(self, form: Form) -> SandboxCall:
        """Place the call that a REST request asks for."""
        callback = None
        if url := form.get("StatusCallback"):
            events = frozenset(" ".join(form.getlist("StatusCallbackEvent")).split()) or {"completed"}
            callback = StatusCallback(url, form.get("StatusCallbackMethod", "POST"), frozenset(events))
        call = SandboxCall(
            self._network,
            to=form["To"],
            from_=form["From"],
            direction="outbound-api",
            status="queued",
            status_callback=callback,
        )
        self._outbound.put_nowait(call)
        self._start(call, self._ring_out(call, form))
        return call

    async def _ring_out(self, call: SandboxCall, form: Form) -> None:
        twiml, url = form.get("Twiml"), form.get("Url", "")
        first = Follow(twiml) if twiml else Fetch(url, form.get("Method", "POST"))
        phone = self.destinations.get(call.to, Destination())
        step = await ring_out(call, phone, first, timeout_ms=float(form.get("Timeout", "60")) * 1000)
        if form.get("Record") == "true" and not isinstance(step, End):
            self.recordings.start_by_form(call, dict(form), with_call=True)
        if not isinstance(step, End):
            self._running.append(asyncio.create_task(tell_who_answered(call, phone, form), name="sandbox-machines"))
        await Follower(call, fallback_url=form.get("FallbackUrl"), recordings=self.recordings).run(step)


async def _end_in_any_case(call: SandboxCall, course: Coroutine[None, None, None]) -> None:
    try:
        await course
    finally:
        await call.callbacks.close()
        if call.end_cause is None:
            call.end(EndCause.ERROR)
