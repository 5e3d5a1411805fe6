"""Putting a caller through to another number: whether that may be, and what became of it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.call.elsewhere.away import Away, Ways
from app.call.elsewhere.hourly import Hourly
from app.call.record import CallRecord
from app.call.status import EndReason
from app.errors import CarrierError, CommandRefused, OutboundRefused
from app.outbound.rules import check_dialable
from app.timing import Deadlines
from app.twilio import twiml

ANSWERED = frozenset({"completed", "answered"})
"""The `DialCallStatus` of a dial in which the two have talked."""
_OUR_CHOICE = frozenset({EndReason.OPERATOR, EndReason.STREAM_LOST, EndReason.TRANSFERRED})


@dataclass(slots=True)
class _Dial:
    """A dial under way, until the caller is back."""

    number: int
    lasts_s: float
    """For so long it may ring, and the two may talk."""
    told: asyncio.Event = field(default_factory=asyncio.Event)
    status: str = ""
    answer: str = ""


class Transfer:
    """One call's way to other numbers. The stream ends with it, and that is no hang-up.

    A number is never dialled unless its prefix is allowed or it is one of the call's own fallback numbers.
    """

    def __init__(
        self,
        away: Away,
        record: CallRecord,
        *,
        ways: Ways,
        allowed_prefixes: Callable[[], Sequence[str]],
        fallback_numbers: frozenset[str],
        hourly: Hourly,
        deadlines: Deadlines,
        end: Callable[[EndReason], None],
    ) -> None:
        ours = record.to_number if record.direction == "inbound" else record.from_number
        self._caller_id = ours if ours.startswith("+") else None
        self._away = away
        self._ways = ways
        self._allowed_prefixes = allowed_prefixes
        self._fallback_numbers = fallback_numbers
        self._hourly = hourly
        self._deadlines = deadlines
        self._end = end
        self._dial: _Dial | None = None
        self._dials = 0

    @property
    def under_way(self) -> bool:
        """Whether the caller is being put through, or talks with somebody else."""
        return self._dial is not None

    def check(self, to: str) -> None:
        """Raise `CommandRefused` where the call may not be put through to that number now."""
        if self._away.busy:
            raise CommandRefused("transfer_under_way", "The call is being transferred already.")
        if not self._hourly.may(_now_s()):
            raise CommandRefused("too_many_transfers", "There were as many transfers in this hour as are allowed.")
        if to in self._fallback_numbers:
            return
        try:
            check_dialable(to)
        except OutboundRefused as refusal:
            raise CommandRefused(refusal.code, str(refusal)) from None
        if not to.startswith(tuple(self._allowed_prefixes())):
            raise CommandRefused(
                "destination_not_allowed",
                "Calls may not be transferred there; allowed_dial_prefixes of the Twilio account say where they may.",
            )

    async def go(self, to: str, *, ring_s: int, max_s: int) -> None:
        """Put the caller through; raises `CommandRefused`, or `CarrierError`: then the call goes on here."""
        self.check(to)
        self._hourly.count(_now_s())
        self._dials += 1
        url = self._ways.dialled_url(self._dials)
        words = twiml.dial(to, caller_id=self._caller_id, ring_s=ring_s, time_limit_s=max_s, action_url=url)
        self._dial = _Dial(self._dials, ring_s + max_s)
        try:
            await self._away.send(words)
        except CarrierError:
            self._dial = None
            raise

    async def back(self) -> str:
        """Wait until the caller is back, and say how the dial ended. Where the two talked, the call ends instead."""
        dial = self._dial
        assert dial  # noqa: S101 - there was a `go`
        try:
            async with asyncio.timeout(dial.lasts_s / self._deadlines.speed + self._deadlines.claim_s):
                await dial.told.wait()
        except TimeoutError:  # whatever was to tell it is lost, and it is over
            self._end(EndReason.TRANSFERRED)
        await self._away.back(within_s=0)
        self._dial = None
        return dial.status

    def dialled(self, status: str, number: int) -> str | None:
        """How that dial ended, by its `DialCallStatus`: TwiML for what follows. None where it is not under way."""
        dial = self._dial
        if dial is None or dial.number != number:
            return None
        if not dial.told.is_set():
            dial.status = status
            dial.answer = twiml.hang_up() if status in ANSWERED else self._ways.back()
            dial.told.set()
            if status in ANSWERED:
                self._end(EndReason.TRANSFERRED)
        return dial.answer

    async def settle(self, reason: EndReason) -> EndReason:
        """Why the call ended, told why it did so here: perhaps its caller had only gone elsewhere."""
        await self._away.settled()
        dial = self._dial
        if dial is None or not self._away.busy or reason in _OUR_CHOICE:
            return reason
        if reason is EndReason.CALLER_HANGUP:
            await self._wait_told(dial)
            return EndReason.TRANSFERRED if dial.status in ANSWERED else reason
        if dial.told.is_set():
            return reason
        return EndReason.TRANSFERRED  # with whoever they talk to: what broke here is nothing to them

    async def _wait_told(self, dial: _Dial) -> None:
        try:
            async with asyncio.timeout(self._deadlines.carrier_s):
                await dial.told.wait()
        except TimeoutError:
            return


def _now_s() -> float:
    return asyncio.get_running_loop().time()
