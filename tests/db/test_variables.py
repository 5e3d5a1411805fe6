"""Variables over the API: what their writer is warned of, and what is shown."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.models import AgentConf, new_webhook_secret
from app.db.engine import db_session
from app.errors import SessionUnavailable
from app.openai.client_secret import BrowserKey
from tests.db.api import Api, open_api

CALLED, OTHER = "+41443332211", "+41443332212"
SECRET = new_webhook_secret()


@pytest.fixture
async def api(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(engine, tmp_path) as opened:
        yield opened


async def put(api: Api, path: str, **config: object) -> list[str]:
    """Write it, and tell its warnings."""
    answer = await api.ask("PUT", path, json={"config": config})
    assert answer.is_success, answer.text
    warnings: list[str] = answer.json()["warnings"]
    return warnings


async def test_checking_and_saving_an_agent_name_each_variable_that_has_no_value(api: Api) -> None:
    config = {"instructions": "{{city}} {{name}} {{now}}", "variables": {"name": None}}
    checked = await api.ask("POST", "/agents/sales/check", json={"config": config})
    saved = await put(api, "/agents/sales", **config)

    assert checked.json()["warnings"] == saved
    [warning] = saved
    assert warning.startswith("agent/sales: instructions: {{city}} has no value")


async def test_numbers_and_agents_are_warned_in_each_others_light(api: Api) -> None:
    await put(api, "/agents/sales", instructions="Hello from {{city}}.")
    assert await put(api, f"/numbers/{CALLED}", agent="sales", variables={"city": "Bern"}) == []
    assert await put(api, "/agents/sales", instructions="Hello from {{city}}!") == []
    [lacks] = await put(api, f"/numbers/{OTHER}", agent="sales")
    assert lacks.startswith(f"number/{OTHER}: agent/sales instructions: {{{{city}}}} has no value")
    [told] = await put(api, "/agents/sales", instructions="Hello from {{city}}.")
    assert told == f"agent/sales: instructions: {{{{city}}}} has no value in calls to {OTHER}"


async def test_a_precall_webhooks_secret_is_sealed_masked_and_kept(api: Api, engine: AsyncEngine) -> None:
    precall = {"url": "https://crm.example.com/", "secret": SECRET}
    assert await put(api, "/agents/sales", instructions="{{any}}", precall=precall) == []
    shown = (await api.ask("GET", "/agents/sales")).json()["config"]["precall"]
    async with db_session(engine) as db:
        stored = str((await db.execute(text("select value from core_conf where section = 'agent'"))).scalar())

    assert shown == {**shown, "secret": f"****{SECRET[-4:]}", "timeout_ms": 1500}
    assert SECRET not in stored
    await put(api, "/agents/sales", instructions="{{any}}!", precall={"url": "https://crm.example.com/v2"})
    kept = api.store.agent("sales").precall
    assert kept is not None
    assert kept.secret.get_secret_value() == SECRET


async def test_a_session_is_shown_with_its_variables_and_tried_without(api: Api) -> None:
    tried: list[AgentConf] = []

    async def browser_key(agent: AgentConf, lifetime_s: int) -> BrowserKey:
        tried.append(agent)
        raise SessionUnavailable("there is nobody here")

    api.house.change(browser_key=browser_key)
    await put(api, "/agents/sales", instructions="{{city}}, {{agent}}, {{x}}.", variables={"city": "Bern"})
    session = await api.ask("GET", "/agents/sales/session")
    await api.ask("POST", "/agents/sales/client-secret")

    assert session.json()["session"]["instructions"] == "{{city}}, {{agent}}, {{x}}."
    assert tried[0].instructions == "Bern, sales, ."
