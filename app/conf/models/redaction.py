"""What is not kept of what was said."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.conf.models.base import Conf
from app.redaction import compiled


def _is_pattern(pattern: str) -> str:
    compiled(pattern)
    return pattern


Pattern = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_is_pattern)]


class RedactionConf(Conf):
    """Removed from transcripts, events and webhooks, before they are written. The sound is not changed."""

    card_numbers: bool = True
    """Numbers of payment cards, also those that are spelt in words or over several turns."""
    patterns: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], Pattern], Field(max_length=20)
    ] = Field(default_factory=dict)
    """Regular expressions (RE2), by the name that stands where something was removed."""
