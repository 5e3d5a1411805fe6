"""What happens while a caller has put us on hold."""

from typing import Annotated

from pydantic import Field

from app.conf.models.base import Conf


class HoldConf(Conf):
    """Music is not answered: the agent keeps silent until words are heard again.

    Told by what the caller's side says being no words. It needs `transcription`, and an agent that answers by itself.
    An announcement or a song with words is taken for the caller.
    """

    after_seconds: Annotated[float, Field(ge=3, le=120)] = 10
    """So long something was heard, and no words, until the caller is taken to have put us on hold. Of what still goes
    on a third is counted, for its words are not known yet."""
