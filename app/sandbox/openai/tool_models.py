"""The tools of a session or a response, and the choice between them, as a client may write them."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, Tag, model_validator

from app.sandbox.openai.wire import OMITTED, TextOrObject, Wire


class FunctionTool(Wire):
    type: Literal["function"]
    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    description: str = ""
    parameters: dict[str, Any] = OMITTED


class ToolFilter(Wire):
    tool_names: list[str] = OMITTED
    read_only: bool = False


class Approval(Wire):
    always: ToolFilter = ToolFilter()
    never: ToolFilter = ToolFilter()


Connector = Literal[
    "connector_dropbox",
    "connector_gmail",
    "connector_googlecalendar",
    "connector_googledrive",
    "connector_microsoftteams",
    "connector_outlookcalendar",
    "connector_outlookemail",
    "connector_sharepoint",
]


class McpTool(Wire):
    type: Literal["mcp"]
    server_label: str
    server_url: str | None = None
    connector_id: Connector | None = None
    tunnel_id: str | None = None
    authorization: str | None = None
    headers: dict[str, str] | None = None
    allowed_tools: (
        Annotated[Annotated[list[str], Tag("text")] | Annotated[ToolFilter, Tag("object")], TextOrObject] | None
    ) = None
    require_approval: (
        Annotated[Annotated[Literal["always", "never"], Tag("text")] | Annotated[Approval, Tag("object")], TextOrObject]
        | None
    ) = None
    server_description: str = ""
    defer_loading: bool = False
    allowed_callers: list[Literal["direct", "programmatic"]] = OMITTED

    @model_validator(mode="after")
    def _one_way_in(self) -> "McpTool":
        if sum(bool(way) for way in (self.server_url, self.connector_id, self.tunnel_id)) != 1:
            raise ValueError("exactly one of 'server_url', 'connector_id' and 'tunnel_id' is needed")
        return self


Tool = Annotated[FunctionTool | McpTool, Field(discriminator="type")]


class FunctionChoice(Wire):
    type: Literal["function"]
    name: str


class McpChoice(Wire):
    type: Literal["mcp"]
    server_label: str
    name: str | None = None


ToolChoice = Annotated[
    Annotated[Literal["auto", "none", "required"], Tag("text")]
    | Annotated[Annotated[FunctionChoice | McpChoice, Field(discriminator="type")], Tag("object")],
    TextOrObject,
]
