"""What an agent's configuration means for a call's flow, in so far as another agent may change it in mid-call."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.call.turns.barge_in import BargeIn
from app.conf.models import AgentConf, KeypadConf, StopRecordingTool, ToolConf


@dataclass(frozen=True, slots=True)
class Manner:
    """How one agent talks and listens."""

    barge_in_allowed: bool
    least_barge_in_ms: int
    own_gating: bool
    greeting_shielded: bool
    """Whether nothing interrupts the first words that it says."""
    answers_by_itself: bool
    half_duplex: bool
    """Whether it hears nothing while it is heard itself."""
    keypad: KeypadConf
    tools: Sequence[ToolConf | StopRecordingTool]
    hang_up_tools: frozenset[str]

    @classmethod
    def of(cls, agent: AgentConf, hang_up_tools: frozenset[str]) -> "Manner":
        """As that agent has it; it ends the call with tools of these names."""
        return cls(
            barge_in_allowed=agent.turn_detection.interrupt_response,
            least_barge_in_ms=agent.min_barge_in_ms,
            own_gating=agent.gates_barge_in,
            greeting_shielded=not agent.greeting_interruptible,
            answers_by_itself=agent.turn_detection.create_response,
            half_duplex=agent.half_duplex,
            keypad=agent.keypad,
            tools=agent.offered,
            hang_up_tools=hang_up_tools,
        )

    @property
    def barge_in(self) -> BargeIn:
        """Weighs the caller's speech as the agent wants it."""
        return BargeIn(allowed=self.barge_in_allowed, least_ms=self.least_barge_in_ms)
