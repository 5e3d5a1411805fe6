"""A call's tools: what the model asks for is checked, run within its limits, and always has an answer."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from jsonschema import Draft202012Validator
from referencing import Registry

from app.call.tools.confirming import ASK_FIRST, Confirming
from app.call.tools.tool_tasks import ToolTasks
from app.conf.models import (
    EndCallTool,
    FunctionTool,
    OptOutTool,
    SendSmsTool,
    TakeMessageTool,
    TimedTool,
    WorkingTool,
)
from app.errors import ToolError
from app.realtime.events import ToolCall

AT_ONCE = 3
"""So many tools of a call run at the same time; another waits for its place, within its own time."""
MOST_CALLS = 50
"""So many a call: a model that goes round in circles does not do it at somebody's expense."""
MAX_OUTPUT_BYTES = 16 * 1024
_LOOKED_AT = 4 * MAX_OUTPUT_BYTES
"""So many characters, and no more, however much a tool says: all calls would wait for it."""
CUT_MARKER = " [cut: too long]"
MAX_REASON_CHARACTERS = 500
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""What commands a terminal, turns the order of letters around or is not seen by anybody who checks a text."""
_FINISHING = (OptOutTool, SendSmsTool, TakeMessageTool)
"""What a caller was promised is done, also when they have hung up."""
_NO_MORE = "This call has used its tools too often. Go on without them."

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
        confirming: Confirming | None = None,
        tasks: ToolTasks | None = None,
    ) -> None:
        """`own` handlers keep their own time; `others` are stopped when their deadline is over, and counted."""
        self._own = own
        self._others = others
        self._deadline_s = deadline_s
        self._confirming = confirming or Confirming()
        self._tasks = tasks or ToolTasks()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._calls = 0
        self.use(tools)

    def use(self, tools: Sequence[FunctionTool]) -> None:
        """From here on the model has these tools, and no others; the limits of the call go on."""
        self._tools = {tool.name: tool for tool in tools}

    @property
    def hang_up_tools(self) -> frozenset[str]:
        """The names under which the model ends the call."""
        return frozenset(tool.name for tool in self._tools.values() if isinstance(tool, EndCallTool))

    async def run(self, call: ToolCall) -> str:
        """The tool's output for the model. Raises `ToolError` with what the model shall be told instead."""
        self._calls += 1
        try:
            return presentable(await self._checked(call))
        except ToolError as error:
            raise ToolError(presentable(str(error))) from error
        except Exception as error:  # a tool is somebody's code: its failure is an answer, never the call's end
            _log.exception("tool_crashed", tool=call.name)
            raise ToolError("The tool failed.") from error

    async def _checked(self, call: ToolCall) -> str:
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolError(f"There is no tool {call.name!r}.")
        asked = Asked(call.call_id, tool, arguments_of(call.arguments, tool.parameters))
        if isinstance(tool, WorkingTool) and tool.confirm and not self._confirming.may_run(tool.name, asked.arguments):
            return ASK_FIRST
        if own := self._own.get(type(tool)):
            return await own(asked)
        if self._calls > MOST_CALLS and not isinstance(tool, OptOutTool):
            raise ToolError(_NO_MORE)
        return await self._run(asked)

    async def _run(self, asked: Asked) -> str:
        tool = asked.tool
        limit_s = (tool.deadline_seconds if isinstance(tool, TimedTool) else None) or self._deadline_s
        try:
            return await self._tasks.run(tool.name, self._in_place(asked), within_s=limit_s, finishes=_finishes(tool))
        except TimeoutError:
            raise ToolError("The tool took too long and was stopped.") from None

    async def _in_place(self, asked: Asked) -> str:
        async with self._places:
            return await self._others(asked)


def _finishes(tool: FunctionTool) -> bool:
    """Whether it goes on when the call ends."""
    return isinstance(tool, _FINISHING) or (isinstance(tool, WorkingTool) and tool.finishes_after_hang_up)


def arguments_of(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the schema wants them; a model that sends nothing means none. Raises `ToolError`."""
    try:
        arguments = msgspec.json.decode(text or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise ToolError("The arguments are not a JSON object. Call the tool again with valid arguments.") from None
    checker = Draft202012Validator(schema, registry=Registry())  # one of its own: nothing is fetched for a $ref
    problems = [problem.message for problem in checker.iter_errors(arguments)]
    if problems:
        raise ToolError(f"The arguments do not fit: {'; '.join(problems)[:MAX_REASON_CHARACTERS]}.")
    return arguments


def presentable(output: str) -> str:
    """Without characters that nobody would see, and cut to what a model should read."""
    data = _CONTROL.sub("", output[:_LOOKED_AT]).encode(errors="replace")
    if len(data) <= MAX_OUTPUT_BYTES and len(output) <= _LOOKED_AT:
        return data.decode()
    return data[: MAX_OUTPUT_BYTES - len(CUT_MARKER)].decode(errors="ignore") + CUT_MARKER
