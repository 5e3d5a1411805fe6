"""Which tool an answer must use, if any."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from app.conf.models.base import BY_SHAPE, Conf
from app.conf.models.tools.base import ToolName


class FunctionChoice(Conf):
    """Every answer must call this function."""

    type: Literal["function"]
    name: ToolName


class McpChoice(Conf):
    """Every answer must call this MCP server, or this tool of it."""

    type: Literal["mcp"]
    server_label: ToolName
    name: str | None = None


ToolChoice = Annotated[
    Annotated[Literal["auto", "none", "required"], Tag("text")]
    | Annotated[Annotated[FunctionChoice | McpChoice, Field(discriminator="type")], Tag("object")],
    BY_SHAPE,
]
