"""What the caller hears when a call ends here, told to the carrier before our socket closes."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from app.call.carrier import Carrier
from app.call.status import EndReason
from app.conf.models import AgentConf
from app.errors import CarrierError
from app.twilio import twiml

_NOTHING_TO_SAY = frozenset({EndReason.CALLER_HANGUP, EndReason.STREAM_LOST, EndReason.TRANSFERRED})
_WITH_APOLOGY = frozenset({EndReason.MODEL_UNAVAILABLE, EndReason.MODEL_LOST, EndReason.ERROR})

_log = structlog.get_logger(__name__)


class Farewell:
    """One call's. Without it the static verbs of our first answer would run."""

    def __init__(
        self,
        agent: AgentConf,
        carrier: Carrier,
        call_sid: str,
        *,
        fallback_number: str | None,
        voicemail_url: str | None,
        leave_message: Callable[[], Awaitable[None]],
        within_s: float,
    ) -> None:
        """`leave_message` speaks to the voicemail of whom we called."""
        self._agent = agent
        self._carrier = carrier
        self._call_sid = call_sid
        self._fallback_number = fallback_number
        self._voicemail_url = voicemail_url
        self._leave_message = leave_message
        self._within_s = within_s

    def use(self, agent: AgentConf, fallback_number: str | None) -> None:
        """Another agent goes on: the apology and the number behind it are that one's; the voicemail stays."""
        self._agent = agent
        self._fallback_number = fallback_number

    async def say(self, reason: EndReason) -> None:
        """End the call at the carrier; one that does not do it is only noted."""
        if reason in _NOTHING_TO_SAY:
            return
        try:
            async with asyncio.timeout(self._within_s):
                if reason in _WITH_APOLOGY or reason is EndReason.DRAINED:
                    await self._carrier.redirect(self._call_sid, self._apology(reason))
                elif reason is EndReason.VOICEMAIL:
                    await self._leave_message()
                else:
                    await self._carrier.hang_up(self._call_sid)
        except (CarrierError, TimeoutError) as error:
            _log.warning("carrier_refused", reason=reason, error=str(error) or "time limit")

    def _apology(self, reason: EndReason) -> str:
        words = partial(twiml.say_then, self._agent.apology, language=self._agent.language)
        if reason is EndReason.DRAINED:
            return words(number=None)
        return words(number=self._fallback_number, voicemail_url=self._voicemail_url)
