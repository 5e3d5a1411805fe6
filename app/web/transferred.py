"""What follows when a caller was put through to another number: the end, or the way back to the agent."""

import re
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from structlog.contextvars import bound_contextvars

from app.call.elsewhere.transfer import ANSWERED
from app.call.status import EndReason
from app.twilio import twiml
from app.web.deps import Services, services
from app.web.verified import Verified, Webhook
from app.web.voice import TwimlResponse, go_on, sorry
from app.web.ways import DIAL

_log = structlog.stdlib.get_logger(__name__)

router = APIRouter(prefix="/twilio", tags=["twilio"])


@router.get("/transferred", response_class=TwimlResponse)
@router.post("/transferred", response_class=TwimlResponse)
async def transferred(webhook: Verified, house: Annotated[Services, Depends(services)]) -> TwimlResponse:
    """A transfer is over: hang up where the two have talked, else let the caller go on with the agent."""
    with bound_contextvars(call_sid=webhook.call_sid):
        try:
            return TwimlResponse(await _follow(house, webhook))
        except Exception:  # the edge of a call: whatever is broken, the caller hears words and not Twilio's error
            _log.exception("call_not_resumable")
            return TwimlResponse(sorry(house, webhook))


async def _follow(house: Services, webhook: Webhook) -> str:
    status = webhook.fields.get("DialCallStatus", "")
    _log.info("transfer_over", status=status)
    gone = webhook.over and status not in ANSWERED
    if call := house.calls.control(webhook.call_sid):
        words = call.dialled(status, _number(webhook))
        if gone:
            call.end(EndReason.CALLER_HANGUP)
        if words is None:
            _log.warning("webhook_replayed")  # the caller is here, or elsewhere by another dial
        return twiml.hang_up() if gone else words or twiml.hang_up()
    if status in ANSWERED or gone:
        return twiml.hang_up()
    return await go_on(house, webhook, from_elsewhere=True)  # the call is not in this process, or is over here


def _number(webhook: Webhook) -> int:
    """Which of the call's dials it is, from the URL that we gave Twilio; 0 for none of them."""
    number = webhook.query.get(DIAL, "")
    return int(number) if re.fullmatch(r"[1-9][0-9]{0,3}", number) else 0
