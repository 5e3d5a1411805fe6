"""What is kept of a call: who spoke with whom, when, and how it ended."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from app.call.status import CallStatus, EndReason


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call's row, and the `call.json` of its folder."""

    id: str
    call_sid: str
    account_sid: str
    from_number: str
    to_number: str
    direction: Literal["inbound", "outbound"]
    agent: str
    agent_version: int
    started_at: datetime
    attempt: int = 0
    """How often this phone call lost its stream before; each stream is a call of its own here."""
    session: dict[str, Any] = field(default_factory=dict)
    """The session configuration it used."""
    status: CallStatus = CallStatus.CONNECTING
    answered_at: datetime | None = None
    """When the agent's session was ready."""
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    recording: Literal["off", "on", "declined"] = "off"
    """Whether anybody recorded, and whether the caller had that deleted."""
