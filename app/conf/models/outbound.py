"""Whom we may call, when, and how fast."""

from typing import Annotated

from pydantic import Field

from app.conf.models.base import DEFAULT, E164, Conf, RowName
from app.conf.models.hours import Span, Zone

Prefix = Annotated[
    str, Field(pattern=r"^\+[1-9][0-9]{0,14}$", description="How numbers begin, like +4144; or a whole one.")
]


class OutboundConf(Conf):
    """What calls that we place must keep to. Nobody is called before there is an allowed prefix."""

    allowed_prefixes: Annotated[list[Prefix], Field(max_length=1000)] = Field(default_factory=list)
    """Numbers that begin like one of these may be called; the prefix may be a whole number."""
    denied_prefixes: Annotated[list[Prefix], Field(max_length=1000)] = Field(default_factory=list)
    """Numbers that begin like one of these may not, whatever is allowed: +1 has dear islands like +1876."""
    account: RowName = DEFAULT
    """The row of section `twilio` whose account places the calls."""
    from_number: E164 | None = None
    """Shown to the callee where a request names no number of ours; without it, the only number that has a row."""
    calling_hours: Span = "08:00-21:00"
    """When people may be called, on their own clock; where their number fits several zones, on all of these clocks."""
    unknown_zone: Zone | None = None
    """The time zone of numbers that tell none (satellites, some free numbers); without it they are not called."""
    calls_per_second: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    """New calls of one account, by all servers together. More than Twilio grants only makes its own queue longer."""
    calls_at_once: Annotated[int, Field(ge=1, le=100_000)] = 20
    """Calls of one account that ring or go on, by all servers together."""
    most_queued: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Requests beyond these are refused."""
    ring_seconds: Annotated[int, Field(ge=5, le=600)] = 30
    """Given up after this, which is before most voicemails answer."""
