"""What the web needs for calls that we place."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.outbound.states import Progress
from app.outbound.tokens import OutboundTokens


@dataclass(frozen=True, slots=True)
class Outbound:
    """How webhooks know their request, who hears what they say of it, and who dials."""

    tokens: OutboundTokens
    told: Callable[[Progress], Awaitable[None]]
    """Keeps what Twilio says of a call; raises `DatabaseError` where it can be kept nowhere."""
    stir: Callable[[], None]
    """A request has come."""
