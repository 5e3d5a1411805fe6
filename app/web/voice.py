"""Twilio's webhooks: how a call is answered, what follows a lost stream, and what Twilio reports."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Depends, Request, Response
from structlog.contextvars import bound_contextvars

from app.call.status import EndReason
from app.conf.models import AgentConf
from app.db.ids import uuid7
from app.outbound.tokens import PARAMETER
from app.twilio import twiml
from app.twilio.recordings import callback_url
from app.twilio.tokens import Ticket
from app.web.answerer import Closed, answerer, resumer
from app.web.deps import Services, services
from app.web.filled import Filled, filled
from app.web.ladder import apology, bare_apology, closed_words
from app.web.line import Line
from app.web.placed import is_placed, placed_word, report, talker, ticket_of, variables_of
from app.web.turned_away import place_for
from app.web.verified import Verified, Webhook, unverified_number, verified

MAX_RECONNECTS = 2
SPOKEN_BYTES_A_SECOND = 12
"""Twilio's voices are hardly slower than this; a character of a script that is read more slowly has several bytes."""
_STREAM_BROKE = frozenset({None, EndReason.STREAM_LOST, EndReason.ERROR})
_MODEL_FAILED = frozenset({EndReason.MODEL_UNAVAILABLE, EndReason.MODEL_LOST})
_SEEMED_GONE = frozenset({EndReason.TRANSFERRED, EndReason.CALLER_HANGUP})

_log = structlog.stdlib.get_logger(__name__)
_House = Annotated[Services, Depends(services)]

router = APIRouter(prefix="/twilio", tags=["twilio"])


class TwimlResponse(Response):
    media_type = "text/xml"


@router.get("/voice", response_class=TwimlResponse)
@router.post("/voice", response_class=TwimlResponse)
async def voice(webhook: Verified, house: _House) -> TwimlResponse:
    """A call comes in: answer it with the agent of the called number."""
    with bound_contextvars(call_sid=webhook.call_sid):
        try:
            return TwimlResponse(await _answer(house, webhook))
        except Exception:  # the edge of a call: whatever is broken, the caller hears words and not Twilio's error
            _log.exception("call_not_answerable")
            return TwimlResponse(sorry(house, webhook))


@router.get("/after", response_class=TwimlResponse)
@router.post("/after", response_class=TwimlResponse)
async def after(webhook: Verified, house: _House) -> TwimlResponse:
    """A stream ended without us: connect a new one, or say goodbye."""
    with bound_contextvars(call_sid=webhook.call_sid):
        try:
            return TwimlResponse(await go_on(house, webhook))
        except Exception:  # the edge of a call, as above
            _log.exception("call_not_resumable")
            return TwimlResponse(sorry(house, webhook, attempt=_attempt(webhook)))


@router.get("/fallback", response_class=TwimlResponse)
@router.post("/fallback", response_class=TwimlResponse)
async def fallback(request: Request, house: _House) -> TwimlResponse:
    """Twilio could not use our answer: apologise, with whatever we still know. Needs no configuration at all."""
    if not house.conf.loaded:
        return TwimlResponse(bare_apology(await unverified_number(request)))
    webhook = await verified(request)
    _log.error("twilio_fallback", call_sid=webhook.call_sid, code=webhook.fields.get("ErrorCode"))
    return TwimlResponse(sorry(house, webhook, attempt=MAX_RECONNECTS + 1))


@router.post("/status", status_code=204)
async def status(webhook: Verified, house: _House) -> None:
    """A phone call changed its status; one that is over ends here too, even when its stream said nothing."""
    call_status = webhook.fields.get("CallStatus", "")
    _log.info("call_status", call_sid=webhook.call_sid, status=call_status)
    if webhook.over:
        house.lobby.dismiss(webhook.call_sid)
        house.precalls.forget(webhook.call_sid)
        house.calls.end(webhook.call_sid, EndReason.CALLER_HANGUP)
    await report(house, webhook)


@router.post("/stream-status", status_code=204)
async def stream_status(webhook: Verified) -> None:
    """A media stream started, stopped or failed; only failures are of interest."""
    if webhook.fields.get("StreamEvent") == "stream-error":
        _log.warning("stream_error", call_sid=webhook.call_sid, error=webhook.fields.get("StreamError"))


async def _answer(house: Services, webhook: Webhook) -> str:
    if settled := _settled(house, webhook):
        return settled
    line = webhook.line
    if is_placed(webhook):
        return await _answer_placed(house, webhook, line)
    found = answerer(house.conf, line.ours, datetime.now(UTC))
    if found is None:
        _log.warning("call_rejected", reason="no agent for this number, and no row number/default")
        return twiml.reject("rejected")
    if isinstance(found, Closed):
        _log.info("call_while_closed")
        return closed_words(house.conf, found, line, public_url=house.public_url)
    with place_for(house, found, line) as refusal:
        if refusal:
            return refusal
        call = await filled(house, found, line)
        return _settled(house, webhook) or _connect(house, webhook, call, attempt=0)  # much may happen while we ask


async def _answer_placed(house: Services, webhook: Webhook, line: Line) -> str:
    ticket = ticket_of(house, webhook)
    if ticket is None:
        return sorry(house, webhook)
    found = talker(house.conf, ticket, line)
    with place_for(house, found, line):
        call = await filled(house, found, line, await variables_of(house, ticket))
        return _settled(house, webhook) or _connect(house, webhook, call, attempt=0)


def _settled(house: Services, webhook: Webhook) -> str | None:
    """What this call is answered whoever it is for, if that is so: the same again, or that it cannot be taken."""
    if again := house.lobby.answer(webhook.call_sid):
        return again
    if house.calls.is_live(webhook.call_sid) or house.calls.ended(webhook.call_sid):
        _log.warning("webhook_replayed")
        return twiml.hang_up()
    if house.calls.draining and not is_placed(webhook):  # whom we called is not turned away
        _log.warning("call_turned_away", draining=True, live=house.calls.live_count)
        return twiml.reject("busy")
    return None


async def go_on(house: Services, webhook: Webhook, *, from_elsewhere: bool = False) -> str:
    """What a call without a stream goes on with; perhaps it comes `from_elsewhere`, where it had been put through."""
    attempt = _attempt(webhook)
    if again := house.lobby.answer(webhook.call_sid, attempt):
        return again
    if webhook.over:
        return twiml.hang_up()
    house.calls.end(webhook.call_sid, EndReason.STREAM_LOST)  # where Twilio noticed before we did
    async with asyncio.timeout(house.deadlines.carrier_s):
        await house.calls.wait_over(webhook.call_sid)
    ended = house.calls.ended(webhook.call_sid)
    if ended not in _STREAM_BROKE | _MODEL_FAILED and not (from_elsewhere and ended in _SEEMED_GONE):
        return twiml.hang_up()
    line = webhook.line
    ticket = ticket_of(house, webhook)
    found = talker(house.conf, ticket, line) if ticket else resumer(house.conf, line.ours, datetime.now(UTC))
    if found is None or ended in _MODEL_FAILED or attempt > MAX_RECONNECTS:
        return sorry(house, webhook, attempt=attempt)
    _log.warning("stream_reconnecting", attempt=attempt)
    call = await filled(house, found, line, await variables_of(house, ticket) if ticket else None)
    return house.lobby.answer(webhook.call_sid, attempt) or _connect(house, webhook, call, attempt=attempt)


def sorry(house: Services, webhook: Webhook, *, attempt: int = 0) -> str:
    """The apology for that call; it has had `attempt` streams at the most."""
    given = house.precalls.told(webhook.call_sid).variables
    return apology(house.conf, webhook.line, given, public_url=house.public_url, attempt=attempt)


def _attempt(webhook: Webhook) -> int:
    """Which reconnection this is, from the URL that we gave Twilio; anything else counts as one too many."""
    attempt = webhook.query.get("attempt", "")
    return int(attempt) if attempt in {str(n) for n in range(1, MAX_RECONNECTS + 1)} else MAX_RECONNECTS + 1


def _connect(house: Services, webhook: Webhook, call: Filled, *, attempt: int) -> str:
    found, line = call.answerer, webhook.line
    ticket = Ticket(
        call_id=str(uuid7()),
        call_sid=webhook.call_sid,
        account_sid=webhook.account_sid,
        from_number=line.caller,
        to_number=line.called,
        agent=found.name,
        agent_version=found.version,
        fallback_number=found.fallback_number,
        attempt=attempt,
        variables=dict(call.variables),
        variables_missing=call.missing,
        precall_failed=call.failed,
        direction=line.direction,
        placed=placed_word(house, webhook),
    )
    first_words = found.agent.recording.announced if attempt == 0 else None  # who was told is not told again
    answer = twiml.connect_stream(
        stream_url=house.stream_url,
        parameters=house.tokens.mint(ticket),
        language=found.agent.language,
        apology=found.agent.apology,
        fallback_number=found.fallback_number,
        after_url=_after_url(house, webhook, attempt + 1),
        recording_callback=_recording_callback(house, webhook, found.agent, attempt),
        first_words=first_words,
    )
    speaking_s = len((first_words or "").encode()) / SPOKEN_BYTES_A_SECOND / house.deadlines.speed
    house.lobby.expect(
        webhook.call_sid, found.agent, found.version, answer=answer, attempt=attempt, speaking_s=speaking_s
    )
    _log.info("call_answered", call=ticket.call_id, agent=found.name, to=ticket.to_number)
    return answer


def _after_url(house: Services, webhook: Webhook, attempt: int) -> str:
    placed = f"&{PARAMETER}={quote(webhook.query[PARAMETER])}" if is_placed(webhook) else ""
    return f"{house.public_url}/twilio/after?attempt={attempt}{placed}"


def _recording_callback(house: Services, webhook: Webhook, agent: AgentConf, attempt: int) -> str | None:
    """Where Twilio reports its recording, if one is to begin here; what began earlier goes on in later streams."""
    ticket = ticket_of(house, webhook)
    begins = agent.recording.twilio and attempt == 0 and not (ticket and ticket.recorded)
    return callback_url(house.public_url or "") if begins else None
