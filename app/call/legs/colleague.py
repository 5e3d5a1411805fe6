"""Another agent that may take over a call."""

from dataclasses import dataclass

from app.conf.models import AgentConf


@dataclass(frozen=True, slots=True)
class Colleague:
    """An agent as this call would have it, its texts filled."""

    name: str
    version: int
    agent: AgentConf
    fallback_number: str | None = None
    """Where the caller goes when it cannot talk."""
    missing: tuple[str, ...] = ()
    """Its variables that have no value in this call, and are empty."""
