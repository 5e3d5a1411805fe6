"""The tool that is a Python function, as a call runs it."""

from app.call.tools.tool_calls import Asked
from app.conf.models import PythonTool
from app.errors import ToolError
from app.tools.python.context import ToolContext
from app.tools.python.load import PythonFunctions


async def run_python(functions: PythonFunctions, context: ToolContext, asked: Asked) -> str:
    """What the function says. Raises `ToolError`, or whatever the function raises."""
    tool = asked.tool
    assert isinstance(tool, PythonTool)  # noqa: S101 - the toolbox goes by the type
    function = functions.by_name.get(tool.function_name)
    if function is None:
        raise ToolError("The tool cannot be used now.")
    return await function(context, asked.arguments)
