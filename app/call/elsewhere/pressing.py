"""Pressing keys for the agent: the carrier plays the tones, and the stream comes back to the same call."""

import re
from collections.abc import Callable

from app.call.elsewhere.away import CUT_IN, Away, Ways
from app.call.events import Kind
from app.call.tools.tool_calls import Asked
from app.conf.models import SendDtmfTool
from app.errors import CarrierError, ToolError

KEYS = re.compile(r"[0-9*#A-Dw]{1,32}")
A_KEY_S = 0.5
"""The most that a tone, or the pause that a `w` stands for, lasts."""
PRESSED = "The keys were pressed, and you are on the line again. Listen to what comes of it."
TOO_OFTEN = "Not done: keys have been pressed as often as they may be in this call."
ELSEWHERE = "Not done: the caller is being put through to somebody."


class Pressing:
    """One call's keys. Tones in a stream's audio are not sure to be taken for keys: the carrier's own are."""

    def __init__(self, away: Away, ways: Ways, *, note: Callable[..., None]) -> None:
        self._away = away
        self._ways = ways
        self._note = note
        self._times = 0

    async def run(self, asked: Asked) -> str:
        """Answers when the stream is back."""
        tool = asked.tool
        assert isinstance(tool, SendDtmfTool)  # noqa: S101 - what this handler is for
        keys = str(asked.arguments["digits"])
        if not KEYS.fullmatch(keys):
            raise ToolError("Not done: keys are 0-9, *, # and A-D; w waits for half a second. At most 32.")
        if self._times >= tool.max_per_call:
            raise ToolError(TOO_OFTEN)
        if not await self._away.when_heard():
            raise ToolError(CUT_IN)
        if self._away.busy:
            raise ToolError(ELSEWHERE)
        self._times += 1
        try:
            await self._away.send(self._ways.back(keys=keys))
        except CarrierError as error:
            raise ToolError(f"The keys were not pressed: {error}") from None
        self._note(Kind.DTMF_SENT, digits=keys)
        await self._away.back(within_s=A_KEY_S * len(keys))
        return PRESSED
