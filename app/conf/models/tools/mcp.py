"""Tools that the model's provider runs for the agent."""

from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr, Tag, model_validator

from app.conf.models.base import BY_SHAPE, Conf
from app.conf.models.tools.base import ToolName
from app.egress.urls import check_url
from app.errors import EgressRefused


class McpToolFilter(Conf):
    """Some of a server's tools: by name, or those that change nothing."""

    tool_names: list[str] | None = None
    read_only: bool | None = None


class McpApproval(Conf):
    """Which of a server's tools are asked about, and which never."""

    always: McpToolFilter | None = None
    never: McpToolFilter | None = None


def _leads_outside(url: str) -> str:
    try:
        check_url(url)
    except EgressRefused as error:
        raise ValueError(str(error)) from None
    return url


class McpTool(Conf):
    """An MCP server whose tools the provider runs for the agent; exactly one field says where it is."""

    type: Literal["mcp"]
    server_label: ToolName
    server_url: Annotated[str, AfterValidator(_leads_outside)] | None = None
    """https, on the public internet: the provider goes there."""
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
    approve: Annotated[Annotated[Literal["none", "all"], Tag("text")] | Annotated[list[str], Tag("list")], BY_SHAPE] = (
        "none"
    )
    """What the provider is told when it asks, at once and in the call's journal: yes to all of its tools, to those of
    these names, or to none."""
    server_description: str | None = None
    defer_loading: bool | None = None
    allowed_callers: list[Literal["direct", "programmatic"]] | None = None

    @property
    def name(self) -> str:
        """What no other tool of the agent may be called."""
        return self.server_label

    def approves(self, name: str) -> bool:
        """Whether that tool may run when the provider asks."""
        return self.approve == "all" or (isinstance(self.approve, list) and name in self.approve)

    @model_validator(mode="after")
    def _one_way_in(self) -> "McpTool":
        if sum(way is not None for way in (self.server_url, self.connector_id, self.tunnel_id)) != 1:
            raise ValueError("exactly one of server_url, connector_id and tunnel_id is needed")
        return self
