"""Agents that name each other: one that is not there cannot take a call over."""

from collections.abc import Collection

from app.conf.models.agent import AgentConf
from app.conf.models.tools import SwitchAgentTool


def absent_colleagues(agent: AgentConf, there: Collection[str]) -> list[str]:
    """What the writer of an agent is told of agents that its tools name, where these are the ones there are."""
    return [
        f"tools.{place}.agents: there is no agent {name} yet: nobody would take over"
        for place, tool in enumerate(agent.tools)
        if isinstance(tool, SwitchAgentTool)
        for name in tool.agents
        if name not in there
    ]
