"""What Twilio is told when we ask it for a call."""

from typing import Any

from app.conf.models import AgentConf, MachinePolicy, OutboundConf
from app.db.tables import OutboundRequest
from app.outbound.tokens import PARAMETER, OutboundTicket, OutboundTokens
from app.twilio.recordings import creation_fields

EVENTS = ("initiated", "ringing", "answered", "completed")
FAREWELL_S = 30
"""Twilio cuts a call so long after its agent's own limit, which ends it with words."""
LONGEST_S = 14_400


def dial_form(
    request: OutboundRequest, agent: AgentConf, conf: OutboundConf, *, public_url: str, tokens: OutboundTokens
) -> dict[str, Any]:
    """The fields that create the call; its webhooks know the request by a ticket in their addresses.

    Twilio's recording begins with the answer, unless the callee must be told of it first: then our TwiML starts it.
    """
    records = agent.recording.twilio and agent.recording.announced is None
    ticket = OutboundTicket(
        request_id=request.id,
        attempt=request.attempts,
        agent=request.agent,
        recorded=records,
        variables=request.variables,
    )
    known_by = f"?{PARAMETER}={tokens.sign(ticket)}"
    form = {
        "To": request.to_number,
        "From": request.from_number,
        "Url": f"{public_url}/twilio/voice{known_by}",
        "FallbackUrl": f"{public_url}/twilio/fallback{known_by}",
        "StatusCallback": f"{public_url}/twilio/status{known_by}",
        "StatusCallbackEvent": EVENTS,
        "Timeout": str(conf.ring_seconds),
        "TimeLimit": str(min(agent.max_call_seconds + FAREWELL_S, LONGEST_S)),
    }
    return (
        form
        | _detection(agent.answering_machine, public_url, known_by)
        | (creation_fields(public_url) if records else {})
    )


def _detection(policy: MachinePolicy, public_url: str, known_by: str) -> dict[str, str]:
    """What makes Twilio listen for machines while the agent talks already; a message waits for the greeting's end."""
    if not policy.detect:
        return {}
    return {
        "MachineDetection": "DetectMessageEnd" if policy.action == "leave_message" else "Enable",
        "AsyncAmd": "true",
        "AsyncAmdStatusCallback": f"{public_url}/twilio/amd{known_by}",
    }
