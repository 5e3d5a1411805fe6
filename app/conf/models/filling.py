"""An agent as one call has it: its variables filled with what is known of that call."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone

from app.conf.models.accounts import NumberConf
from app.conf.models.agent import AgentConf
from app.conf.models.tools import HttpTool
from app.conf.models.variables import filled, names

SPOKEN_CHARACTERS = 3000
"""A carrier speaks hardly more at once; what is longer is cut."""


def texts(agent: AgentConf) -> dict[str, str]:
    """Every text of the agent that may have variables, by its path."""
    found = {
        "instructions": agent.instructions,
        "greeting": agent.greeting,
        "fallback.message": agent.fallback.message,
        "voicemail.greeting": agent.voicemail.greeting if agent.voicemail else None,
        "answering_machine.message": agent.answering_machine.message,
        "recording.consent_line": agent.recording.consent_line,
    }
    return {path: text for path, text in found.items() if text is not None}


def tool_texts(agent: AgentConf) -> dict[str, str]:
    """Every text of the agent's web tools, by its path; their variables get their values when the tool runs."""
    tools = [(index, tool) for index, tool in enumerate(agent.tools) if isinstance(tool, HttpTool)]
    return {f"tools.{index}.{path}": text for index, tool in tools for path, text in tool.texts().items()}


def fill(agent: AgentConf, values: Mapping[str, str]) -> tuple[AgentConf, tuple[str, ...]]:
    """The agent with its texts filled, and the variables that had no value.

    A caller who cannot be told of the recording, as nothing is left of the consent line, is not recorded.
    """
    whole = texts(agent)
    asked = {name for text in (whole | tool_texts(agent)).values() for name in names(text)}
    missing = sorted(asked - values.keys())
    agent = _with_filled_tools(agent, values)
    told = {path: filled(text, values) for path, text in whole.items()}
    if told == whole:
        return agent, tuple(missing)
    recording = {"consent_line": _spoken(told.get("recording.consent_line", ""))}
    if agent.recording.announced and not recording["consent_line"]:
        recording |= {"source": "none"}
    changes: dict[str, Any] = {
        "instructions": told["instructions"],
        "greeting": _spoken(told.get("greeting", "")),
        "fallback": agent.fallback.model_copy(update={"message": _spoken(told.get("fallback.message", ""))}),
        "answering_machine": agent.answering_machine.model_copy(
            update={"message": _spoken(told.get("answering_machine.message", ""))}
        ),
        "recording": agent.recording.model_copy(update=recording),
    }
    if agent.voicemail:
        greeting = {"greeting": _spoken(told.get("voicemail.greeting", ""))}
        changes["voicemail"] = agent.voicemail.model_copy(update=greeting)
    return agent.model_copy(update=changes), tuple(missing)


def _with_filled_tools(agent: AgentConf, values: Mapping[str, str]) -> AgentConf:
    if not any(isinstance(tool, HttpTool) for tool in agent.tools):
        return agent
    tools = [tool.with_variables(values) if isinstance(tool, HttpTool) else tool for tool in agent.tools]
    return agent.model_copy(update={"tools": tools})


def spoken_fallback(message: str | None, values: Mapping[str, str], otherwise: str) -> str:
    """What the caller is told when nobody can talk; never nothing, but `otherwise`."""
    return _spoken(filled(message or "", values)) or otherwise


def built_in(*, caller: str, called: str, direction: str, agent: str, at: datetime, zone: tzinfo) -> dict[str, str]:
    """The values that every call has."""
    local = at.astimezone(zone)
    return {
        "caller_number": caller,
        "called_number": called,
        "now": f"{local:%A %Y-%m-%d %H:%M} {zone}",
        "date": f"{local:%Y-%m-%d}",
        "time": f"{local:%H:%M}",
        "direction": direction,
        "agent": agent,
    }


def defaults(agent: AgentConf | None, number: NumberConf | None) -> dict[str, str]:
    """What the agent has values for by itself, and the number's own, which win."""
    own = {name: value for name, value in agent.variables.items() if value is not None} if agent else {}
    return own | (number.variables if number else {})


def zone_of(number: NumberConf | None, e164: str) -> tzinfo:
    """The time zone of a number: that of its opening hours, else the one its prefix tells, else UTC."""
    if number and number.hours:
        return ZoneInfo(number.hours.zone)
    try:
        [name] = timezone.time_zones_for_number(phonenumbers.parse(e164))
        return ZoneInfo(name)
    except (phonenumbers.NumberParseException, ValueError, ZoneInfoNotFoundError):  # none, or many
        return UTC


def _spoken(text: str) -> str | None:
    return text[:SPOKEN_CHARACTERS] if text.strip() else None
