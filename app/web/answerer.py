"""Who answers a number, at that moment; and what callers hear where nobody can."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from app.conf.models import AgentConf, Fallback, NumberConf, is_open, spoken_fallback
from app.twilio import twiml
from app.web.deps import Conf
from app.web.line import Line, values

_SORRY = Fallback().message
_LANGUAGE = "en-US"

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answerer:
    """The agent that answers."""

    name: str
    version: int
    agent: AgentConf
    fallback_number: str | None
    number: NumberConf


@dataclass(frozen=True, slots=True)
class Closed:
    """Nobody answers: what is said instead."""

    message: str
    language: str


def answerer(conf: Conf, called: str, at: datetime) -> Answerer | Closed | None:
    """Who answers that number then; None where it is not ours to answer."""
    number = conf.number(called)
    if number is None:
        return None
    hours = number.hours
    if hours is None or is_open(hours, at):
        return named(conf, number, number.agent)
    if hours.closed_agent:
        return named(conf, number, hours.closed_agent)
    return Closed(hours.closed_message, conf.agent(number.agent).language)


def resumer(conf: Conf, called: str, at: datetime) -> Answerer | None:
    """Who goes on with a call to that number: closing time ends none."""
    found, number = answerer(conf, called, at), conf.number(called)
    if isinstance(found, Closed):
        return named(conf, number, number.agent) if number else None
    return found


def closed_words(conf: Conf, closed: Closed, line: Line) -> str:
    """What callers hear while nobody answers."""
    number = conf.number(line.ours)
    name = number.agent if number else ""
    told = values(line, number, name, conf.agent(name), {})
    return twiml.say_then(spoken_fallback(closed.message, told), language=closed.language, number=None)


def apology(conf: Conf, line: Line, given: Mapping[str, str]) -> str:
    """The number's fallback message, or its agent's, then the fallback number; with less where less is known.

    `given` are the values that came with the call for the variables in it.
    """
    message, language, fallback_number, told = _SORRY, _LANGUAGE, None, dict(given)
    try:
        if number := conf.number(line.ours):
            fallback_number, message = number.fallback_number, number.fallback_message or message
            told = values(line, number, number.agent, None, given)
            agent = _agent(conf, number, number.agent)
            message, language = agent.fallback.message, agent.language
            fallback_number = fallback_number or agent.fallback.number
            told = values(line, number, number.agent, agent, given)
    except Exception as error:  # the edge of a call: a broken agent still gets the number's own fallback
        _log.warning("fallback_incomplete", reason=str(error))
    return twiml.say_then(spoken_fallback(message, told), language=language, number=fallback_number)


def bare_apology() -> str:
    """The words where no configuration is known at all."""
    return twiml.say_then(_SORRY, language=_LANGUAGE, number=None)


def named(conf: Conf, number: NumberConf, name: str) -> Answerer:
    """The agent of that name, as it answers that number; raises `ConfError`."""
    agent = _agent(conf, number, name)
    return Answerer(name, conf.agent_version(name), agent, number.fallback_number or agent.fallback.number, number)


def _agent(conf: Conf, number: NumberConf, name: str) -> AgentConf:
    """The agent, with the number's own fallback message where it has one."""
    agent = conf.agent(name)
    if number.fallback_message is None:
        return agent
    return agent.model_copy(update={"fallback": agent.fallback.model_copy(update={"message": number.fallback_message})})
