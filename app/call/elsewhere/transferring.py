"""Putting the caller through: for the agent, for a key or for an operator; and telling the agent of who comes back."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from app.call.actions import TellModel
from app.call.bridge import Bridge
from app.call.elsewhere.away import CUT_IN, Away
from app.call.elsewhere.transfer import Transfer
from app.call.events import Kind
from app.call.status import CallStatus
from app.call.tools.tool_calls import Asked
from app.conf.models import FunctionTool, TransferCallTool
from app.errors import CarrierError, CommandRefused, ToolError

FAILED = "The transfer did not work: the caller is still with you. Tell them, and help them yourself."
TOO_OFTEN = "Not done: this call has been put through as often as it may be. Help the caller yourself."
_RETURNED = "{why} The caller is back with you and has heard nothing of it. Tell them, and go on with them."
_WHY = {"busy": "The line was busy.", "no-answer": "Nobody answered.", "canceled": "Nobody answered."}
RING_S = 30
"""So long it rings where an operator did not choose the destination from the agent's own."""

_OVER = "The call is ending."

_log = structlog.get_logger(__name__)


class Transferring:
    """One call's transfers, whoever wants them. The model never names a number: only what the agent's tool lists."""

    def __init__(
        self,
        transfer: Transfer,
        away: Away,
        tools: Sequence[FunctionTool],
        *,
        bridge: Bridge,
        note: Callable[..., None],
        move: Callable[[CallStatus], None],
        max_s: int,
    ) -> None:
        """`max_s`: how long the two may talk where no tool of the agent's says it."""
        self._transfer = transfer
        self._away = away
        self.use(tools)
        self._bridge = bridge
        self._note = note
        self._move = move
        self._max_s = max_s
        self._times = 0

    def use(self, tools: Sequence[FunctionTool]) -> None:
        """Another agent takes over: a key puts through to whom that one may call."""
        self._tools = [tool for tool in tools if isinstance(tool, TransferCallTool)]

    async def run(self, asked: Asked) -> str:
        """The agent's tool: answers when the caller is back, and never where somebody took the call."""
        tool = asked.tool
        assert isinstance(tool, TransferCallTool)  # noqa: S101 - what this handler is for
        try:
            name = asked.arguments["destination"]
            self._check(tool, name)
            if not await self._away.when_heard():
                raise ToolError(CUT_IN)
            await self._choose(tool, name)
        except CommandRefused as refusal:
            raise ToolError(f"{FAILED} ({refusal})") from None
        return await self._returned()

    async def to(self, name: str) -> None:
        """The caller wants to be put through to a destination of the agent's; the agent tells them if that fails."""
        if self._away.busy:
            return  # they are on their way already
        tool = next((tool for tool in self._tools if name in tool.destinations), None)
        try:
            if tool is None:
                raise ToolError(f"There is no destination {name!r}.")
            await self._choose(tool, name)
        except (CommandRefused, ToolError) as refusal:
            _log.warning("transfer_failed", reason=str(refusal))
            await self._bridge.perform([TellModel(FAILED, "system")])
        else:
            await self._tell_when_back()

    async def order(self, to: str) -> None:
        """Somebody outside wants it; raises `CommandRefused`. When the caller comes back, the agent is told."""
        if self._bridge.over:
            raise CommandRefused("not_ready", _OVER)
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._bridge.beside(self._carry_out(to, begun))  # whoever wants it may go away; it goes on all the same
        await begun

    async def _carry_out(self, to: str, begun: asyncio.Future[None]) -> None:
        refusal = CommandRefused("not_ready", _OVER)
        try:
            await self._begin(to, ring_s=RING_S, max_s=self._max_s)
        except CommandRefused as error:
            refusal = error
        else:
            _settle(begun)
            await self._tell_when_back()
        finally:
            _settle(begun, refusal)

    def _check(self, tool: TransferCallTool, name: Any) -> None:
        if name not in tool.destinations:
            raise ToolError(f"There is no destination {name!r}.")
        if self._times >= tool.max_per_call:
            raise ToolError(TOO_OFTEN)
        self._transfer.check(tool.destinations[name].number)

    async def _choose(self, tool: TransferCallTool, name: str) -> None:
        self._check(tool, name)  # once more: much may have happened while the caller listened
        self._times += 1
        number = tool.destinations[name].number
        await self._begin(number, ring_s=tool.ring_seconds, max_s=tool.max_seconds, destination=name)

    async def _begin(self, to: str, *, ring_s: int, max_s: int, **chosen: str) -> None:
        self._transfer.check(to)
        self._move(CallStatus.TRANSFERRING)
        self._note(Kind.TRANSFER_STARTED, to=to, **chosen)
        try:
            await self._transfer.go(to, ring_s=ring_s, max_s=max_s)
        except CarrierError as error:
            self._move(CallStatus.LIVE)
            self._note(Kind.TRANSFER_FAILED, to=to, reason=str(error))
            raise CommandRefused("carrier_refused", f"The call was not transferred: {error}") from None

    async def _tell_when_back(self) -> None:
        await self._bridge.perform([TellModel(await self._returned(), "system")])

    async def _returned(self) -> str:
        status = await self._transfer.back()
        self._move(CallStatus.LIVE)
        self._note(Kind.TRANSFER_RETURNED, status=status)
        return _RETURNED.format(why=_WHY.get(status, "The number could not be reached."))


def _settle(begun: "asyncio.Future[None]", refusal: CommandRefused | None = None) -> None:
    """Tell who waits for it, unless they know already or are gone."""
    if begun.done():
        return
    if refusal:
        begun.set_exception(refusal)
    else:
        begun.set_result(None)
