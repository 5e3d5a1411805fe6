"""An agent's tools: checks what the model asks for, runs it, and always has an answer."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog
from jsonschema import Draft202012Validator

from app.conf.models import EndCallTool, FunctionTool, LookupTool, OptOutTool, StopRecordingTool
from app.errors import ToolError
from app.realtime.events import ToolCall

MAX_OUTPUT_BYTES = 16 * 1024
CUT_MARKER = " [cut: too long]"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

_log = structlog.get_logger(__name__)


class Toolbox:
    """Runs the tools of one agent; those that change the call itself are the call's own business."""

    def __init__(
        self, tools: Sequence[FunctionTool], *, deadline_s: float, opt_out: Callable[[], Awaitable[str]] | None = None
    ) -> None:
        """`opt_out` puts the other party on the do-not-call list, and says so."""
        self._tools = {tool.name: tool for tool in tools}
        self._opt_out = opt_out
        self._deadline_s = deadline_s

    @property
    def hang_up_tools(self) -> frozenset[str]:
        """The names under which the model ends the call."""
        return frozenset(tool.name for tool in self._tools.values() if isinstance(tool, EndCallTool))

    @property
    def decline_tools(self) -> frozenset[str]:
        """The names under which the model tells that the caller does not want to be recorded."""
        return frozenset(tool.name for tool in self._tools.values() if isinstance(tool, StopRecordingTool))

    async def run(self, call: ToolCall) -> str:
        """The tool's output for the model. Raises `ToolError` with what the model shall be told instead."""
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolError(f"There is no tool {call.name!r}.")
        arguments = _arguments(call.arguments, tool.parameters)
        try:
            async with asyncio.timeout(self._deadline_s):
                output = await self._run(tool, arguments)
        except TimeoutError:
            raise ToolError("The tool took too long and was stopped.") from None
        except ToolError:
            raise
        except Exception as error:  # a tool is somebody's code: its failure is an answer, never the call's end
            _log.exception("tool_crashed", tool=call.name)
            raise ToolError("The tool failed.") from error
        return _presentable(output)

    async def _run(self, tool: FunctionTool, arguments: Mapping[str, Any]) -> str:
        match tool:
            case LookupTool():
                return _look_up(tool, arguments[tool.key_name])
            case OptOutTool() if self._opt_out:
                return await self._opt_out()
            case OptOutTool():
                raise ToolError("There is no do-not-call list here.")
            case EndCallTool():
                raise ToolError("The call cannot be ended this way now.")
            case StopRecordingTool():
                raise ToolError("The recording cannot be stopped this way now.")


def _look_up(tool: LookupTool, key: str) -> str:
    entries = {name.casefold().strip(): text for name, text in tool.entries.items()}
    try:
        return entries[key.casefold().strip()]
    except KeyError:
        raise ToolError(f"There is no entry {key!r}. There are: {', '.join(tool.entries)}.") from None


def _arguments(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the schema wants them; a model that sends nothing means none."""
    try:
        arguments = msgspec.json.decode(text or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise ToolError("The arguments are not a JSON object. Call the tool again with valid arguments.") from None
    problems = [problem.message for problem in Draft202012Validator(schema).iter_errors(arguments)]
    if problems:
        raise ToolError(f"The arguments do not fit: {'; '.join(problems)}.")
    return arguments


def _presentable(output: str) -> str:
    """Without control characters, and cut to what a model should read."""
    data = _CONTROL.sub("", output).encode()
    if len(data) <= MAX_OUTPUT_BYTES:
        return data.decode()
    return data[: MAX_OUTPUT_BYTES - len(CUT_MARKER)].decode(errors="ignore") + CUT_MARKER
