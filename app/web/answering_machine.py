"""Twilio says who picked up a call that we placed: a person, a machine, or a fax."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends

from app.conf.models import AgentConf, MachinePolicy, fill
from app.errors import ConfError, DatabaseError
from app.outbound.answered import Answered
from app.outbound.states import Progress
from app.outbound.tokens import OutboundTicket
from app.web.deps import Services, services
from app.web.line import Line, values
from app.web.placed import ticket_of, variables_of
from app.web.verified import Verified, Webhook

router = APIRouter(prefix="/twilio", tags=["twilio"])

_log = structlog.stdlib.get_logger(__name__)


@router.post("/amd", status_code=204)
async def answering_machine(webhook: Verified, house: Annotated[Services, Depends(services)]) -> None:
    """What Twilio says is kept, and then what the agent's policy wants is done."""
    answered_by = webhook.fields.get("AnsweredBy", "")
    _log.info("answered_by", call_sid=webhook.call_sid, answered_by=answered_by)
    ticket = ticket_of(house, webhook)
    if ticket:
        await _keep(house, webhook, ticket, answered_by)
    agent = await _agent(house, webhook, ticket)
    await house.picked_up(
        Answered(webhook.account_sid, webhook.call_sid, answered_by, agent.answering_machine, agent.language)
    )


async def _keep(house: Services, webhook: Webhook, ticket: OutboundTicket, answered_by: str) -> None:
    news = Progress(
        request_id=ticket.request_id,
        attempt=ticket.attempt,
        call_sid=webhook.call_sid,
        call_status="",
        answered_by=answered_by,
    )
    try:
        await house.outbound.told(news)
    except DatabaseError as error:
        _log.error("answered_by_not_kept", call_sid=webhook.call_sid, reason=str(error))


async def _agent(house: Services, webhook: Webhook, ticket: OutboundTicket | None) -> AgentConf:
    """The agent, for where no live call has it; one that does nothing where it is not known."""
    nobody = AgentConf(answering_machine=MachinePolicy(action="talk"))
    if ticket is None:
        return nobody
    try:
        agent = house.conf.agent(ticket.agent)
    except ConfError:
        return nobody
    line = Line(webhook.call_sid, "", "", "outbound")  # this webhook names no numbers
    return fill(agent, values(line, None, ticket.agent, agent, await variables_of(house, ticket)))[0]
