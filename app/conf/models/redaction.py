"""What is not kept of what was said."""

from typing import Annotated

from pydantic import Field

from app.conf.models.base import Conf

Pattern = Annotated[str, Field(min_length=1, max_length=500)]


class RedactionConf(Conf):
    """Removed from transcripts, events and webhooks, before they are written. The sound is not changed."""

    card_numbers: bool = True
    """Numbers of payment cards."""
    patterns: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], Pattern], Field(max_length=20)
    ] = Field(default_factory=dict)
    """Regular expressions, by the name that stands where something was removed."""
