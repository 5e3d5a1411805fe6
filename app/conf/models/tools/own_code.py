"""Tools that an operator brings along: a web service, or a Python function."""

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from app.conf.models.base import Conf
from app.conf.models.tools.base import NO_ARGUMENTS, Description, ToolName, WorkingTool

OnHangUp = Literal["cancel", "finish"]


class OutputMap(Conf):
    """What of an answer the model gets; without a field, all of it."""

    pointer: Annotated[str, Field(pattern=r"^(/.*)?$", max_length=500)] | None = None
    """A JSON pointer (RFC 6901) into the answer."""
    template: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    """A text with `{{/pointer}}`s into the answer (into what `pointer` found, with both)."""


class HttpTool(WorkingTool):
    """The agent asks a web service.

    Texts may have `{{args.NAME}}` (the model's arguments), `{{call.id}}`, `{{call.caller}}`, `{{call.called}}`,
    `{{call.agent}}`, `{{digits.NAME}}` and the call's variables, `{{name}}`.
    """

    type: Literal["http"]
    name: ToolName
    description: Description
    parameters: dict[str, Any] = Field(default_factory=lambda: dict(NO_ARGUMENTS))
    """The arguments' JSON Schema; objects take no other fields than they name, unless they say so."""
    url: Annotated[str, Field(min_length=1, max_length=2048)]
    """https; http only for an address in `allow_private`. Placeholders stand in the path, percent-encoded, never in
    the host."""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: Annotated[dict[str, SecretStr], Field(max_length=50)] = Field(default_factory=dict)
    query: Annotated[dict[str, str], Field(max_length=50)] = Field(default_factory=dict)
    body: Any = None
    """JSON whose texts may have placeholders; without it, all arguments. GET and DELETE have none."""
    signing_secret: SecretStr | None = None
    """Signs every request (Standard Webhooks)."""
    allow_private: list[Annotated[str, Field(max_length=253)]] = Field(default_factory=list)
    """Networks, addresses and hosts off the public internet that this tool may lead to."""
    output: OutputMap = OutputMap()
    max_response_bytes: Annotated[int, Field(ge=1, le=1_048_576)] = 262_144
    retries: Annotated[int, Field(ge=0, le=3)] = 0
    """How often a request that failed is sent again, with the same idempotency key: only for a service that knows
    such keys, or where twice does no harm."""
    on_hang_up: OnHangUp | None = None
    """Whether it is cancelled when the call ends; without it, only a GET is."""


class PythonTool(WorkingTool):
    """The agent calls a Python function of the operator's, from the folder of tools or from an installed package."""

    type: Literal["python"]
    name: ToolName
    description: Annotated[str, Field(max_length=4000)] | None = None
    """Without it, the function's docstring."""
    function: Annotated[str, Field(max_length=200)] | None = None
    """The function's name, where it is not the tool's."""
    on_hang_up: OnHangUp = "cancel"
