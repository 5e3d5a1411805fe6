"""The admin REST of real servers: two of them on one database, and between the two peers."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from websockets.asyncio.client import connect

from app.call.status import EndReason
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from tests.e2e.rig import CALLED, Rig, open_rig

ADMIN_KEY = "parley_the-key-of-these-tests"
SHARED = {"secret_key": "k" * 32, "admin_api_key": ADMIN_KEY}
GREETING = Reply.of(Say.words("Hello.", 400))
Open = Callable[[str], Awaitable["Client"]]
NEVER_OPEN = {"zone": "Europe/Zurich", "closed_message": "We are closed."}


@dataclass
class Client:
    """Who asks a server's API over its socket."""

    rig: Rig
    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, *, key: str = ADMIN_KEY, **arguments: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} | dict(arguments.pop("headers", {}))
        return await self.http.request(method, f"{self.rig.url}/api/v1{path}", headers=headers, **arguments)


@pytest.fixture
async def opened(database_url: str, engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens one more server on the database, with peers of its own."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))

        async def open_(name: str) -> Client:
            (tmp_path / name).mkdir()
            brain = ScriptedBrain([GREETING])
            rig = await stack.enter_async_context(open_rig(database_url, tmp_path / name, brain, **SHARED))
            return Client(rig, http)

        yield open_


@pytest.fixture
async def servers(opened: Open) -> list[Client]:
    """Two servers on one database."""
    return [await opened("one"), await opened("two")]


@pytest.fixture
async def one(opened: Open) -> Client:
    return await opened("one")


async def test_what_one_server_is_told_applies_to_the_next_call_of_the_other_within_a_second(servers: list[Client]):
    one, two = servers
    written = await one.ask("PUT", "/agents/default", json={"config": {"voice": "cedar", "instructions": "Be brief."}})
    assert written.status_code == 200, written.text
    async with asyncio.timeout(1):
        while two.rig.services.conf.agent("default").voice != "cedar":  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.01)

    call = await two.rig.ring()
    await call.wait_heard(200)
    await call.hang_up()
    record, _ = await two.rig.settled(call)
    assert record.agent_version == written.json()["version"]
    assert record.session["audio"]["output"]["voice"] == "cedar"
    assert record.session["instructions"] == "Be brief."


async def test_a_key_that_one_server_revokes_is_refused_by_the_other_at_once(servers: list[Client]):
    one, two = servers
    made = (await one.ask("POST", "/keys", json={"name": "k", "scopes": ["read"]})).json()
    assert (await two.ask("GET", "/agents", key=made["key"])).status_code == 200

    assert (await one.ask("DELETE", f"/keys/{made['id']}")).status_code == 204
    assert (await two.ask("GET", "/agents", key=made["key"])).status_code == 401


async def test_writers_at_two_servers_who_saw_one_version_are_told_apart(servers: list[Client]):
    seen = (await servers[0].ask("GET", "/agents/default")).headers["etag"]
    answers = await asyncio.gather(
        *(
            servers[number % 2].ask(
                "PATCH", "/agents/default", json={"config": {"greeting": str(number)}}, headers={"If-Match": seen}
            )
            for number in range(20)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19
    [winner] = [answer.json() for answer in answers if answer.is_success]
    for server in servers:
        shown = (await server.ask("GET", "/agents/default")).json()
        assert (shown["version"], shown["config"]["greeting"]) == (winner["version"], winner["config"]["greeting"])


async def test_a_browser_gets_a_key_of_its_own_that_opens_the_agents_session(one: Client):
    await one.ask("PUT", "/agents/web", json={"config": {"voice": "cedar", "instructions": "You are on the web."}})
    given = await one.ask("POST", "/agents/web/client-secret", json={"lifetime_s": 60})
    assert given.status_code == 201, given.text
    assert given.headers["cache-control"] == "no-store"
    secret = given.json()
    assert secret["value"].startswith("ek_")
    assert secret["value"] != one.rig.openai.api_key

    headers = {"Authorization": f"Bearer {secret['value']}"}
    async with connect(one.rig.openai.realtime_url, additional_headers=headers, proxy=None) as browser:
        session = json.loads(await browser.recv())["session"]
    assert session["instructions"] == "You are on the web."
    assert session["audio"]["output"]["voice"] == "cedar"
    assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}


async def test_a_browsers_key_that_openai_refuses_is_told_without_our_key(one: Client):
    wrong = "sk-wrong-wrong-wrong-wrong"
    await one.ask("PUT", "/config/openai/other", json={"config": {"openai_api_key": wrong}})
    await one.ask("PUT", "/agents/web", json={"config": {"account": "other"}})
    refused = await one.ask("POST", "/agents/web/client-secret")
    assert (refused.status_code, refused.json()["code"]) == (502, "provider_refused")
    assert wrong not in refused.text

    await one.ask("DELETE", "/config/openai/other")
    unset = await one.ask("POST", "/agents/web/client-secret")
    assert (unset.status_code, unset.json()["code"]) == (409, "not_configured")


async def test_a_caller_of_a_closed_number_hears_so_and_no_call_is_opened(one: Client):
    number = {"config": {"agent": "default", "hours": NEVER_OPEN}}
    assert (await one.ask("PUT", f"/numbers/{CALLED}", json=number)).status_code == 201
    call = await one.rig.ring()
    await call.wait_ended()
    assert call.streams == []
    assert one.rig.openai.sessions == []

    await one.ask("PATCH", f"/numbers/{CALLED}", json={"config": {"hours": None}})
    call = await one.rig.ring()
    await call.wait_heard(200)
    await call.hang_up()
    record, _ = await one.rig.settled(call)
    assert record.end_reason is EndReason.CALLER_HANGUP


async def test_a_body_over_the_limit_is_refused_on_a_real_socket(one: Client):
    answer = await one.ask(
        "PUT", "/agents/default", content=b" " * ((1 << 20) + 1), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
