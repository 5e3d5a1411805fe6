"""What may be done to a live call from outside."""

from typing import Protocol

from app.call.status import EndReason


class CallControl(Protocol):
    """A live call, for whoever found it in the registry. Nothing here raises: a call that is over changes no more."""

    def end(self, reason: EndReason) -> None:
        """End the call; whoever says so first is believed."""

    async def pause_recording(self) -> bool:
        """Keep nothing of what is said from here on; False where nothing was being recorded."""

    async def resume_recording(self) -> bool:
        """Keep it again; False where the recording was not paused."""
