"""What happens when a caller says nothing."""

from typing import Annotated

from pydantic import Field

from app.conf.models.base import Conf


class SilenceConf(Conf):
    """Asks again, then ends the call politely; whoever speaks or presses a key in time stays.

    Where turn detection has an `idle_timeout_ms`, the provider asks, and its questions are counted as these. Without
    turn detection nobody can tell a silence.
    """

    reprompt_seconds: Annotated[float, Field(ge=3, le=600)] = 20
    """So long nobody speaks and nothing is going on before the agent asks whether the caller is there."""
    reprompts: Annotated[int, Field(ge=0, le=10)] = 2
    """How often it asks, one after the other; after one more silence the call ends."""
