"""The flow of a call, as the agent that answers it has it."""

from app.call.money.spending import Spending
from app.call.tools.open_tools import OpenTools
from app.call.turns.flow import CallFlow
from app.call.turns.manner import Manner
from app.conf.models import AgentConf


def first_flow(
    agent: AgentConf, hang_up_tools: frozenset[str], *, tools: OpenTools, spending: Spending, goodbye_ms: float
) -> CallFlow:
    """Another agent's manner may take the place of this one's later."""
    manner = Manner.of(agent, hang_up_tools)
    return CallFlow(
        barge_in=manner.barge_in_allowed,
        least_barge_in_ms=manner.least_barge_in_ms,
        own_gating=manner.own_gating,
        speaks_first=agent.speaks_first,
        greeting_shielded=manner.greeting_shielded,
        answers_by_itself=manner.answers_by_itself,
        half_duplex=manner.half_duplex,
        hang_up_tools=manner.hang_up_tools,
        tools=tools,
        goodbye_ms=goodbye_ms,
        keypad=manner.keypad,
        spending=spending,
    )
