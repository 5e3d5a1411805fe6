"""What a call may be told to do next, and where it reports."""

from dataclasses import dataclass, field

from app.sandbox.twilio.timeline import EndCause


@dataclass(frozen=True, slots=True)
class Fetch:
    """Go on with the document at that URL."""

    url: str
    method: str = "POST"
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Follow:
    """Go on with this document; its relative URLs start from `base_url`."""

    twiml: str
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """End the call."""

    cause: EndCause
    status: str = "completed"


Step = Fetch | Follow | End


@dataclass(frozen=True, slots=True)
class StatusCallback:
    """Where the call's progress is reported, and which of it."""

    url: str
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})
