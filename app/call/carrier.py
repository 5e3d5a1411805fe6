"""What a call asks of whoever carries it."""

from typing import Protocol


class Carrier(Protocol):
    """Ends and redirects phone calls. Both methods raise `CarrierError` when the carrier does not do it."""

    async def hang_up(self, call_sid: str) -> None:
        """End the call; a call that is over already is fine."""

    async def redirect(self, call_sid: str, twiml: str) -> None:
        """Let the call go on with that TwiML; this ends its stream."""
