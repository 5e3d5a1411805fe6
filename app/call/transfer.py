"""Handing a caller over to another number: whether that may be, and what became of it."""

import asyncio
from collections.abc import Callable, Sequence

from app.call.carrier import Carrier
from app.call.record import CallRecord
from app.call.status import EndReason
from app.errors import CarrierError, CommandRefused, OutboundRefused
from app.outbound.rules import check_dialable
from app.twilio import twiml

_STREAM_ENDED = frozenset({EndReason.CALLER_HANGUP, EndReason.STREAM_LOST})


class Transfer:
    """One call's way to other numbers. The stream ends with a transfer, and that is no hang-up.

    A number is never dialled unless its prefix is allowed or it is one of the call's own fallback numbers.
    """

    def __init__(
        self,
        carrier: Carrier,
        record: CallRecord,
        *,
        allowed_prefixes: Callable[[], Sequence[str]],
        fallback_numbers: frozenset[str],
        time_limit_s: int,
        within_s: float,
    ) -> None:
        self._carrier = carrier
        self._call_sid = record.call_sid
        ours = record.to_number if record.direction == "inbound" else record.from_number
        self._caller_id = ours if ours.startswith("+") else None
        self._allowed_prefixes = allowed_prefixes
        self._fallback_numbers = fallback_numbers
        self._time_limit_s = time_limit_s
        self._within_s = within_s
        self._request: asyncio.Task[None] | None = None

    def check(self, to: str) -> None:
        """Raise `CommandRefused` where the call may not be forwarded to that number, or is being forwarded already."""
        if self._request and not self._request.done():
            raise CommandRefused("transfer_under_way", "The call is being transferred already.")
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

    async def go(self, to: str) -> None:
        """Forward the caller; raises `CarrierError` where the carrier does not, and then the call goes on here."""
        self._request = asyncio.create_task(self._redirect(to), name="transfer")
        await asyncio.shield(self._request)  # whoever wanted it may go away: what was asked of the carrier stands

    async def settle(self, reason: EndReason) -> EndReason:
        """Why the call ended here, told why its stream did: perhaps it had only gone elsewhere."""
        if self._request is None:
            return reason
        try:
            await self._request
        except CarrierError:
            return reason
        return EndReason.TRANSFERRED if reason in _STREAM_ENDED else reason

    async def _redirect(self, to: str) -> None:
        words = twiml.dial(to, caller_id=self._caller_id, time_limit_s=self._time_limit_s)
        try:
            async with asyncio.timeout(self._within_s):
                await self._carrier.redirect(self._call_sid, words)
        except TimeoutError:
            raise CarrierError("the carrier did not answer in time") from None
