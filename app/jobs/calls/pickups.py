"""What follows when Twilio says who picked up: told to the live call, wherever it is carried; else done without it."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.carrier import Carrier
from app.call.commands import PickedUp
from app.call.registry import Registry
from app.call.status import EndReason
from app.db.audit import Actor
from app.db.calls import find_call
from app.db.engine import db_session
from app.errors import CallNotLive, CallSilent, CallUnknown, CommandRefused, DatabaseError, ParleyError
from app.jobs.calls.commands import CallCommands
from app.outbound.answered import Answered, Do, message_of, what_to_do

STREAM_S = 6.0
"""The stream may come so much later than Twilio's word, as behind a consent line."""
AGAIN_S = 0.25
DATABASE_S = 1.0
BY = "Twilio"

_GOES_ON = frozenset({None, EndReason.STREAM_LOST})
"""How a call of this process may have ended and still have another stream."""

_log = structlog.stdlib.get_logger(__name__)


class Pickups:
    """Brings Twilio's word to live calls; what is said twice, or of a call that is over, changes nothing."""

    def __init__(
        self,
        engine: AsyncEngine,
        registry: Registry,
        commands: CallCommands,
        carrier: Callable[[str], Carrier],
        *,
        stream_s: float = STREAM_S,
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._commands = commands
        self._carrier = carrier
        self._stream_s = stream_s

    async def take(self, answered: Answered) -> None:
        """Let what is due follow, within seconds; never raises."""
        try:
            if not await self._told_within(answered):
                await self._do_without_stream(answered)
        except Exception:  # the edge of a call: Twilio's word is in the log, and the agent talks on
            _log.exception("pickup_not_heard", call_sid=answered.call_sid)

    async def _told_within(self, answered: Answered) -> bool:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._stream_s
        while not await self._told(answered):
            if loop.time() >= until_s:
                return False
            await asyncio.sleep(AGAIN_S)
        return True

    async def _told(self, answered: Answered) -> bool:
        """Whether the call knows it now, or need not."""
        command = PickedUp(answered.answered_by)
        try:
            if control := self._registry.control(answered.call_sid):
                await control.obey(command, BY)
                return True
            if self._registry.ended(answered.call_sid) not in _GOES_ON:
                return True
            call_id = await self._elsewhere(answered.call_sid)
            if call_id is None:
                return False
            await self._commands.order(call_id, command, Actor(BY, None))
        except (CallNotLive, CallSilent) as error:
            _log.info("pickup_too_late", call_sid=answered.call_sid, reason=str(error))
        except CommandRefused as refused:
            return refused.code != "not_ready"
        except (CallUnknown, DatabaseError, TimeoutError):
            return False
        return True

    async def _elsewhere(self, call_sid: str) -> UUID | None:
        """The call that another process carries."""
        async with asyncio.timeout(DATABASE_S), db_session(self._engine) as db:
            call = await find_call(db, call_sid)
        return UUID(call.id) if call and call.end_reason in _GOES_ON else None

    async def _do_without_stream(self, answered: Answered) -> None:
        """Nobody carries the call, as far as anybody can tell: the line to a machine is ended all the same."""
        do = what_to_do(answered.policy, answered.answered_by)
        _log.warning("pickup_without_stream", call_sid=answered.call_sid, answered_by=answered.answered_by, action=do)
        try:
            carrier = self._carrier(answered.account_sid)
            if do is Do.LEAVE_MESSAGE:
                await carrier.redirect(answered.call_sid, message_of(answered.policy, answered.language))
            elif do is Do.HANG_UP:
                await carrier.hang_up(answered.call_sid)
        except ParleyError as error:
            _log.warning("carrier_refused", call_sid=answered.call_sid, reason=str(error))
