"""What Twilio is told of machines when it is asked for a call."""

from uuid import UUID

import pytest

from app.conf.models import AgentConf, MachinePolicy, OutboundConf
from app.db.tables import OutboundRequest
from app.jobs.outbound.dial_form import dial_form
from app.outbound.tokens import OutboundTokens

ORIGIN = "https://calls.example.com"
REQUEST = OutboundRequest(
    id=UUID(int=7), attempts=1, agent="caller", variables={}, to_number="+41446681800", from_number="+15550100100"
)
LEAVE = MachinePolicy(action="leave_message", message="Call us.")


def form(policy: MachinePolicy) -> dict[str, str]:
    agent, tokens = AgentConf(answering_machine=policy), OutboundTokens(["k" * 32])
    return dial_form(REQUEST, agent, OutboundConf(), public_url=ORIGIN, tokens=tokens)


@pytest.mark.parametrize(
    ("policy", "mode"),
    [(MachinePolicy(), "Enable"), (MachinePolicy(action="talk"), "Enable"), (LEAVE, "DetectMessageEnd")],
)
def test_twilio_listens_beside_the_call_and_for_a_message_until_the_greeting_is_over(policy: MachinePolicy, mode: str):
    asked = form(policy)
    assert (asked["MachineDetection"], asked["AsyncAmd"]) == (mode, "true")
    told, known_by = asked["AsyncAmdStatusCallback"], asked["Url"].partition("?")[2]
    assert told == f"{ORIGIN}/twilio/amd?{known_by}"


def test_who_does_not_want_machines_known_pays_for_no_listening():
    asked = form(LEAVE.model_copy(update={"detect": False}))
    assert not [name for name in asked if "Machine" in name or "Amd" in name]
