"""The tools that leave a call as it is: each type has its handler."""

from collections.abc import Mapping

from app.call.tools.tool_calls import Asked, Handler
from app.conf.models import FunctionTool, LookupTool
from app.errors import ToolError


class Toolbox:
    """One call's handlers, by the type of the tool."""

    def __init__(self, handlers: Mapping[type[FunctionTool], Handler]) -> None:
        self._handlers: dict[type[FunctionTool], Handler] = {LookupTool: look_up, **handlers}

    async def __call__(self, asked: Asked) -> str:
        """What the model is told of it; raises `ToolError`."""
        handler = self._handlers.get(type(asked.tool))
        if handler is None:
            raise ToolError("The tool cannot be used now.")
        return await handler(asked)


async def look_up(asked: Asked) -> str:
    """The entry of that key; raises `ToolError` where there is none."""
    tool = asked.tool
    assert isinstance(tool, LookupTool)  # noqa: S101 - the toolbox goes by the type
    key: str = asked.arguments[tool.key_name]
    entries = {name.casefold().strip(): text for name, text in tool.entries.items()}
    try:
        return entries[key.casefold().strip()]
    except KeyError:
        raise ToolError(f"There is no entry {key!r}. There are: {', '.join(tool.entries)}.") from None
