"""Who answers a number, at that moment."""

from dataclasses import dataclass
from datetime import datetime

from app.conf.models import AgentConf, NumberConf, is_open
from app.web.deps import Conf


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
    """Nobody answers: what is said instead, perhaps in words of our own."""

    message: str | None
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


def named(conf: Conf, number: NumberConf, name: str) -> Answerer:
    """The agent of that name, as it answers that number; raises `ConfError`."""
    agent = with_own_message(conf.agent(name), number)
    return Answerer(name, conf.agent_version(name), agent, number.fallback_number or agent.fallback.number, number)


def with_own_message(agent: AgentConf, number: NumberConf) -> AgentConf:
    """The agent, with the number's own fallback message where it has one."""
    if number.fallback_message is None:
        return agent
    return agent.model_copy(update={"fallback": agent.fallback.model_copy(update={"message": number.fallback_message})})
