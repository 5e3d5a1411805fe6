"""Finds out what became of a request that Twilio was asked to place, or of a call that it fell silent about."""

from datetime import timedelta

import structlog
from sqlalchemy import func

from app.db.engine import db_session
from app.db.outbound import find_request
from app.db.outbound_pace import linked_sids
from app.db.tables import OutboundRequest
from app.jobs.context import JobContext
from app.jobs.outbound.outbound_news import save_progress
from app.outbound.states import OutboundState, Progress
from app.twilio.rest_calls import CallsRest, PlacedCall

CLOCKS = timedelta(seconds=10)
"""Twilio's clock may go before ours by this."""
GONE = "failed"
"""What a call counts as of which Twilio knows nothing any more."""

_log = structlog.stdlib.get_logger(__name__)


async def clear_up(context: JobContext, rest: CallsRest, request: OutboundRequest, *, most_attempts: int) -> None:
    """Ask Twilio; a request of which it has no call is queued again. Raises `CarrierApiError` where it cannot tell."""
    if request.call_sid:
        status = await rest.status(request.call_sid) or GONE
        await _save(context, request, request.call_sid, status)
    elif call := await _its_call(context, rest, request):
        _log.info("outbound_found", request=str(request.id), call_sid=call.sid)
        await _save(context, request, call.sid, call.status)
    else:
        await _again(context, request, most_attempts)


async def _its_call(context: JobContext, rest: CallsRest, request: OutboundRequest) -> PlacedCall | None:
    """The first call between the two numbers since the request was dialled that is no other request's."""
    assert request.dialed_at  # noqa: S101 - nobody is unsure of what was not dialled
    found = await rest.between(request.to_number, request.from_number, request.dialed_at - CLOCKS)
    async with db_session(context.engine) as db:
        taken = await linked_sids(db, [call.sid for call in found])
    return next((call for call in found if call.sid not in taken), None)


async def _save(context: JobContext, request: OutboundRequest, call_sid: str, status: str) -> None:
    news = Progress(request_id=request.id, attempt=request.attempts, call_sid=call_sid, call_status=status)
    await save_progress(context.engine, context.conf, news)


async def _again(context: JobContext, request: OutboundRequest, most_attempts: int) -> None:
    async with db_session(context.engine) as db:
        row = await find_request(db, request.id, lock=True)
        if row is None or row.call_sid or row.state != OutboundState.DIALING or row.attempts != request.attempts:
            return  # somebody has heard of it meanwhile
        if row.attempts < most_attempts:
            row.state = OutboundState.QUEUED
            return
        row.state, row.reason, row.ended_at = OutboundState.FAILED, "twilio_unreachable", func.now()
        row.detail = f"Twilio did not say what became of {row.attempts} tries, and has no such call."
