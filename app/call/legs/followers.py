"""Everything in a call that follows its agent when another one goes on."""

from dataclasses import dataclass

from app.call.actions import Action
from app.call.bridge import Bridge
from app.call.elsewhere.transferring import Transferring
from app.call.farewell import Farewell
from app.call.journal.redacted import RedactedEvents
from app.call.legs.colleague import Colleague
from app.call.tools.tool_calls import ToolCalls
from app.call.turns.flow import CallFlow
from app.call.turns.manner import Manner


@dataclass(frozen=True, slots=True, kw_only=True)
class Followers:
    """One call's. What is kept of the call and how long it may last was settled when it began."""

    tools: ToolCalls
    transferring: Transferring
    farewell: Farewell
    redacted: RedactedEvents
    bridge: Bridge
    flow: CallFlow

    def follow(self, colleague: Colleague, at_ms: float) -> list[Action]:
        """That agent goes on from here. Nothing waits in here: no frame and no event comes between."""
        agent = colleague.agent
        self.tools.use(agent.functions)
        self.transferring.use(agent.functions)
        self.farewell.use(agent, colleague.fallback_number)
        self.redacted.also(agent.redaction)
        self.bridge.use(agent)
        return self.flow.hand_over(Manner.of(agent, self.tools.hang_up_tools), at_ms)
