"""What a call asks of whoever carries it."""

from typing import Protocol


class Carrier(Protocol):
    """Ends and redirects phone calls, and keeps its own recordings. All raise `CarrierError` when it does not do it."""

    async def hang_up(self, call_sid: str) -> None:
        """End the call; a call that is over already is fine."""

    async def redirect(self, call_sid: str, twiml: str) -> None:
        """Let the call go on with that TwiML; this ends its stream."""

    async def pause_recording(self, call_sid: str) -> None:
        """Let the carrier's own recording of the call have silence from here on."""

    async def resume_recording(self, call_sid: str) -> None:
        """Let the carrier's own recording of the call go on."""

    async def stop_recording(self, call_sid: str) -> None:
        """End the carrier's own recording of the call for good; where none runs it is fine."""
