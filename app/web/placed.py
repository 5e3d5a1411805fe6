"""Calls that we placed, when their callee answers: who talks, and what he knows."""

import asyncio
from collections.abc import Mapping

import structlog
from msgspec.structs import replace

from app.db.engine import db_session
from app.db.outbound import find_request
from app.errors import ConfMissing, DatabaseError
from app.outbound.states import Progress
from app.outbound.tokens import PARAMETER, OutboundTicket
from app.web.answerer import Answerer, named
from app.web.deps import Conf, Services
from app.web.line import Line
from app.web.verified import Webhook

VARIABLES_S = 1.0
"""The database may take this long to tell the variables that an address had no room for."""

_log = structlog.stdlib.get_logger(__name__)


def is_placed(webhook: Webhook) -> bool:
    """Whether the call says that a request of ours placed it."""
    return PARAMETER in webhook.query


def ticket_of(house: Services, webhook: Webhook) -> OutboundTicket | None:
    """The request that placed the call; None where none did, or where it can no longer be known."""
    token = webhook.query.get(PARAMETER)
    if token is None:
        return None
    ticket = house.outbound.tokens.read(token)
    if ticket is None:
        _log.warning("outbound_ticket_unreadable", call_sid=webhook.call_sid)
    return ticket


def placed_word(house: Services, webhook: Webhook) -> str | None:
    """The word by which later webhooks know the request that placed the call, as short as it gets."""
    ticket = ticket_of(house, webhook)
    return house.outbound.tokens.sign(replace(ticket, variables=None)) if ticket else None


def talker(conf: Conf, ticket: OutboundTicket, line: Line) -> Answerer:
    """The agent that was asked for, as it answers that number of ours; raises `ConfError`."""
    number = conf.number(line.ours)
    if number is None:
        raise ConfMissing("the calling number has no row any more, and there is no number/default")
    return named(conf, number, ticket.agent)


async def variables_of(house: Services, ticket: OutboundTicket) -> Mapping[str, str]:
    """What the request said for the agent's texts; as little as is known while the database is away."""
    if ticket.variables is not None:
        return ticket.variables
    try:
        async with asyncio.timeout(VARIABLES_S), db_session(house.engine) as db:
            request = await find_request(db, ticket.request_id)
    except (DatabaseError, TimeoutError) as error:
        _log.error("outbound_variables_lost", request=str(ticket.request_id), reason=str(error) or "time limit")
        return {}
    return request.variables if request else {}


async def report(house: Services, webhook: Webhook) -> None:
    """Keep what a status callback says of a call that we placed."""
    if ticket := ticket_of(house, webhook):
        news = Progress(
            request_id=ticket.request_id,
            attempt=ticket.attempt,
            call_sid=webhook.call_sid,
            call_status=webhook.fields.get("CallStatus", ""),
        )
        await house.outbound.told(news)
