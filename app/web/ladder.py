"""What callers hear where no agent can talk: an apology, then the fallback number, then a voicemail, then the end."""

from collections.abc import Mapping
from urllib.parse import urlencode

import structlog

from app.conf.models import AgentConf, NumberConf, language_of, phrases, spoken_fallback
from app.twilio import twiml
from app.web.answerer import Closed, with_own_message
from app.web.deps import Conf
from app.web.line import Line, values

_LANGUAGE = "en-US"

_log = structlog.stdlib.get_logger(__name__)


def apology(
    conf: Conf, line: Line, given: Mapping[str, str], *, public_url: str | None, attempt: int, agent: str | None = None
) -> str:
    """The whole ladder for a call, of that agent or of its number's; with less where less is known.

    `given` are the values that came with the call for the variables in it.
    """
    message, language, fallback_number, told, offer = None, _LANGUAGE, None, dict(given), None
    try:
        if number := conf.number(line.ours):
            fallback_number, message = number.fallback_number, number.fallback_message
            told = values(line, number, number.agent, None, given)
            name = agent or number.agent
            found = with_own_message(conf.agent(name), number)
            message, language = found.fallback.message, found.language
            fallback_number = fallback_number or found.fallback.number
            told = values(line, number, name, found, given)
            offer = voicemail_url(public_url, name, found, line, attempt=attempt)
    except Exception as error:  # the edge of a call: a broken agent still gets the number's own fallback
        _log.warning("fallback_incomplete", reason=str(error))
    spoken = spoken_fallback(message, told, phrases(language).apology)
    return twiml.say_then(spoken, language=language, number=fallback_number, voicemail_url=offer)


def bare_apology(called: str) -> str:
    """The words where no configuration is known at all, in the language of the called number's country."""
    language = language_of(called) or _LANGUAGE
    return twiml.say_then(phrases(language).apology, language=language, number=None)


def closed_words(conf: Conf, closed: Closed, line: Line, *, public_url: str | None) -> str:
    """What callers hear while nobody answers, and the voicemail if their number's agent has one."""
    number: NumberConf | None = conf.number(line.ours)
    name = number.agent if number else ""
    agent = conf.agent(name)
    ours = phrases(closed.language).closed
    spoken = spoken_fallback(closed.message, values(line, number, name, agent, {}), ours)
    offer = voicemail_url(public_url, name, agent, line, attempt=0)
    return twiml.say_then(spoken, language=closed.language, number=None, voicemail_url=offer)


def voicemail_url(public_url: str | None, name: str, agent: AgentConf, line: Line, *, attempt: int) -> str | None:
    """Where a caller may leave a message for that agent; whoever was called by us is not asked for one.

    `attempt` is the call's place behind the streams that the phone call had.
    """
    if agent.voicemail is None or line.direction == "outbound" or public_url is None:
        return None
    return f"{public_url}/twilio/voicemail?{urlencode({'agent': name, 'attempt': attempt})}"
