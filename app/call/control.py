"""What may be done to a live call from outside."""

from typing import Protocol

from app.call.commands import Command, Outcome
from app.call.socket import StreamSocket
from app.call.status import EndReason


class CallControl(Protocol):
    """A live call, for whoever found it in the registry. A call that is over changes no more."""

    def end(self, reason: EndReason) -> None:
        """End the call; whoever says so first is believed."""

    @property
    def leaving(self) -> bool:
        """Whether its caller is elsewhere, so that another stream may come."""

    async def rejoin(self, socket: StreamSocket, stream_sid: str) -> None:
        """Go on in that stream, and return when it is needed no more; raises `Refused` where none is awaited."""

    def dialled(self, status: str, number: int) -> str | None:
        """How the call's transfer of that number, from 1, went, by its `DialCallStatus`: TwiML for what follows.

        None where it is not under way.
        """

    async def obey(self, command: Command, by: str) -> Outcome:
        """Do what somebody outside wants, named in the journal; raises `CommandRefused`, and then nothing was done."""

    async def pause_recording(self) -> bool:
        """Keep nothing of what is said from here on; False where nothing was being recorded."""

    async def resume_recording(self) -> bool:
        """Keep it again; False where the recording was not paused."""
