"""Twilio says who picked up."""

from uuid import UUID

from app.conf.models import AgentConf, MachinePolicy
from app.errors import DatabaseError
from app.outbound.tokens import OutboundTicket
from tests.unit.twilio.accounts import CALL, OURS
from tests.unit.web.house import House

TICKET = OutboundTicket(request_id=UUID(int=7), attempt=1, agent="caller", variables={"name": "Ann"})
LEAVE = MachinePolicy(action="leave_message", message="Hello {{name}}.")


def fields(answered_by: str) -> dict[str, str]:
    """All that Twilio says there."""
    return {"AccountSid": OURS, "CallSid": CALL, "AnsweredBy": answered_by, "MachineDetectionDuration": "2100"}


def address(house: House) -> str:
    house.conf.agents["caller"] = AgentConf(language="de-DE", answering_machine=LEAVE)
    return f"/twilio/amd?outbound={house.services.outbound.tokens.sign(TICKET)}"


async def test_who_picked_up_is_kept_for_its_request_and_told_with_what_its_agent_wants(house: House):
    assert (await house.post(address(house), fields("machine_end_beep"))).status_code == 204
    [news], [answered] = house.progress, house.answers
    assert (news.request_id, news.call_sid, news.answered_by) == (TICKET.request_id, CALL, "machine_end_beep")
    assert (answered.call_sid, answered.answered_by, answered.language) == (CALL, "machine_end_beep", "de-DE")
    assert answered.policy.message == "Hello Ann."


async def test_a_call_of_which_nobody_knows_the_agent_is_left_alone(house: House):
    await house.post("/twilio/amd", fields("machine_start"))
    path = address(house)
    del house.conf.agents["caller"]
    await house.post(path, fields("machine_start"))
    assert [each.policy.action for each in house.answers] == ["talk", "talk"]


async def test_what_cannot_be_kept_is_done_all_the_same(house: House):
    async def fails(_: object) -> None:
        raise DatabaseError("away")

    path = address(house)
    house.change(outbound=type(house.services.outbound)(house.services.outbound.tokens, fails, lambda: None))
    assert (await house.post(path, fields("fax"))).status_code == 204
    assert [each.answered_by for each in house.answers] == ["fax"]
