"""Agents: who answers, how they sound, what they may do."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field

from app.conf.models import AgentConf, fill
from app.conf.writes import Author
from app.errors import ConfMissing, SessionUnavailable
from app.web.api.auth import Reader, Writer
from app.web.api.knowledge_checks import empty_collections
from app.web.api.paging import Page
from app.web.api.preconditions import etag
from app.web.api.routing import api_router
from app.web.api.row_routes import House, add_row_routes
from app.web.api.rows import NAME, Given, Kind, Masked, Shown, Version, config_faults
from app.web.line import Line, values
from app.web.problems import Problem

AgentName = Annotated[str, Path(pattern=NAME, description="The agent's name.", examples=["default"])]


class GivenAgent(Given[AgentConf]):
    """An agent as it shall be. Its configuration may be in old words: they are replaced, and `warnings` say so."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"config": {"instructions": "You book tables.", "voice": "cedar"}, "note": "a warmer voice"}]
        }
    )


class NewAgent(GivenAgent):
    """An agent that is not there yet."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "bookings", "config": {"voice": "cedar"}}]})

    name: Annotated[str, Field(pattern=NAME, description="What numbers and calls know it by.", examples=["bookings"])]


class Agent(Shown[AgentConf]):
    """An agent."""


class AgentPage(Page[Agent]):
    """One page of agents."""


class AgentVersion(Version[AgentConf]):
    """What an agent was at that version."""


class CheckedAgent(BaseModel):
    """An agent that would be saved."""

    config: Masked[AgentConf]
    warnings: list[str]


class SessionUpdate(BaseModel):
    """The `session.update` that an agent's calls begin with; secrets of MCP servers are masked."""

    type: Literal["session.update"] = "session.update"
    session: dict[str, Any]


class BrowserKeyWish(BaseModel):
    """How long a browser's key shall open sessions."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"lifetime_s": 600}]})

    lifetime_s: Annotated[
        int, Field(strict=True, ge=10, le=7200, description="A session that is open outlives its key.")
    ] = 600


class ShownBrowserKey(BaseModel):
    """A key with which a browser opens a session as the agent, at the provider and past us."""

    value: str
    expires_at: datetime


_EXAMPLE = {"instructions": "You book tables.", "voice": "cedar"}
KIND = Kind("agent", "/agents", "agent", "agents", AgentName, GivenAgent, Agent, AgentPage, AgentVersion, _EXAMPLE)
router = api_router("agents")


@router.post(
    "/agents",
    status_code=201,
    response_model=Agent,
    responses={
        201: {
            "headers": {"Location": {"description": "The agent's address.", "schema": {"type": "string"}}},
            "links": {
                word: {"operationId": f"{word}_agent", "parameters": {"name": "$response.body#/name"}}
                for word in ("get", "update", "replace", "delete", "check")
            },
        },
        409: {"description": "There is an agent of that name."},
    },
)
async def create_agent(given: NewAgent, house: House, holder: Writer, response: Response) -> Any:
    """Make an agent that is not there yet."""
    with config_faults():
        written = await house.store.writes.create("agent", given.name, given.config, Author(holder.actor, given.note))
    response.headers["Location"] = f"/api/v1/agents/{given.name}"
    response.headers["ETag"] = etag(written.version)
    return KIND.show_written(written)


add_row_routes(router, KIND)


@router.post("/agents/{name}/check")
async def check_agent(name: AgentName, given: GivenAgent, house: House, _: Reader) -> CheckedAgent:
    """Find out what saving would say, without saving: the same refusals, the same warnings."""
    with config_faults():
        config, warnings = await house.store.writes.check("agent", name, given.config)
    return CheckedAgent(config=config, warnings=warnings + await empty_collections(house.engine, config))


@router.get("/agents/{name}/session")
async def get_agent_session(name: AgentName, house: House, _: Reader) -> SessionUpdate:
    """What the agent's next call tells the model at its beginning; its variables stand there as they are written."""
    agent = await _agent(house, name)
    return SessionUpdate(session=house.providers[agent.provider].compile(agent))


@router.post(
    "/agents/{name}/client-secret",
    status_code=201,
    responses={
        409: {"description": "The agent's account is not set, or its provider has no such keys."},
        502: {"description": "The provider refused, or cannot be reached."},
    },
)
async def create_agent_client_secret(
    name: AgentName, house: House, _: Writer, response: Response, wish: BrowserKeyWish | None = None
) -> ShownBrowserKey:
    """A short-lived key with which a browser's microphone tries the agent. Calls of its functions reach the browser."""
    agent = await _agent(house, name)
    try:
        key = await house.browser_key(_tried(name, agent), (wish or BrowserKeyWish()).lifetime_s)
    except ConfMissing as error:
        raise Problem(409, "not_configured", str(error)) from None
    except SessionUnavailable as error:
        raise Problem(502, "provider_refused", str(error)) from None
    response.headers["Cache-Control"] = "no-store"
    return ShownBrowserKey(value=key.value.get_secret_value(), expires_at=key.expires_at)


def _tried(name: str, agent: AgentConf) -> AgentConf:
    """The agent as somebody without a phone tries it: filled with what it has by itself."""
    return fill(agent, values(Line("", "", ""), None, name, agent, {}))[0]


async def _agent(house: House, name: str) -> AgentConf:
    agent = await house.store.records.conf("agent", name)
    assert isinstance(agent, AgentConf)  # noqa: S101 - what that section holds
    return agent
