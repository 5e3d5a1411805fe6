"""Whether there is room for a call, and what its caller gets instead of an agent where there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog

from app.call.admission import Incoming, Limit
from app.twilio import twiml
from app.web.answerer import Answerer
from app.web.deps import Services
from app.web.line import Line

_log = structlog.stdlib.get_logger(__name__)


@contextmanager
def place_for(house: Services, found: Answerer, line: Line) -> Iterator[str | None]:
    """Hold a place for the call while its answer is made; yields the answer where a limit keeps it out.

    A call that we placed counts, and is never turned away.
    """
    limits = house.conf.limits() if line.direction == "inbound" else None
    call = Incoming(line.call_sid, found.name, line.party)
    with house.admission.answering(call, limits, datetime.now(UTC)) as limit:
        yield _turned_away(house, limit, found) if limit else None


def _turned_away(house: Services, limit: Limit, found: Answerer) -> str:
    """Words in the agent's language where the operator wrote some; else the line is busy, which costs nothing."""
    refused = house.admission.refused[limit]
    house.refusals(_log.warning, "call_turned_away", limit=limit.value, agent=found.name, refused=refused)
    spoken = house.conf.limits().spoken
    return twiml.say_then(spoken, language=found.agent.language, number=None) if spoken else twiml.reject("busy")
