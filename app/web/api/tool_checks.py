"""Does a web tool do what it shall? It is used once, for real, as an agent would in a call."""

import json
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from app.call.tools.digits import CollectedDigits
from app.call.tools.tool_calls import arguments_of, presentable
from app.conf.models import AgentConf, HttpTool, fill
from app.conf.secrets import mask
from app.db import audit
from app.db.engine import db_session
from app.errors import ToolError
from app.tools.http.render import Values
from app.tools.http.run import CallContext, Tried
from app.web.api.agents import AgentName
from app.web.api.auth import Writer
from app.web.api.routing import api_router
from app.web.api.row_routes import House
from app.web.line import Line, values
from app.web.problems import Problem

ToolName = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The tool's name.", examples=["find_order"])
]
Digits = Annotated[str, Field(pattern=r"^[0-9]{1,64}$")]
Text = Annotated[str, Field(max_length=1000)]

router = api_router("agents")


class ToolTry(BaseModel):
    """What the tool shall be used with."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"arguments": {"order": "A-1001"}}]})

    arguments: Annotated[dict[str, Any], Field(description="What the model would ask for.")] = Field(
        default_factory=dict
    )
    variables: Annotated[
        dict[str, Text], Field(description="What a call would bring along; others have the agent's defaults.")
    ] = Field(default_factory=dict)
    digits: Annotated[dict[str, Digits], Field(description="What the caller would have typed.")] = Field(
        default_factory=dict
    )
    caller: Text = ""
    called: Text = ""


class SentRequest(BaseModel):
    """What the service was asked. Every header is masked, and digits are hidden."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None


class TriedTool(BaseModel):
    """How it went. A tool that fails is no error of the request."""

    ok: bool
    output: Annotated[str, Field(description="What the model would be told.")]
    detail: Annotated[str | None, Field(description="Why there was no answer, for you.")] = None
    status: Annotated[int | None, Field(description="The service's own.")] = None
    tries: int = 0
    took_ms: int = 0
    request: Annotated[SentRequest | None, Field(description="Null where the arguments make none.")] = None


@router.post(
    "/agents/{name}/tools/{tool}/test",
    name="test_agent_tool",
    responses={409: {"description": "`not_an_http_tool`: only those can be tried without a call."}},
)
async def try_agent_tool(name: AgentName, tool: ToolName, given: ToolTry, house: House, holder: Writer) -> TriedTool:
    """Use a web tool once, outside of any call. The service is really asked, and may really do something."""
    conf = await house.store.records.conf("agent", name)
    assert isinstance(conf, AgentConf)  # noqa: S101 - what that section holds
    line = Line("", given.caller, given.called)
    found = _tool(fill(conf, values(line, None, name, conf, given.variables))[0], tool)
    async with db_session(house.engine) as db:
        await audit.note(db, holder.actor, "try", f"agent/{name}/tools/{tool}")
    digits = CollectedDigits()
    for each, typed in given.digits.items():
        digits.keep(each, typed)
    context = CallContext(id=f"test-{uuid4()}", caller=given.caller, called=given.called, agent=name, digits=digits)
    try:
        arguments = arguments_of(json.dumps(given.arguments), found.parameters)
        wanted = Values(arguments, context.values, digits(), found.variables)
        tried = await house.outside.http_tools.use(found, wanted, str(uuid4()))
    except ToolError as error:
        return TriedTool(ok=False, output=digits.hide_in(str(error)))
    return _shown(tried, digits)


def _tool(agent: AgentConf, name: str) -> HttpTool:
    for each in agent.tools:
        if each.name == name:
            if isinstance(each, HttpTool):
                return each
            raise Problem(409, "not_an_http_tool", f"{name} is of type {each.type}: try it in a call.")
    raise Problem(404, "not_found", f"The agent has no tool {name}.")


def _shown(tried: Tried, digits: CollectedDigits) -> TriedTool:
    asked = tried.request
    return TriedTool(
        ok=tried.error is None,
        output=digits.hide_in(presentable(str(tried.error) if tried.error else tried.output)),
        detail=tried.detail,
        status=tried.status,
        tries=tried.tries,
        took_ms=tried.took_ms,
        request=SentRequest(
            method=asked.method,
            url=digits.hide_in(asked.url),
            headers={name: mask(value) for name, value in asked.headers.items()} | {"idempotency-key": asked.key},
            body=asked.body and digits.hide_in(asked.body),
        ),
    )
