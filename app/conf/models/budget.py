"""What one call may cost."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from app.conf.models.base import Conf

Dollars = Annotated[Decimal, Field(gt=0, le=10_000)]


class BudgetConf(Conf):
    """Limits for one call: the model, the caller's words written down, and the minutes on the line, by our prices.

    A call that goes on in another stream goes on counting, in the process that had it. What has no price does not
    count. The answer under way and the goodbye come on top of the hard limit.
    """

    soft_usd: Dollars | None = None
    """From here on the agent is asked to come to an end."""
    hard_usd: Dollars | None = None
    """Here the agent says goodbye and the call ends."""

    @model_validator(mode="after")
    def _in_order(self) -> "BudgetConf":
        if self.soft_usd is not None and self.hard_usd is not None and self.soft_usd > self.hard_usd:
            raise ValueError("soft_usd is above hard_usd")
        return self
