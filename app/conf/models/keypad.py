"""What the caller's keys do."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from app.conf.models.base import Conf, RowName
from app.conf.models.tools import SwitchAgentTool, ToolConf, TransferCallTool

Key = Annotated[str, Field(pattern=r"^[0-9*#A-D]$")]


class KeyTransfers(Conf):
    """Puts the caller through to a destination of the agent's transfer tool."""

    action: Literal["transfer"]
    destination: str


class KeySwitches(Conf):
    """Lets another agent take over, one that the agent's tool for that names."""

    action: Literal["switch_agent"]
    agent: RowName


class KeyEnds(Conf):
    """Ends the call; the agent says goodbye."""

    action: Literal["end_call"]
    message: Annotated[str, Field(min_length=1, max_length=300)] = "Goodbye."
    """Said, word for word, before the line closes."""


class KeyTells(Conf):
    """Tells the model something in the caller's name, and lets it answer."""

    action: Literal["tell"]
    text: Annotated[str, Field(min_length=1, max_length=1000)]


KeyAction = Annotated[KeyTransfers | KeySwitches | KeyEnds | KeyTells, Field(discriminator="action")]


class KeypadConf(Conf):
    """What happens when the caller presses keys."""

    keys: dict[Key, KeyAction] = Field(default_factory=dict)
    """What a key does at once, whatever the model thinks. Only the first key of an input: in 1203 the 0 is a digit."""
    tell_model: bool = True
    """Whether the model gets the other keys as a text, all that belong together at once."""
    pause_ms: Annotated[int, Field(ge=200, le=10_000)] = 1500
    """Without another key for so long, or with #, an input is complete."""

    def check(self, tools: Iterable[ToolConf]) -> None:
        """Raise `ValueError` for a key that leads nowhere, as none of these tools names its target."""
        tools = list(tools)
        transfers = [tool for tool in tools if isinstance(tool, TransferCallTool)]
        switches = [tool for tool in tools if isinstance(tool, SwitchAgentTool)]
        for key, act in self.keys.items():
            if isinstance(act, KeyTransfers):
                _check(
                    key, act.destination, "transfer_call", [name for tool in transfers for name in tool.destinations]
                )
            elif isinstance(act, KeySwitches):
                _check(key, act.agent, "switch_agent", [name for tool in switches for name in tool.agents])


def _check(key: str, target: str, tool: str, named: list[str]) -> None:
    if not named:
        raise ValueError(f"the key {key} needs a {tool} tool that names {target}, and the agent has none")
    if target not in named:
        raise ValueError(f"the key {key} leads to {target}, which no {tool} tool names; there are: {', '.join(named)}")
