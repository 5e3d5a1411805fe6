"""A call's tools: what the model asks for is checked, run within its limits, and always has an answer."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from jsonschema import Draft202012Validator

from app.conf.models import EndCallTool, FunctionTool, WorkingTool
from app.errors import ToolError
from app.realtime.events import ToolCall

MAX_OUTPUT_BYTES = 16 * 1024
CUT_MARKER = " [cut: too long]"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the model asked a tool for; the arguments fit the tool's schema."""

    call_id: str
    tool: FunctionTool
    arguments: Mapping[str, Any]


Handler = Callable[[Asked], Awaitable[str]]
"""Does it, and says what the model is told of it. Raises `ToolError` with what the model is told instead."""


class ToolCalls:
    """Runs the tools of one agent in one call: those that change the call itself by its own handlers."""

    def __init__(
        self,
        tools: Sequence[FunctionTool],
        *,
        own: Mapping[type[FunctionTool], Handler],
        others: Handler,
        deadline_s: float,
    ) -> None:
        """`own` handlers keep their own time; `others` are stopped when their deadline is over."""
        self._tools = {tool.name: tool for tool in tools}
        self._own = own
        self._others = others
        self._deadline_s = deadline_s

    @property
    def hang_up_tools(self) -> frozenset[str]:
        """The names under which the model ends the call."""
        return frozenset(tool.name for tool in self._tools.values() if isinstance(tool, EndCallTool))

    async def run(self, call: ToolCall) -> str:
        """The tool's output for the model. Raises `ToolError` with what the model shall be told instead."""
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolError(f"There is no tool {call.name!r}.")
        asked = Asked(call.call_id, tool, arguments_of(call.arguments, tool.parameters))
        try:
            return presentable(await self._run(asked))
        except ToolError:
            raise
        except Exception as error:  # a tool is somebody's code: its failure is an answer, never the call's end
            _log.exception("tool_crashed", tool=call.name)
            raise ToolError("The tool failed.") from error

    async def _run(self, asked: Asked) -> str:
        if own := self._own.get(type(asked.tool)):
            return await own(asked)
        try:
            async with asyncio.timeout(self._limit_s(asked.tool)):
                return await self._others(asked)
        except TimeoutError:
            raise ToolError("The tool took too long and was stopped.") from None

    def _limit_s(self, tool: FunctionTool) -> float:
        own_s = tool.deadline_seconds if isinstance(tool, WorkingTool) else None
        return own_s or self._deadline_s


def arguments_of(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the schema wants them; a model that sends nothing means none. Raises `ToolError`."""
    try:
        arguments = msgspec.json.decode(text or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise ToolError("The arguments are not a JSON object. Call the tool again with valid arguments.") from None
    problems = [problem.message for problem in Draft202012Validator(schema).iter_errors(arguments)]
    if problems:
        raise ToolError(f"The arguments do not fit: {'; '.join(problems)}.")
    return arguments


def presentable(output: str) -> str:
    """Without control characters, and cut to what a model should read."""
    data = _CONTROL.sub("", output).encode()
    if len(data) <= MAX_OUTPUT_BYTES:
        return data.decode()
    return data[: MAX_OUTPUT_BYTES - len(CUT_MARKER)].decode(errors="ignore") + CUT_MARKER
