"""What follows when a caller was put through to another number: the end, or the way back to the agent."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from structlog.contextvars import bound_contextvars

from app.call.transfer import ANSWERED
from app.twilio import twiml
from app.web.deps import Services, services
from app.web.verified import Verified, Webhook
from app.web.voice import TwimlResponse, go_on, sorry

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
    call = house.calls.control(webhook.call_sid)
    if call and (words := call.dialled(status)):
        return words
    if status in ANSWERED or webhook.over:
        return twiml.hang_up()
    return await go_on(house, webhook, from_elsewhere=True)  # the call is not in this process, or is over here
