"""Who may do what over the API, what is remembered of it, and how refusals look."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from app.db.api_keys import Scope
from app.db.engine import create_engine
from app.db.tables import ApiKey
from tests.db.api import Api, open_api
from tests.unit.web.house import NOWHERE

SOME_ID = "00000000-0000-7000-8000-000000000000"
DEEP = b'{"config": {"prompt": ' + b'{"a": ' * 5000 + b"1" + b"}" * 5002


@pytest.fixture
async def api(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(engine, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("scope", "reads", "writes", "administers"),
    [
        ("read", 200, 403, 403),
        ("write", 200, 201, 403),
        ("calls", 403, 403, 403),
        ("admin", 200, 201, 200),
    ],
)
async def test_a_key_may_do_what_its_scopes_say(api: Api, scope: Scope, reads: int, writes: int, administers: int):
    key = await api.a_key(scope)
    made = {"name": "a", "config": {}}
    assert (await api.ask("GET", "/agents", key=key)).status_code == reads
    assert (await api.ask("POST", "/agents", key=key, json=made)).status_code == writes
    assert (await api.ask("GET", "/keys", key=key)).status_code == administers
    refused = await api.ask("DELETE", "/agents/b", key=await api.a_key("read"))
    assert refused.json()["code"] == "scope_missing"
    assert "write" in refused.json()["detail"]


async def test_every_route_of_the_api_asks_for_a_key_before_anything_else(api: Api):
    description = (await api.ask("GET", "http://inside/openapi.json")).json()
    asked = 0
    for path, operations in description["paths"].items():
        for method in operations if path.startswith("/api/v1") else ():
            address = f"http://inside{re.sub('{[^}]*}', SOME_ID, path)}"
            answer = await api.ask(method, address, key="", content=b"{", params={"bad": "1"})
            assert (answer.status_code, answer.json()["code"]) == (401, "key_missing"), (method, path)
            asked += 1
    assert asked > 30


async def test_a_key_is_shown_once_used_and_revoked_at_once(api: Api):
    made = await api.ask("POST", "/keys", json={"name": "dashboard", "scopes": ["read", "read"]})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    key, key_id = made.json()["key"], made.json()["id"]
    assert key.startswith("parley_")
    assert (made.json()["scopes"], made.json()["last_used_at"]) == (["read"], None)

    assert (await api.ask("GET", "/agents", key=key)).status_code == 200
    listed = await api.ask("GET", "/keys")
    assert key not in listed.text
    [shown] = [each for each in listed.json()["data"] if each["id"] == key_id]
    assert shown["last_used_at"] is not None

    assert [(await api.ask("DELETE", f"/keys/{key_id}")).status_code for _ in range(2)] == [204, 204]
    refused = await api.ask("GET", "/agents", key=key)
    assert (refused.status_code, refused.json()["code"]) == (401, "key_invalid")
    assert (await api.ask("DELETE", f"/keys/{SOME_ID}")).status_code == 404


async def test_a_key_expires(api: Api, engine: AsyncEngine):
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = (await api.ask("POST", "/keys", json={"name": "k", "scopes": ["read"], "expires_at": later})).json()
    assert (await api.ask("GET", "/agents", key=made["key"])).status_code == 200
    async with engine.begin() as connection:
        await connection.execute(update(ApiKey).where(ApiKey.id == UUID(made["id"])).values(expires_at=func.now()))
    assert (await api.ask("GET", "/agents", key=made["key"])).json()["code"] == "key_invalid"

    for wrong in (1924992000, "2030-01-01T00:00:00", "soon"):
        answer = await api.ask("POST", "/keys", json={"name": "k", "scopes": ["read"], "expires_at": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "expires_at")
    past = {"name": "k", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}
    assert (await api.ask("POST", "/keys", json=past)).json()["errors"][0]["path"] == "expires_at"


async def test_the_last_admin_key_cannot_be_revoked_even_by_two_at_once(api: Api, engine: AsyncEngine):
    [own] = (await api.ask("GET", "/keys")).json()["data"]
    kept = await api.ask("DELETE", f"/keys/{own['id']}")
    assert (kept.status_code, kept.json()["code"]) == (409, "last_admin_key")

    other = (await api.ask("POST", "/keys", json={"name": "second", "scopes": ["admin"]})).json()
    answers = await asyncio.gather(*(api.ask("DELETE", f"/keys/{each['id']}") for each in (own, other)))
    assert 409 in {answer.status_code for answer in answers} or 401 in {answer.status_code for answer in answers}
    async with engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from api_keys where revoked_at is null")) == 1


async def test_the_last_use_of_a_key_is_written_once_a_minute(api: Api, engine: AsyncEngine):
    await api.ask("GET", "/agents")
    just_now = datetime.now(UTC) - timedelta(seconds=40)
    for used_at, noted in ((just_now, False), (just_now - timedelta(seconds=40), True)):
        async with engine.begin() as connection:
            await connection.execute(update(ApiKey).values(last_used_at=used_at))
        await api.ask("GET", "/agents")
        async with engine.connect() as connection:
            assert (await connection.scalar(text("select last_used_at from api_keys")) != used_at) == noted


@pytest.mark.parametrize("name", ["api_key", "token", "KEY", "access_token"])
async def test_a_key_in_the_address_is_refused_even_beside_a_good_one(api: Api, name: str):
    refused = await api.ask("GET", "/agents", params={name: api.key})
    assert (refused.status_code, refused.json()["code"]) == (400, "key_in_query")
    assert api.key not in refused.text


async def test_who_guesses_is_shut_out_and_logged_without_the_guess(api: Api):
    with capture_logs() as lines:
        answers = [(await api.ask("GET", "/agents", key="parley_guess")).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    assert {line["event"] for line in lines} == {"api_key_refused"}
    assert "parley_guess" not in str(lines)


async def test_every_write_is_in_the_audit_log_and_no_secret_is(api: Api):
    await api.ask("POST", "/agents", json={"name": "a", "config": {}})
    await api.ask("PATCH", "/agents/a", json={"config": {"voice": "cedar"}})
    await api.ask("POST", "/agents/a/versions/1/restore")
    await api.ask("PUT", "/config/openai/default", json={"config": {"openai_api_key": "sk-proj-abcdefghijkl"}})
    await api.ask("DELETE", "/agents/a")
    made = (await api.ask("POST", "/keys", json={"name": "k", "scopes": ["read"]})).json()
    await api.ask("DELETE", f"/keys/{made['id']}")
    await api.ask("PATCH", "/agents/a", json={"config": {}})  # refused: there is none

    answer = await api.ask("GET", "/audit", params={"limit": 7})
    entries = [
        (entry["action"], entry["subject"], entry["version_before"], entry["version_after"])
        for entry in answer.json()["data"]
    ]
    assert entries == [
        ("revoke", f"key/{made['id']}", None, None),
        ("create", f"key/{made['id']}", None, None),
        ("delete", "agent/a", 3, 4),
        ("create", "openai/default", None, 1),
        ("restore", "agent/a", 2, 3),
        ("update", "agent/a", 1, 2),
        ("create", "agent/a", None, 1),
    ]
    assert {entry["actor"] for entry in answer.json()["data"]} == {"the tester's (API key)"}
    assert all(entry["key_id"] for entry in answer.json()["data"])
    assert "abcdefghijkl" not in answer.text
    assert made["key"] not in answer.text
    only = await api.ask("GET", "/audit", params={"subject": "agent/a", "limit": 3})
    assert [entry["action"] for entry in only.json()["data"]] == ["delete", "restore", "update"]
    rest = await api.ask("GET", "/audit", params={"subject": "agent/a", "cursor": only.json()["next_cursor"]})
    assert [entry["action"] for entry in rest.json()["data"]] == ["create"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "invalid_json"),
        (b"\xff", "application/json", 400, "invalid_json"),
        (DEEP, "application/json", 400, "invalid_json"),
        (b'{"config": {"speed": NaN}}', "application/json", 400, "invalid_json"),
        (b'{"config": {"speed": 1e999}}', "application/json", 400, "invalid_json"),
        (b'{"config": {"instructions": "\\u0000"}}', "application/json", 400, "invalid_json"),
        (b'{"config": {"instructions": "\\ud800"}}', "application/json", 400, "invalid_json"),
        (b'{"config": {}}', "text/plain", 415, "not_json"),
        (b'{"config": {}}', "", 415, "not_json"),
        (b"config=1", "application/x-www-form-urlencoded", 415, "not_json"),
        (b'{"config": {}}' + b" " * (1 << 20), "application/json", 413, "too_large"),
        (b"", "application/json", 422, "invalid_request"),
        (b"[]", "application/json", 422, "invalid_request"),
        (b'{"config": 7}', "application/json", 422, "invalid_configuration"),
        (b'{"config": {}, "voice": "cedar"}', "application/json", 422, "invalid_request"),
        (b'{"config": {}, "note": 7}', "application/json", 422, "invalid_request"),
        (b'{"config": {}}', "application/merge-patch+json; charset=utf-8", 201, None),
    ],
)
async def test_a_body_that_is_not_what_it_should_be_is_a_problem_of_its_own(
    api: Api, body: bytes, content_type: str, status: int, code: str | None
):
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await api.ask("PUT", "/agents/a", content=body, headers=headers)
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    if code:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/agents?limit=0", 422, "invalid_request"),
        ("GET", "/agents?limit=101", 422, "invalid_request"),
        ("GET", "/agents?limit=x", 422, "invalid_request"),
        ("GET", "/agents?limit=1&limit=2", 422, "invalid_request"),
        ("GET", "/agents?lmit=1", 422, "invalid_request"),
        ("GET", "/audit?subject=%00", 422, "invalid_request"),
        ("GET", "/agents/a%00b", 422, "invalid_request"),
        ("GET", f"/agents/{'x' * 101}", 422, "invalid_request"),
        ("GET", "/agents/a/versions/0", 422, "invalid_request"),
        ("GET", "/agents/a/versions/99999999999", 422, "invalid_request"),
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/config/nothing/a", 404, "not_found"),
        ("GET", "/config/openai/none", 404, "not_found"),
        ("PUT", "/agents", 405, "method_not_allowed"),
        ("DELETE", "/keys/7", 422, "invalid_request"),
    ],
)
async def test_a_request_that_fits_no_route_is_a_problem_that_says_why(
    api: Api, method: str, path: str, status: int, code: str
):
    answer = await api.ask(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "code", "detail", "errors"}
    if status == 422:
        assert answer.json()["errors"][0]["path"]


async def test_the_methods_of_an_address_are_told(api: Api):
    answer = await api.ask("POST", "/agents/a", json={})
    assert set(answer.headers["allow"].split(", ")) == {"GET", "PUT", "PATCH", "DELETE"}
    assert answer.json()["detail"] == "POST is not for this address; it takes GET, PUT, PATCH, DELETE."


async def test_with_the_database_away_the_answer_is_503_and_says_when_to_come_back(api: Api):
    await api.ask("POST", "/agents", json={"name": "a", "config": {}})
    away = create_engine(NOWHERE)
    api.store.records._engine = away
    answer = await api.ask("GET", "/agents/a")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
    assert answer.headers["retry-after"] == "5"
    assert api.store.agent("a")  # calls go on
    await away.dispose()


async def test_no_other_site_is_let_in_by_a_browser(api: Api):
    answer = await api.ask("GET", "/agents", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_the_description_names_every_operation_once_with_its_scope_and_its_problems(api: Api):
    description = (await api.ask("GET", "http://inside/openapi.json")).json()
    operations = [
        operation
        for path, methods in description["paths"].items()
        for operation in methods.values()
        if path.startswith("/api/v1")
    ]
    names = [operation["operationId"] for operation in operations]
    assert {"list_agents", "create_agent", "replace_number", "update_openai_config", "revoke_key"} <= set(names)
    assert len(names) == len(set(names))
    for operation in operations:
        assert operation["security"] in [[{"key": [scope]}] for scope in ("read", "write", "calls", "admin")]
        assert operation["description"]
        problems = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
        assert {"401", "403", "429", "503"} <= problems.keys()
        assert all(list(answer["content"]) == ["application/problem+json"] for answer in problems.values())
    text_ = json.dumps(description)
    assert "HTTPValidationError" not in text_
    assert "writeOnly" not in text_
    assert set(description["components"]["securitySchemes"]) == {"key"}
