"""Who answers one call, with everything that is known of it put into the agent's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.call.events import Kind
from app.call.legs.colleague import Colleague
from app.conf.models import AgentConf, fill
from app.errors import ConfError
from app.twilio.tokens import Ticket
from app.web.answerer import Answerer, named, with_own_message
from app.web.deps import Conf, Services
from app.web.line import Line, values
from app.web.precall import Told

Note = tuple[Kind, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Filled:
    """An answerer whose agent has its texts filled."""

    answerer: Answerer
    variables: Mapping[str, str] = field(default_factory=dict)
    """The values that came from outside, with this call."""
    missing: tuple[str, ...] = ()
    """The variables that had no value, and are empty."""
    failed: str | None = None
    """What the pre-call webhook could not tell, and why."""


async def filled(house: Services, found: Answerer, line: Line, requested: Mapping[str, str] | None = None) -> Filled:
    """The answerer as this call has it: asks the pre-call webhook where there is one, within its time limit.

    `requested` are the values of the request that placed the call; they win over all others.
    """
    told, failed = Told(), None
    if precall := found.number.precall or found.agent.precall:
        told = await house.precalls.ask(precall, line, found.name)
        found, failed = _taken_over(house.conf, found, told)
    variables = {**told.variables, **(requested or {})}
    agent, missing = fill(found.agent, values(line, found.number, found.name, found.agent, variables))
    return Filled(replace(found, agent=agent), variables, missing, failed)


def refilled(conf: Conf, ticket: Ticket, line: Line) -> AgentConf:
    """The agent of a call that another replica has answered, filled with what that one knew."""
    number = conf.number(line.ours)
    agent = named(conf, number, ticket.agent).agent if number else conf.agent(ticket.agent)
    return fill(agent, values(line, number, ticket.agent, agent, ticket.variables))[0]


def colleague(conf: Conf, ticket: Ticket, line: Line, name: str) -> Colleague:
    """Another agent for that call, filled with what came from outside with it; its own server is not asked."""
    number = conf.number(line.ours)
    agent = with_own_message(conf.agent(name), number) if number else conf.agent(name)
    fallback_number = (number.fallback_number if number else None) or agent.fallback.number
    agent, missing = fill(agent, values(line, number, name, agent, ticket.variables))
    return Colleague(name, conf.agent_version(name), agent, fallback_number, missing)


def notes(ticket: Ticket) -> list[Note]:
    """What the call's journal should know of its variables."""
    found: list[Note] = []
    if ticket.precall_failed:
        found.append((Kind.PRECALL_FAILED, {"reason": ticket.precall_failed}))
    if ticket.variables_missing:
        found.append((Kind.VARIABLES_MISSING, {"names": list(ticket.variables_missing)}))
    return found


def _taken_over(conf: Conf, found: Answerer, told: Told) -> tuple[Answerer, str | None]:
    """The agent that the server names, where there is one."""
    if told.agent in {None, found.name}:
        return found, told.failed
    try:
        return named(conf, found.number, told.agent or ""), told.failed
    except ConfError:
        return found, "; ".join(filter(None, [told.failed, "it names an agent that is not there"]))
