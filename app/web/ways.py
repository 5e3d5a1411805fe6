"""How the caller of a live call comes back to it from elsewhere."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from app.conf.models import AgentConf
from app.outbound.tokens import PARAMETER
from app.twilio import twiml
from app.twilio.tokens import Ticket
from app.web.deps import Services

DIAL = "dial"
"""The query parameter by which a webhook says which of a call's dials it is about."""


@dataclass(frozen=True, slots=True, repr=False)
class WaysBack:
    """The `Ways` of one call. Where its process is gone by then, the caller gets a new attempt, as after a crash."""

    house: Services
    ticket: Ticket
    agent: AgentConf

    def dialled_url(self, number: int) -> str:
        """Where Twilio tells how the call's dial of that number, from 1, ended, and asks what follows."""
        return self._url("transferred", **{DIAL: str(number)})

    def back(self, *, keys: str | None = None) -> str:
        """TwiML that presses these keys, then opens another stream for this call."""
        ticket = replace(self.ticket, rejoins=True, variables={}, variables_missing=(), precall_failed=None)
        return twiml.connect_stream(
            stream_url=self.house.stream_url,
            parameters=self.house.tokens.mint(ticket),
            language=self.agent.language,
            apology=self.agent.apology,
            fallback_number=self.ticket.fallback_number,
            after_url=self._url("after"),
            keys=keys,
        )

    def _url(self, what: str, **more: str) -> str:
        placed = {PARAMETER: self.ticket.placed} if self.ticket.placed else {}
        query = urlencode({"attempt": self.ticket.attempt + 1, **more, **placed})
        return f"{self.house.public_url}/twilio/{what}?{query}"
