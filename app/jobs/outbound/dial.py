"""Places the calls that were asked for: one at a time for each account, whatever number of processes try to.

A turn is taken in the database, and only then is Twilio asked. Whoever dies in between, or hears no answer, leaves
a request behind of which nobody knows whether it became a call: `unsure` finds that out before anybody asks again.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import db_session
from app.db.opt_outs import find_opt_out
from app.db.outbound import find_request
from app.db.outbound_pace import take_turn, take_unsure, use_turn, waiting_accounts
from app.db.tables import OutboundRequest
from app.errors import CarrierApiError, ConfError, DatabaseError, OutboundRefused
from app.jobs.context import JobContext
from app.jobs.outbound.dial_form import dial_form
from app.jobs.outbound.unsure import clear_up
from app.outbound.rules import Refusal, check_hours, check_number, choose_caller
from app.outbound.states import OutboundState
from app.outbound.tokens import OutboundTokens
from app.twilio.rest import TwilioRest
from app.twilio.rest_calls import CallsRest

LOOK_S = 2.0
"""How often a process looks for what others left, and what has to wait."""
DIALING_S, SILENT_S = 15.0, 60.0
"""Twilio is asked after a call that it has not answered for, or told of, for so long."""
BUSY_S = 5.0
"""Twilio asked us to be slower."""
MOST_ATTEMPTS = 3

_log = structlog.stdlib.get_logger(__name__)


class Dialer:
    """Takes requests from the queue at the account's pace, as long as this process has room for their calls."""

    def __init__(
        self,
        context: JobContext,
        public_url: str,
        tokens: OutboundTokens,
        *,
        has_room: Callable[[], bool],
        dialing_s: float = DIALING_S,
        silent_s: float = SILENT_S,
    ) -> None:
        self._context = context
        self._public_url = public_url
        self._tokens = tokens
        self._has_room = has_room
        self._limits_s = (dialing_s, silent_s)
        self._stirred = asyncio.Event()

    def stir(self) -> None:
        """A request has come: look at once."""
        self._stirred.set()

    async def run(self) -> None:
        """Dial until cancelled, however often the database goes and comes back."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._stirred.clear()
                wait_s = LOOK_S
                try:
                    wait_s = min([LOOK_S, *[await self._turn(group, each) for each in await self._accounts()]])
                    await self._clear_up()
                except DatabaseError as error:
                    _log.debug("dialer_waits", reason=str(error))
                if wait_s > 0:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):  # `wait_for` of 3.11 would lose a cancellation here
                            await self._stirred.wait()

    async def _accounts(self) -> list[str]:
        async with db_session(self._context.engine) as db:
            return list(await waiting_accounts(db)) if self._has_room() else []

    async def _turn(self, group: asyncio.TaskGroup, account: str) -> float:
        """Dial whoever is next; in how many seconds to look again."""
        conf = self._context.conf.outbound()
        async with db_session(self._context.engine) as db:
            turn = await take_turn(db, account, at_once=conf.calls_at_once)
            if turn.request is None:
                return LOOK_S if turn.wait_s is None else turn.wait_s
            dials = await self._passes(db, turn.request)
            if dials:
                await use_turn(db, account, 1 / conf.calls_per_second)
        if dials:
            group.create_task(self._dial(turn.request), name="dial")
        return 0.0

    async def _passes(self, db: AsyncSession, request: OutboundRequest) -> bool:
        """Check everything once more: the request may have waited for hours. One that fails is refused, or waits."""
        try:
            await self._check(db, request)
        except OutboundRefused as refused:
            _log.info("outbound_not_dialed", request=str(request.id), code=refused.code)
            if request.wait_for_hours and refused.next_at:
                request.not_before = refused.next_at
            else:
                request.state, request.ended_at = OutboundState.REFUSED, func.now()
                request.reason, request.detail = refused.code, str(refused)
            return False
        request.state, request.attempts = OutboundState.DIALING, request.attempts + 1
        request.dialed_at, request.checked_at = func.clock_timestamp(), None
        await db.flush()
        await db.refresh(request)
        return True

    async def _check(self, db: AsyncSession, request: OutboundRequest) -> None:
        conf, store = self._context.conf.outbound(), self._context.conf
        check_number(request.to_number, conf)
        choose_caller(request.from_number, conf, store.own_numbers())
        if await find_opt_out(db, request.to_number):
            raise OutboundRefused(Refusal.ON_DO_NOT_CALL_LIST, "The number is on the do-not-call list.")
        check_hours(request.to_number, conf, datetime.now(UTC))
        try:
            store.agent(request.agent)
        except ConfError as error:
            raise OutboundRefused(Refusal.AGENT_MISSING, str(error)) from None
        try:
            store.twilio(request.account)
        except ConfError as error:
            raise OutboundRefused(Refusal.NO_ACCOUNT, str(error)) from None

    async def _dial(self, request: OutboundRequest) -> None:
        with structlog.contextvars.bound_contextvars(request=str(request.id), attempt=request.attempts):
            try:
                agent, conf = self._context.conf.agent(request.agent), self._context.conf.outbound()
                form = dial_form(request, agent, conf, public_url=self._public_url, tokens=self._tokens)
                placed = await self._rest(request.account).place(form)
                _log.info("outbound_dialed", call_sid=placed.sid, to=request.to_number, agent=request.agent)
                await self._note(request, placed.sid)
            except CarrierApiError as error:
                await self._refused(request, error)
            except DatabaseError as error:
                _log.warning("outbound_not_noted", reason=str(error))  # callbacks tell of the call, or `clear_up` does
            except Exception:  # a job run: the others are dialled all the same
                _log.exception("dial_broke")

    async def _refused(self, request: OutboundRequest, error: CarrierApiError) -> None:
        if error.status is None or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning("outbound_unsure", reason=str(error))  # there may be a call: `clear_up` will know
            return
        _log.warning("outbound_refused_by_twilio", reason=str(error))
        with contextlib.suppress(DatabaseError):
            async with db_session(self._context.engine) as db:
                row = await find_request(db, request.id, lock=True)
                if row is None or row.state != OutboundState.DIALING or row.attempts != request.attempts:
                    return
                if error.status == HTTPStatus.TOO_MANY_REQUESTS:  # it is Twilio's pace, and not this request, at fault
                    row.state, row.attempts = OutboundState.QUEUED, row.attempts - 1
                    await use_turn(db, row.account, BUSY_S)
                else:
                    row.state, row.ended_at = OutboundState.FAILED, func.now()
                    row.reason, row.detail = "refused_by_twilio", str(error)

    async def _note(self, request: OutboundRequest, call_sid: str) -> None:
        async with db_session(self._context.engine) as db:
            row = await find_request(db, request.id, lock=True)
            if row and row.call_sid is None:  # callbacks may be faster than the answer
                row.call_sid = call_sid

    async def _clear_up(self) -> None:
        dialing_s, silent_s = self._limits_s
        async with db_session(self._context.engine) as db:
            unsure = await take_unsure(db, dialing_s=dialing_s, silent_s=silent_s)
        for request in unsure:
            try:
                await clear_up(self._context, self._rest(request.account), request, most_attempts=MOST_ATTEMPTS)
            except (CarrierApiError, ConfError) as error:
                _log.warning("outbound_still_unsure", request=str(request.id), reason=str(error))

    def _rest(self, account: str) -> CallsRest:
        found = self._context.conf.twilio(account)
        rest = TwilioRest(
            self._context.http,
            found,
            base_url=self._context.twilio_api_base_url,
            carrier_s=self._context.deadlines.carrier_s,
        )
        return CallsRest(rest)
