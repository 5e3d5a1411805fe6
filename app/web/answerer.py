"""Who answers a number, at that moment; and what callers hear where nobody can."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from app.conf.models import AgentConf, Fallback, NumberConf, is_open
from app.twilio import twiml
from app.web.deps import Conf

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
        return _answerer(conf, number, number.agent)
    if hours.closed_agent:
        return _answerer(conf, number, hours.closed_agent)
    return Closed(hours.closed_message, conf.agent(number.agent).language)


def resumer(conf: Conf, called: str, at: datetime) -> Answerer | None:
    """Who goes on with a call to that number: closing time ends none."""
    found, number = answerer(conf, called, at), conf.number(called)
    if isinstance(found, Closed):
        return _answerer(conf, number, number.agent) if number else None
    return found


def apology(conf: Conf, called: str) -> str:
    """The number's fallback message, or its agent's, then the fallback number; with less where less is known."""
    message, language, fallback_number = _SORRY, _LANGUAGE, None
    try:
        if number := conf.number(called):
            fallback_number, message = number.fallback_number, number.fallback_message or message
            agent = _agent(conf, number, number.agent)
            message, language = agent.fallback.message, agent.language
            fallback_number = fallback_number or agent.fallback.number
    except Exception as error:  # the edge of a call: a broken agent still gets the number's own fallback
        _log.warning("fallback_incomplete", reason=str(error))
    return twiml.say_then(message, language=language, number=fallback_number)


def bare_apology() -> str:
    """The words where no configuration is known at all."""
    return twiml.say_then(_SORRY, language=_LANGUAGE, number=None)


def _answerer(conf: Conf, number: NumberConf, name: str) -> Answerer:
    agent = _agent(conf, number, name)
    return Answerer(name, conf.agent_version(name), agent, number.fallback_number or agent.fallback.number)


def _agent(conf: Conf, number: NumberConf, name: str) -> AgentConf:
    """The agent, with the number's own fallback message where it has one."""
    agent = conf.agent(name)
    if number.fallback_message is None:
        return agent
    return agent.model_copy(update={"fallback": agent.fallback.model_copy(update={"message": number.fallback_message})})
