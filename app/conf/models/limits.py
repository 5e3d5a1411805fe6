"""How much is too much."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from app.conf.models.base import Conf

Count = Annotated[int, Field(ge=1, le=100_000)]


class LimitsConf(Conf):
    """What callers may use up. Null takes a limit away. So far calls are held to `MAX_CALLS` only, and not to these."""

    calls: Count | None = None
    """At once, all together; without it `MAX_CALLS`."""
    calls_per_agent: Count | None = None
    """At once."""
    calls_per_caller: Count | None = 3
    """At once, from one number. Callers who hide their number are not told apart, and are not counted here."""
    calls_per_caller_per_minute: Count | None = 10
    """New ones from one number, within any minute."""
    spend_usd_per_day: Annotated[Decimal, Field(ge=0, le=1_000_000)] | None = None
    """For the model, by our prices, in one day of UTC; over it, no new call is answered."""
