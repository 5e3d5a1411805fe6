"""Which of an agent's numbers its tools could not use, told before a call finds out."""

from collections.abc import Collection, Iterator

from app.conf.models import AgentConf, Finding, SendSmsTool, TransferCallTool
from app.errors import OutboundRefused
from app.outbound.rules import check_dialable


def destination_findings(
    agent: AgentConf, fallback_numbers: Collection[str], allowed_prefixes: Collection[str]
) -> list[Finding]:
    """What is wrong with the numbers, in the light of the fallback numbers and prefixes of its calls.

    Keys lead only where a transfer tool leads.
    """
    exempt = {*fallback_numbers, agent.fallback.number}
    found: list[Finding] = []
    for index, tool in enumerate(agent.tools):
        match tool:
            case TransferCallTool():
                for name, each in tool.destinations.items():
                    if each.number not in exempt:
                        found += _transfer(f"tools.{index}.destinations.{name}.number", each.number, allowed_prefixes)
            case SendSmsTool():
                for name, number in tool.recipients.items():
                    found += _never(f"tools.{index}.recipients.{name}", number)
    return found


def _transfer(path: str, number: str, allowed_prefixes: Collection[str]) -> list[Finding]:
    if never := [*_never(path, number)]:
        return never
    if number.startswith(tuple(allowed_prefixes)):
        return []
    text = "calls may not be transferred there: allowed_dial_prefixes of the Twilio account say where they may"
    return [Finding(path, text)]


def _never(path: str, number: str) -> Iterator[Finding]:
    try:
        check_dialable(number)
    except OutboundRefused as refusal:
        yield Finding(path, str(refusal), refused=True)
