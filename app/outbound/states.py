"""Where a request for a call stands, and what Twilio's word for its call makes of that."""

from enum import StrEnum
from uuid import UUID

import msgspec


class OutboundState(StrEnum):
    QUEUED = "queued"
    DIALING = "dialing"
    """Twilio is being asked, or has been and does not ring yet."""
    RINGING = "ringing"
    LIVE = "live"
    ENDED = "ended"
    """Somebody answered, and the call is over."""
    REFUSED = "refused"
    """A rule was against it when its turn came."""
    FAILED = "failed"
    """Nobody answered, or it could not be placed; the reason says which."""
    CANCELED = "canceled"


UNDER_WAY = (OutboundState.DIALING, OutboundState.RINGING, OutboundState.LIVE)
_ORDER = (OutboundState.QUEUED, *UNDER_WAY)
_STEPS = {
    "queued": OutboundState.DIALING,
    "initiated": OutboundState.DIALING,
    "ringing": OutboundState.RINGING,
    "in-progress": OutboundState.LIVE,
}
_ENDS = {
    "completed": (OutboundState.ENDED, None),
    "busy": (OutboundState.FAILED, "busy"),
    "no-answer": (OutboundState.FAILED, "no_answer"),
    "failed": (OutboundState.FAILED, "call_failed"),
    "canceled": (OutboundState.CANCELED, "canceled_at_twilio"),
}


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A `CallStatus` of a call that we placed, by a callback or when Twilio was asked."""

    request_id: UUID
    attempt: int
    call_sid: str
    call_status: str
    """Empty where only somebody's picking up is told."""
    answered_by: str | None = None
    """`AnsweredBy`: a person, a machine, a fax, or unknown."""


def after(state: str, call_status: str) -> tuple[OutboundState, str | None] | None:
    """The state, and its reason, that follow from a `CallStatus`; None where it changes nothing.

    Callbacks come twice and in any order: a call never goes back, and one that is over stays so.
    """
    if state not in _ORDER:
        return None
    if end := _ENDS.get(call_status):
        return end
    step = _STEPS.get(call_status)
    return (step, None) if step and _ORDER.index(step) > _ORDER.index(OutboundState(state)) else None
