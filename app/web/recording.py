"""What Twilio tells of a recording that it made."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException

from app.errors import Refused
from app.twilio.recordings import read_callback
from app.web.deps import Services, services
from app.web.verified import Verified

router = APIRouter(prefix="/twilio", tags=["twilio"])


@router.post("/recording", status_code=204)
async def recording(webhook: Verified, house: Annotated[Services, Depends(services)]) -> None:
    """A recording began, is ready, or will never be; what is said here is safe before we answer."""
    try:
        notice = read_callback(webhook.fields, agent=webhook.query.get("agent", ""))
    except Refused as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None
    await house.recording_told(notice)
