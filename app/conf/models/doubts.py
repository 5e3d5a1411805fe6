"""What an agent's writer may not expect: what is set without effect, or does more than it seems to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.conf.models.known import Finding
from app.conf.models.tools import CollectDigitsTool, HttpTool, McpApproval, McpTool
from app.conf.models.tools.placeholders import places
from app.conf.models.webhooks import too_wide

if TYPE_CHECKING:
    from app.conf.models.agent import AgentConf


def doubts(agent: "AgentConf") -> list[Finding]:
    """What can be seen in the agent alone, whoever its provider is."""
    return [*_untold_music(agent), *_deaf(agent), *_uncollected(agent), *_never_run(agent), *_let_in(agent)]


def _untold_music(agent: "AgentConf") -> Iterator[Finding]:
    if agent.hold and agent.transcription is None:
        text = "without transcription nothing tells words from music: set one, or hold to null"
        yield Finding("hold", text)


def _deaf(agent: "AgentConf") -> Iterator[Finding]:
    never = "half_duplex" if agent.half_duplex else "turn_detection"
    if agent.min_barge_in_ms and (agent.half_duplex or not agent.turn_detection.interrupt_response):
        yield Finding("min_barge_in_ms", f"has no effect: by {never} the caller never interrupts the agent")


def _uncollected(agent: "AgentConf") -> Iterator[Finding]:
    """Digits that an HTTP tool shall send and that nobody asks a caller for."""
    stored = {tool.store_as for tool in agent.tools if isinstance(tool, CollectDigitsTool)}
    for index, tool in enumerate(agent.tools):
        if isinstance(tool, HttpTool):
            for path, text in tool.texts().items():
                wanted = dict.fromkeys(place.path[0] for place in places(text) if place.source == "digits")
                for name in [each for each in wanted if each not in stored]:
                    told = f"{{{{digits.{name}}}}} is never there: no collect_digits tool of this agent stores {name}"
                    yield Finding(f"tools.{index}.{path}", told)


def _never_run(agent: "AgentConf") -> Iterator[Finding]:
    """Tools that the provider always asks about, and never with success."""
    for index, tool in enumerate(agent.tools):
        if isinstance(tool, McpTool) and tool.approve in ("none", []):
            if isinstance(tool.require_approval, McpApproval) or tool.require_approval == "never":
                continue
            text = 'none of its tools ever runs: set approve, or require_approval to "never"'
            yield Finding(f"tools.{index}.approve", text)


def _let_in(agent: "AgentConf") -> Iterator[Finding]:
    found = {f"tools.{index}": tool for index, tool in enumerate(agent.tools) if isinstance(tool, HttpTool)}
    leading = found | ({"precall": agent.precall} if agent.precall else {})
    for path, each in leading.items():
        for text in too_wide(each.allow_private):
            yield Finding(f"{path}.allow_private", text)
