"""A caller may leave a message: what follows the apology where there is no fallback number, or nobody answers there."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Depends, Response
from structlog.contextvars import bound_contextvars

from app.call.journal.voicemail import VoicemailLeft
from app.call.record import CallRecord
from app.call.status import CallStatus, EndReason
from app.conf.models import AgentConf, fill, phrases
from app.db.ids import uuid7
from app.errors import ConfError
from app.twilio import twiml
from app.twilio.recordings import CALLBACK_PATH, RECORDING_SID
from app.web.deps import Services, services
from app.web.line import values
from app.web.verified import Verified, Webhook

TALKED = frozenset({"completed", "answered"})
"""The `DialCallStatus` of a fallback number that took the call."""
LONGEST_S = 600
_LANGUAGE = "en-US"

_log = structlog.stdlib.get_logger(__name__)
_House = Annotated[Services, Depends(services)]

router = APIRouter(prefix="/twilio/voicemail", tags=["twilio"])


class _Twiml(Response):
    media_type = "text/xml"


@router.get("", response_class=_Twiml)
@router.post("", response_class=_Twiml)
async def offer(webhook: Verified, house: _House) -> _Twiml:
    """Let the caller leave a message, unless somebody has talked to them, or they have gone."""
    with bound_contextvars(call_sid=webhook.call_sid):
        try:
            return _Twiml(_offer(house, webhook))
        except Exception:  # the edge of a call: the apology has been heard
            _log.exception("voicemail_not_offered")
            return _Twiml(twiml.hang_up())


@router.get("/left", response_class=_Twiml)
@router.post("/left", response_class=_Twiml)
async def left(webhook: Verified, house: _House) -> _Twiml:
    """The caller has left a message: what is known of it is safe before they are thanked."""
    with bound_contextvars(call_sid=webhook.call_sid):
        try:
            if news := _news(house, webhook):
                await house.voicemail_left(news)
        except Exception:  # the edge of a call: the recording's own callback tells of it as well
            _log.exception("voicemail_not_noted")
        language = _language(house, webhook)
        return _Twiml(twiml.say_then(phrases(language).thanks, language=language, number=None))


def _offer(house: Services, webhook: Webhook) -> str:
    if webhook.over or webhook.fields.get("DialCallStatus") in TALKED:
        return twiml.hang_up()
    name, line = webhook.query.get("agent", ""), webhook.line
    agent = house.conf.agent(name)
    if agent.voicemail is None:  # it was taken away meanwhile
        return twiml.hang_up()
    given = house.precalls.told(webhook.call_sid).variables
    told, _ = fill(agent, values(line, house.conf.number(line.ours), name, agent, given))
    greeting = told.voicemail.greeting if told.voicemail else None
    known_by = urlencode({"agent": name, "attempt": _attempt(webhook), "call": str(uuid7())})
    _log.info("voicemail_offered", agent=name)
    return twiml.record_message(
        greeting or phrases(agent.language).leave_message,
        language=agent.language,
        max_seconds=agent.voicemail.max_seconds,
        action_url=f"{house.public_url}/twilio/voicemail/left?{known_by}",
        recording_callback=f"{house.public_url}{CALLBACK_PATH}?{urlencode({'agent': name})}",
    )


def _news(house: Services, webhook: Webhook) -> VoicemailLeft | None:
    """The message as a call; None for a request that tells of none."""
    recording_sid, call_id = webhook.fields.get("RecordingSid", ""), webhook.query.get("call", "")
    if not RECORDING_SID.fullmatch(recording_sid) or not call_id:
        _log.warning("voicemail_without_recording")
        return None
    name, line, now = webhook.query.get("agent", ""), webhook.line, datetime.now(UTC)
    call = CallRecord(
        id=call_id,
        call_sid=webhook.call_sid,
        account_sid=webhook.account_sid,
        from_number=line.caller,
        to_number=line.called,
        direction=line.direction,
        agent=name,
        agent_version=_version(house, name),
        started_at=now - timedelta(seconds=_seconds(webhook)),
        attempt=_attempt(webhook),
        status=CallStatus.ENDED,
        ended_at=now,
        end_reason=EndReason.VOICEMAIL,
        recording="on",
    )
    return VoicemailLeft(call=call, recording_sid=recording_sid)


def _seconds(webhook: Webhook) -> int:
    told = webhook.fields.get("RecordingDuration", "")
    return min(int(told), LONGEST_S) if told.isascii() and told.isdigit() else 0


def _attempt(webhook: Webhook) -> int:
    told = webhook.query.get("attempt", "")
    return int(told) if told in set("0123456789") else 0


def _version(house: Services, name: str) -> int:
    try:
        return house.conf.agent_version(name)
    except ConfError:
        return 0


def _language(house: Services, webhook: Webhook) -> str:
    try:
        agent: AgentConf = house.conf.agent(webhook.query.get("agent", ""))
    except ConfError:
        return _LANGUAGE
    return agent.language
