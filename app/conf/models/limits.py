"""How much is too much."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from app.conf.models.base import Conf

Count = Annotated[int, Field(ge=1, le=100_000)]


class LimitsConf(Conf):
    """What callers may use up. Null takes a limit away.

    Each server counts the calls that it carries; what the model costs is that of all servers together. Whoever is over
    a limit is not answered; calls that we place are counted, and never turned away.
    """

    calls: Count | None = None
    """At once, all together; without it `MAX_CALLS`."""
    calls_per_agent: Count | None = None
    """At once."""
    calls_per_caller: Count | None = 3
    """At once, from one number. Callers who hide their number are not told apart, and are not counted here."""
    calls_per_caller_per_minute: Count | None = 10
    """New ones from one number, within any minute."""
    calls_per_minute: Count | None = None
    """New ones, all together, within any minute."""
    transfers_per_hour: Count | None = 100
    """Of live calls to other numbers, all together, within any hour."""
    spend_usd_per_day: Annotated[Decimal, Field(ge=0, le=1_000_000)] | None = Decimal(100)
    """For the model, by our prices, in one day of UTC; over it, no new call is answered."""
    spoken: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """What a caller over a limit is told; without it, the line is busy."""
