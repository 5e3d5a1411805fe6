"""What a session may call: functions that we run, MCP servers that OpenAI calls; and which of them it shall choose."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, Tag, model_validator

from app.conf.models import BY_SHAPE
from app.openai.types.wire import Secret, WireModel

Name = Annotated[str, Field(min_length=1)]
ConnectorId = Literal[
    "connector_dropbox",
    "connector_gmail",
    "connector_googlecalendar",
    "connector_googledrive",
    "connector_microsoftteams",
    "connector_outlookcalendar",
    "connector_outlookemail",
    "connector_sharepoint",
]


class OpenaiRealtimeTool(WireModel):
    """A function the model may call; `parameters` is a JSON Schema."""

    type: Literal["function"] = "function"
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None


class McpToolFilter(WireModel):
    """Some of a server's tools: by name, or those that change nothing."""

    tool_names: list[str] | None = None
    read_only: bool | None = None


class McpApprovalFilter(WireModel):
    """Which of a server's tools are asked about, and which never."""

    always: McpToolFilter | None = None
    never: McpToolFilter | None = None


class McpTool(WireModel):
    """An MCP server that OpenAI calls for the model; exactly one field says where it is."""

    type: Literal["mcp"] = "mcp"
    server_label: Name
    server_url: str | None = None
    connector_id: ConnectorId | None = None
    tunnel_id: str | None = None
    authorization: Secret | None = None
    headers: dict[str, Secret] | None = None
    allowed_tools: (
        Annotated[Annotated[list[str], Tag("list")] | Annotated[McpToolFilter, Tag("object")], BY_SHAPE] | None
    ) = None
    require_approval: (
        Annotated[
            Annotated[Literal["always", "never"], Tag("text")] | Annotated[McpApprovalFilter, Tag("object")], BY_SHAPE
        ]
        | None
    ) = None
    server_description: str | None = None
    defer_loading: bool | None = None
    allowed_callers: list[Literal["direct", "programmatic"]] | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if sum(way is not None for way in (self.server_url, self.connector_id, self.tunnel_id)) != 1:
            raise ValueError("exactly one of server_url, connector_id and tunnel_id is needed")
        return self


Tool = Annotated[OpenaiRealtimeTool | McpTool, Field(discriminator="type")]


def _listed(value: object) -> object:
    return value if value is None or isinstance(value, list) else [value]


Tools = Annotated[list[Tool], BeforeValidator(_listed)]
"""One entry alone is taken as a list of one."""


class ToolChoiceFunction(WireModel):
    """The model must call this function."""

    type: Literal["function"] = "function"
    name: Name


class ToolChoiceMcp(WireModel):
    """The model must call this MCP server, or this tool of it."""

    type: Literal["mcp"] = "mcp"
    server_label: Name
    name: Name | None = None


ToolReference = Annotated[ToolChoiceFunction | ToolChoiceMcp, Field(discriminator="type")]
ToolChoice = Annotated[
    Annotated[Literal["auto", "none", "required"], Tag("text")] | Annotated[ToolReference, Tag("object")], BY_SHAPE
]
