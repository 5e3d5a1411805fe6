"""The caller's ways elsewhere and back: the carrier carries them on, and another stream brings them back."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from app.call.carrier import Carrier
from app.call.legs.caller_leg import CallerLeg
from app.call.status import EndReason
from app.call.turns.hush import Hush
from app.errors import CarrierApiError, CarrierError
from app.timing import Deadlines

CUT_IN = "Not done: the caller spoke before you had finished. Listen, and call the tool again if it is still wanted."
_SERVER_FAULT = 500


class Ways(Protocol):
    """What the carrier is told so that a caller who is sent elsewhere comes back to this call."""

    def dialled_url(self, number: int) -> str:
        """Where the carrier tells how the call's dial of that number, from 1, ended, and asks what follows."""

    def back(self, *, keys: str | None = None) -> str:
        """TwiML that presses these keys, then opens another stream for this call."""


class Away:
    """Sends one call's caller elsewhere, and has them back. One way at a time."""

    def __init__(
        self,
        caller: CallerLeg,
        hush: Hush,
        carrier: Carrier,
        call_sid: str,
        *,
        deadlines: Deadlines,
        now_ms: Callable[[], float],
        end: Callable[[EndReason], None],
    ) -> None:
        self._caller = caller
        self._hush = hush
        self._carrier = carrier
        self._call_sid = call_sid
        self._deadlines = deadlines
        self._now_ms = now_ms
        self._end = end
        self._request: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether the caller is on the way elsewhere, or is there."""
        return self._caller.leaving

    async def when_heard(self) -> bool:
        """Wait until the caller has heard what is being said; False where they cut in."""
        heard = asyncio.get_running_loop().create_future()
        self._hush.wait(lambda everything: None if heard.done() else heard.set_result(everything))
        await asyncio.sleep(0)  # where nothing is being said: after those who asked before
        playing_s = self._hush.plays_ms(self._now_ms()) / self._deadlines.ms(1.0)
        try:
            async with asyncio.timeout(playing_s + self._deadlines.goodbye_s):
                return bool(await heard)
        except TimeoutError:  # its mark never came back
            return True

    async def send(self, words: str) -> None:
        """Let the carrier do that with the caller; raises `CarrierError` where it does not, and they stay here."""
        self._caller.leave()
        self._request = asyncio.create_task(self._redirect(words), name="redirect")
        await asyncio.shield(self._request)  # whoever wanted it may go away: what was asked of the carrier stands

    async def back(self, within_s: float) -> None:
        """Wait until the caller is back; where they do not come in that time of the call, it is over."""
        try:
            async with asyncio.timeout(within_s / self._deadlines.speed + self._deadlines.claim_s):
                await self._caller.wait_back()
        except TimeoutError:
            self._end(EndReason.STREAM_LOST)
            await self._caller.wait_back()  # nobody comes: the call's end ends this

    async def settled(self) -> None:
        """Return when the carrier has said whether it does what it was asked last."""
        if self._request:
            await asyncio.wait([self._request])

    async def _redirect(self, words: str) -> None:
        try:
            async with asyncio.timeout(self._deadlines.carrier_s):
                await self._carrier.redirect(self._call_sid, words)
        except TimeoutError:
            await self._on_refusal(CarrierError("the carrier did not answer in time"))
        except CarrierError as error:
            await self._on_refusal(error)

    async def _on_refusal(self, error: CarrierError) -> None:
        """The caller stays here, unless the stream has ended: then they were sent away all the same, or hung up."""
        sure = isinstance(error, CarrierApiError) and error.status is not None and error.status < _SERVER_FAULT
        if not sure:
            await self._let_leave()
        if self._caller.stay():
            raise error
        if sure:
            self._end(EndReason.CALLER_HANGUP)
            raise error

    async def _let_leave(self) -> None:
        """A carrier that said nothing sure may have done it, and be about to."""
        try:
            async with asyncio.timeout(self._deadlines.carrier_s):
                await self._caller.wait_left()
        except TimeoutError:
            return
