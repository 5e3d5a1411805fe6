"""Variables that would be empty: what the writer of an agent or a number is told."""

from collections.abc import Iterable, Mapping

from app.conf.models.accounts import NumberConf
from app.conf.models.agent import AgentConf
from app.conf.models.filling import texts, tool_texts
from app.conf.models.variables import BUILT_IN, misspelt, names

_NO_VALUE = "has no value and would be empty: give it a default in variables, or null where each call brings one"


def unfilled(agent: AgentConf, numbers: Mapping[str, NumberConf]) -> list[str]:
    """What the texts of an agent lack, with the numbers that it answers."""
    found = []
    spoken = texts(agent)
    for path, text in (spoken | tool_texts(agent)).items():
        if path in spoken:  # a tool's texts have other places too, and wrong ones are refused
            found += [f"{path}: {warning}" for warning in _misspelt(text)]
        for name in _unknown(text, agent):
            lacking = [each for each, number in numbers.items() if not _gives(number, name)]
            if lacking and len(lacking) < len(numbers):
                found.append(f"{path}: {{{{{name}}}}} has no value in calls to {', '.join(lacking)}")
            elif lacking or not numbers:
                found.append(f"{path}: {{{{{name}}}}} {_NO_VALUE}")
    return found


def unfilled_by_number(number: NumberConf, agents: Mapping[str, AgentConf]) -> list[str]:
    """What the agents of a number lack in its calls, and what its own texts lack."""
    found = [
        f"agent/{agent_name} {path}: {{{{{name}}}}} {_NO_VALUE}"
        for agent_name, agent in agents.items()
        for path, text in (texts(agent) | tool_texts(agent)).items()
        for name in _unknown(text, agent)
        if not _gives(number, name)
    ]
    agent = agents.get(number.agent, AgentConf())
    closed = number.hours.closed_message if number.hours and not number.hours.closed_agent else None
    for path, own, asked in (
        ("fallback_message", number.fallback_message, number.precall or agent.precall),
        ("hours.closed_message", closed, None),  # nobody answers, so nobody is asked
    ):
        known = BUILT_IN | agent.variables.keys() | number.variables.keys()
        found += [f"{path}: {warning}" for warning in _misspelt(own or "")]
        found += [f"{path}: {{{{{n}}}}} {_NO_VALUE}" for n in names(own or "") if not asked and n not in known]
    return found


def _unknown(text: str, agent: AgentConf) -> Iterable[str]:
    """The variables of the text that nothing about the agent itself gives a value."""
    return [] if agent.precall else [name for name in names(text) if name not in BUILT_IN | agent.variables.keys()]


def _gives(number: NumberConf, name: str) -> bool:
    return number.precall is not None or name in number.variables


def _misspelt(text: str) -> list[str]:
    return [f"{each} stays as it is: a variable's name has letters, digits and _" for each in misspelt(text)]
