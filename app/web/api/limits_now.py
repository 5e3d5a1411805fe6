"""How close the calls of this process are to their limits."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from app.call.admission import Limit
from app.web.api.auth import Reader
from app.web.api.routing import api_router
from app.web.api.row_routes import House

router = api_router("operations")


class SpendNow(BaseModel):
    """What models have cost today, by our prices."""

    day: Annotated[date, Field(description="Of UTC.")]
    usd: float
    limit_usd: float | None
    read_at: Annotated[
        datetime | None,
        Field(description="When the spend of all servers was last read; null where only this server's is known."),
    ]


class LimitsNow(BaseModel):
    """How things stand on the server that answers; each counts its own calls. The spend is that of all of them."""

    calls: Annotated[int, Field(description="Live, or answered and about to be.")]
    calls_limit: Annotated[int, Field(description="The smaller of `calls` and the server's `MAX_CALLS`.")]
    calls_by_agent: dict[str, int]
    most_calls_of_one_caller: int
    calls_last_minute: Annotated[int, Field(description="New ones; without those that we placed.")]
    spend: SpendNow
    refused: Annotated[dict[Limit, int], Field(description="Calls turned away since the server began, by limit.")]


@router.get("/limits/now")
async def get_limits_now(house: House, _: Reader) -> LimitsNow:
    """How many calls there are, what was spent today, and how many callers each limit has turned away."""
    now = datetime.now(UTC)
    limits, admission = house.conf.limits(), house.admission
    count = admission.count(now)
    most_usd = limits.spend_usd_per_day
    return LimitsNow(
        calls=count.calls,
        calls_limit=min(admission.max_calls, limits.calls or admission.max_calls),
        calls_by_agent=count.by_agent,
        most_calls_of_one_caller=count.most_of_one_caller,
        calls_last_minute=count.last_minute,
        spend=SpendNow(
            day=now.date(),
            usd=round(float(count.spent_usd), 6),
            limit_usd=None if most_usd is None else float(most_usd),
            read_at=admission.spend.read_at,
        ),
        refused={limit: admission.refused[limit] for limit in Limit},
    )
