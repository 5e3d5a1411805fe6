"""What happens when a caller says nothing."""

from typing import Annotated

from pydantic import Field

from app.conf.models.base import Conf


class SilenceConf(Conf):
    """Asks again, then ends the call politely."""

    reprompt_seconds: Annotated[float, Field(ge=3, le=600)] = 20
    """So long nobody speaks and nothing is going on before the agent asks whether the caller is there."""
    reprompts: Annotated[int, Field(ge=0, le=10)] = 2
    """How often it asks, one after the other; after one more silence the call ends."""
