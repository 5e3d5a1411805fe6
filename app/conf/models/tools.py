"""What an agent may do besides talking."""

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, Tag, model_validator

from app.conf.models.base import BY_SHAPE, Conf

ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class EndCallTool(Conf):
    """The agent may hang up; the caller hears the goodbye first."""

    type: Literal["end_call"]
    name: ToolName = "end_call"
    description: str = "End the call. Say goodbye in the same answer; the line closes when the caller has heard it."

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema: there are none."""
        return {"type": "object", "properties": {}, "additionalProperties": False}


class StopRecordingTool(Conf):
    """The caller may decline to be recorded; an agent with a consent line has this by itself."""

    type: Literal["stop_recording"] = "stop_recording"
    name: ToolName = "stop_recording"
    description: str = (
        "Stop recording this call and delete what was recorded. Call it as soon as the caller does not want to be "
        "recorded, and tell the caller what came of it."
    )

    @classmethod
    def after(cls, announced: str) -> "StopRecordingTool":
        """The tool for callers who have been told exactly this."""
        told = f'{cls().description} Before you came on the line the caller was told: "{announced}"'
        return cls(description=told)

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema: there are none."""
        return {"type": "object", "properties": {}, "additionalProperties": False}


class OptOutTool(Conf):
    """The caller may say that nobody shall call him again: his number goes on the do-not-call list."""

    type: Literal["opt_out"]
    name: ToolName = "opt_out"
    description: str = (
        "Put the caller's number on the do-not-call list, for good. Call it as soon as the caller does not want to be "
        "called again, and tell the caller what came of it."
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema: there are none."""
        return {"type": "object", "properties": {}, "additionalProperties": False}


class LookupTool(Conf):
    """The agent looks a key up in a table that stands right here."""

    type: Literal["lookup"]
    name: ToolName
    description: str
    key_name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")] = "key"
    key_description: str = "What to look up."
    entries: dict[str, str]

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema."""
        key = {"type": "string", "description": f"{self.key_description} One of: {', '.join(self.entries)}."}
        return {
            "type": "object",
            "properties": {self.key_name: key},
            "required": [self.key_name],
            "additionalProperties": False,
        }


class McpToolFilter(Conf):
    """Some of a server's tools: by name, or those that change nothing."""

    tool_names: list[str] | None = None
    read_only: bool | None = None


class McpApproval(Conf):
    """Which of a server's tools are asked about, and which never."""

    always: McpToolFilter | None = None
    never: McpToolFilter | None = None


class McpTool(Conf):
    """An MCP server whose tools the provider runs for the agent; exactly one field says where it is."""

    type: Literal["mcp"]
    server_label: ToolName
    server_url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    connector_id: str | None = None
    tunnel_id: str | None = None
    authorization: SecretStr | None = None
    headers: dict[str, SecretStr] | None = None
    allowed_tools: (
        Annotated[Annotated[list[str], Tag("list")] | Annotated[McpToolFilter, Tag("object")], BY_SHAPE] | None
    ) = None
    require_approval: (
        Annotated[Annotated[Literal["always", "never"], Tag("text")] | Annotated[McpApproval, Tag("object")], BY_SHAPE]
        | None
    ) = None
    """Left out, the provider asks before every call."""
    server_description: str | None = None
    defer_loading: bool | None = None
    allowed_callers: list[Literal["direct", "programmatic"]] | None = None

    @property
    def name(self) -> str:
        """What no other tool of the agent may be called."""
        return self.server_label

    @model_validator(mode="after")
    def _one_way_in(self) -> "McpTool":
        if sum(way is not None for way in (self.server_url, self.connector_id, self.tunnel_id)) != 1:
            raise ValueError("exactly one of server_url, connector_id and tunnel_id is needed")
        return self


FunctionTool = EndCallTool | LookupTool | OptOutTool | StopRecordingTool
"""A tool that we run ourselves."""
ToolConf = Annotated[EndCallTool | LookupTool | McpTool | OptOutTool, Field(discriminator="type")]
"""A tool as an operator writes it down."""


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
