"""Text messages from the number of the call, to its caller or to those whom the operator named."""

from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from app.call.events import Kind
from app.call.hidden_numbers import shown
from app.call.tools.tool_calls import Asked
from app.conf.models import SendSmsTool
from app.errors import CarrierApiError, ConfMissing, OutboundRefused, ToolError
from app.outbound.rules import check_dialable

Send = Callable[[str, str, str], Awaitable[str]]
"""Sends a text to a number from a number, and says its sid. Raises `CarrierApiError`, `ConfMissing`."""

SENT = "The message was sent."
ENOUGH = "No more messages can be sent in this call."
HIDDEN = "The caller's number is hidden or gets no messages, so nothing was sent."
WRONG_NUMBER = "That number gets no messages from us, so nothing was sent."
UNSENT = "The message was not sent."
UNSURE = "Nobody knows whether the message was sent. Do not send it again."
_UNREACHABLE = frozenset({21211, 21408, 21610, 21612, 21614})
"""Twilio's codes for a number that is none, may get none, wants none or can get none."""

_log = structlog.stdlib.get_logger(__name__)


class SmsSender:
    """One call's text messages."""

    def __init__(self, send: Send, note: Callable[..., None], *, caller: str, ours: str) -> None:
        self._send = send
        self._note = note
        self._caller = caller
        self._ours = ours
        self._count: Counter[str] = Counter()

    async def __call__(self, asked: Asked) -> str:
        """Send what the model wants to tell; raises `ToolError`."""
        tool, to, text = asked.tool, asked.arguments["to"], asked.arguments["text"]
        assert isinstance(tool, SendSmsTool)  # noqa: S101 - the toolbox goes by the type
        number = self._number(tool, to)
        if self._count[tool.name] >= tool.max_per_call:
            raise ToolError(ENOUGH)
        self._count[tool.name] += 1
        try:
            sid = await self._send(number, tool.from_number or self._ours, text)
        except (CarrierApiError, ConfMissing) as error:
            _log.warning("sms_not_sent", to=number, reason=str(error))
            raise ToolError(_reason(error)) from None
        _log.info("sms_sent", to=number, message_sid=sid)
        self._note(Kind.SMS_SENT, to=to, characters=len(text), message_sid=sid)
        return SENT

    def _number(self, tool: SendSmsTool, to: str) -> str:
        number = self._caller if to == SendSmsTool.CALLER else tool.recipients[to]
        try:
            check_dialable(shown(number))
        except OutboundRefused:
            raise ToolError(HIDDEN if to == SendSmsTool.CALLER else WRONG_NUMBER) from None
        return number


def _reason(error: CarrierApiError | ConfMissing) -> str:
    """What the model is told; the log has the rest."""
    if isinstance(error, CarrierApiError) and (error.status is None or error.status >= 500):
        return UNSURE
    return WRONG_NUMBER if getattr(error, "code", None) in _UNREACHABLE else UNSENT
