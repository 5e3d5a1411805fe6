"""Who picked up a call that we placed, and what is done about a machine: the carrier says so while the agent talks."""

from collections.abc import Callable

import structlog

from app.call.actions import TellModel
from app.call.bridge import Bridge
from app.call.carrier import Carrier
from app.call.commands import Outcome
from app.call.events import Kind
from app.call.status import EndReason
from app.conf.models import MachinePolicy
from app.errors import CarrierError, CommandRefused
from app.outbound.answered import Do, message_of, what_to_do

A_MACHINE = (
    "An answering machine has picked up, and no person. What you say from here on is recorded as a message: "
    "say in a few sentences who calls and why, ask no questions, and end the call."
)

_log = structlog.get_logger(__name__)


class Pickup:
    """One live call's part in that: the first word of the carrier counts."""

    def __init__(
        self,
        policy: MachinePolicy,
        language: str,
        *,
        bridge: Bridge,
        carrier: Carrier,
        call_sid: str,
        note: Callable[..., None],
    ) -> None:
        self._policy = policy
        self._language = language
        self._bridge = bridge
        self._carrier = carrier
        self._call_sid = call_sid
        self._note = note
        self._done: Do | None = None

    async def hear(self, answered_by: str) -> Outcome:
        """Do what the agent wants done; raises `CommandRefused` while there is no agent who could be told."""
        if self._done is not None:
            return "unchanged"
        self._done = do = what_to_do(self._policy, answered_by)
        if do is Do.TELL_MODEL and not await self._bridge.perform([TellModel(A_MACHINE, "system", respond=False)]):
            self._done = None
            raise CommandRefused("not_ready", "The call has no agent at this moment.")
        self._note(Kind.ANSWERED_BY, answered_by=answered_by, action=do)
        if do in {Do.HANG_UP, Do.LEAVE_MESSAGE}:
            self._bridge.end(EndReason.VOICEMAIL)
        return "done"

    async def leave(self) -> None:
        """End the line to a machine, with the message where it gets one; raises `CarrierError`."""
        if self._done is Do.LEAVE_MESSAGE:
            try:
                await self._carrier.redirect(self._call_sid, message_of(self._policy, self._language))
            except CarrierError as error:
                _log.warning("message_not_left", error=str(error))
            else:
                return
        await self._carrier.hang_up(self._call_sid)
