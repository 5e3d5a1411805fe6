"""Which key may do what, for every operation that the description has: derived from it, so that none is forgotten."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.api_keys import Scope
from tests.db.api import Api, open_api

SCOPES: tuple[Scope, ...] = ("read", "write", "calls", "admin")
OPENS: dict[str, set[str]] = {
    "read": {"read", "write", "admin"},
    "write": {"write", "admin"},
    "calls": {"calls", "admin"},
    "admin": {"admin"},
}
"""Which keys an operation's scope lets in."""
ADMINISTERS = re.compile(r"^/api/v1/(keys|audit)|(?<!{tool})/test$")
ACTS_ON_CALLS = re.compile(r"^POST /api/v1/calls|/v1/outbound|/v1/do-not-call|/transcribe$")
SOMETHING = {"account": "default", "number": "%2B15551234567", "version": "1"}
SOME_ID = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
async def api(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(engine, tmp_path) as opened:
        yield opened


async def test_each_operation_lets_in_the_keys_with_its_scope_and_no_other(api: Api):
    keys = {scope: await api.a_key(scope) for scope in SCOPES}
    description = (await api.ask("GET", "http://inside/openapi.json")).json()
    asked = 0
    for path, operations in description["paths"].items():
        for method, operation in operations.items() if path.startswith("/api/v1") else ():
            [needed] = operation["security"][0]["key"]
            assert needed == expected(method.upper(), path), (method, path)
            address = re.sub(r"{([^}]*)}", lambda part: SOMETHING.get(part[1], SOME_ID), path)
            for scope in SCOPES:
                answer = await api.ask(
                    method, f"http://inside{address}", key=keys[scope]
                )  # nothing of that id is there
                assert (answer.status_code == 403) == (scope not in OPENS[needed]), (method, path, scope, answer.text)
                assert answer.status_code != 403 or answer.json()["code"] == "scope_missing"
                asked += 1
    assert asked > 400


def expected(method: str, path: str) -> str:
    """The scope that an operation of this kind needs, whatever it says itself."""
    if ADMINISTERS.search(path):
        return "admin"
    if ACTS_ON_CALLS.search(f"{method} {path}"):
        return "calls"
    if method == "GET" or path.endswith("/check"):
        return "read"
    return "write"
