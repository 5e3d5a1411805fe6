"""A caller who does not want to be called again."""

import msgspec


class OptedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of it until it is on the list."""

    number: str
    agent: str
    """Which agent was told."""
    call_id: str
