"""Asking for calls, and who is never called, over the API."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.db.api import Api, open_api

CALLEE, OURS, OTHER = "+41446681800", "+15550100100", "+15550100101"
RULES = {"allowed_prefixes": ["+41"], "calling_hours": "00:00-24:00"}
LINE = "/do-not-call/%2B41446681800"


@pytest.fixture
async def api(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(engine, tmp_path) as api:
        rows = {
            ("agent", "default"): {},
            ("number", OURS): {"agent": "default"},
            ("twilio", "default"): {"account_sid": "AC" + "5" * 32, "auth_tokens": ["t" * 32]},
            ("outbound", "default"): RULES,
        }
        for (section, name), value in rows.items():
            await api.store.put(section, name, value, by="test")
        yield api


async def ask(api: Api, *, key: str | None = None, word: str | None = None, **changes: Any) -> httpx.Response:
    headers = {"Idempotency-Key": word} if word else {}
    return await api.ask("POST", "/calls", json={"to": CALLEE, "agent": "default"} | changes, headers=headers, key=key)


async def rules(api: Api, **changes: Any) -> None:
    await api.store.put("outbound", "default", RULES | changes, by="test")


async def test_a_call_goes_into_the_queue_and_is_shown_there(api: Api):
    answer = await ask(api, variables={"name": "Ada"})
    assert answer.status_code == 202, answer.text
    made = answer.json()
    assert (made["state"], made["position"], made["to"], made["from"]) == ("queued", 1, CALLEE, OURS)
    assert (made["variables"], made["call_id"], made["reason"]) == ({"name": "Ada"}, None, None)
    assert answer.headers["location"] == f"/api/v1/outbound/{made['id']}"
    assert (await api.ask("GET", f"/outbound/{made['id']}")).json() == made

    second = (await ask(api)).json()
    assert second["position"] == 2
    page = (await api.ask("GET", "/outbound?limit=1&state=queued&to=%2B41446681800")).json()
    assert ([each["id"] for each in page["data"]], page["has_more"]) == ([second["id"]], True)
    rest = (await api.ask("GET", f"/outbound?limit=1&cursor={page['next_cursor']}")).json()
    assert [each["id"] for each in rest["data"]] == [made["id"]]
    log = (await api.ask("GET", f"/audit?subject=outbound/{made['id']}")).json()["data"]
    assert [each["action"] for each in log] == ["create"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"to": "0446681800"}, 422, "number_not_e164"),
        ({"to": "+4930123456"}, 422, "prefix_not_allowed"),
        ({"to": "+41900123456"}, 422, "premium_number"),
        ({"from": OTHER}, 422, "not_our_number"),
        ({"agent": "nobody"}, 422, "agent_missing"),
        ({"to": 41446681800}, 422, "invalid_request"),
        ({"variables": {"1x": "y"}}, 422, "invalid_request"),
        ({"wait_for_hours": "yes"}, 422, "invalid_request"),
        ({"record": True}, 422, "invalid_request"),
    ],
)
async def test_what_is_refused_of_a_request_says_so_in_one_word(api: Api, changes, status, code):
    answer = await ask(api, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await api.ask("GET", "/outbound")).json()["data"] == []


async def test_nobody_is_called_from_a_fresh_install(api: Api):
    await api.store.delete("outbound", "default", by="test")
    answer = await ask(api)
    assert (answer.status_code, answer.json()["code"]) == (422, "prefix_not_allowed")


async def test_what_the_server_lacks_is_told(api: Api):
    await rules(api, account="other")
    assert (await ask(api)).json()["code"] == "no_account"
    await rules(api, most_queued=1)
    assert (await ask(api)).status_code == 202
    full = await ask(api)
    assert (full.status_code, full.json()["code"]) == (429, "queue_full")
    assert int(full.headers["retry-after"]) > 0
    api.house.change(public_url=None)
    nowhere = await ask(api)
    assert (nowhere.status_code, nowhere.json()["code"]) == (409, "no_public_url")


async def test_at_night_a_call_is_refused_with_its_next_time_or_waits_for_it(api: Api):
    now = datetime.now(UTC)
    await rules(api, calling_hours=f"{(now + timedelta(hours=5)):%H}:00-{(now + timedelta(hours=6)):%H}:00")
    refused = await ask(api)
    assert (refused.status_code, refused.json()["code"]) == (409, "outside_calling_hours")
    again_at = now + timedelta(seconds=int(refused.headers["retry-after"]))
    waiting = (await ask(api, wait_for_hours=True)).json()
    assert abs(datetime.fromisoformat(waiting["not_before"]) - again_at) < timedelta(seconds=5)
    assert waiting["state"] == "queued"


async def test_one_word_places_one_call_however_often_and_whenever_it_is_sent(api: Api):
    answers = await asyncio.gather(*(ask(api, word="reminder-1") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 4

    other = await ask(api, word="reminder-1", variables={"a": "b"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    await rules(api, allowed_prefixes=[])
    assert (await ask(api, word="reminder-1")).json()["id"] == answers[0].json()["id"]
    assert (await ask(api, word="reminder-2")).status_code == 422


async def test_the_words_of_one_key_are_not_those_of_another(api: Api):
    other_key = await api.a_key("calls")
    mine, theirs = await ask(api, word="one"), await ask(api, word="one", key=other_key, variables={"a": "b"})
    assert theirs.status_code == 202
    assert mine.json()["id"] != theirs.json()["id"]


async def test_what_waits_can_be_canceled_and_what_has_left_the_queue_cannot(api: Api):
    first, second = (await ask(api)).json()["id"], (await ask(api)).json()["id"]
    for _ in range(2):
        assert (await api.ask("DELETE", f"/outbound/{first}")).status_code == 204
    assert (await api.ask("GET", f"/outbound/{first}")).json()["state"] == "canceled"
    assert (await api.ask("GET", f"/outbound/{second}")).json()["position"] == 1
    async with api.engine.begin() as connection:
        await connection.execute(text("update outbound_requests set state = 'ringing' where state = 'queued'"))
    refused = await api.ask("DELETE", f"/outbound/{second}")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_queued")
    nowhere = "/outbound/0199f3a0-7c1e-7cc3-98a2-5d1f0c2b7a10"
    assert (await api.ask("DELETE", nowhere)).status_code == 404
    assert (await api.ask("GET", nowhere)).status_code == 404


async def test_a_number_on_the_do_not_call_list_is_refused_until_it_is_taken_off(api: Api):
    added = await api.ask("POST", "/do-not-call", json={"number": "+41 44 668 18 00", "note": "by letter"})
    assert (added.status_code, added.json()["number"], added.json()["note"]) == (201, CALLEE, "by letter")
    again = await api.ask("POST", "/do-not-call", json={"number": CALLEE, "note": "once more"})
    assert (again.status_code, again.json()) == (200, added.json())
    assert (await api.ask("GET", "/do-not-call")).json()["data"] == [added.json()]
    assert (await api.ask("GET", LINE)).json() == added.json()
    refused = await ask(api)
    assert (refused.status_code, refused.json()["code"]) == (409, "on_do_not_call_list")

    assert (await api.ask("DELETE", LINE)).status_code == 204
    assert (await api.ask("DELETE", LINE)).status_code == 404
    assert (await ask(api)).status_code == 202
    log = (await api.ask("GET", f"/audit?subject=do-not-call/%2B{CALLEE[1:]}")).json()["data"]
    assert [each["action"] for each in log] == ["delete", "create"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/calls"), ("GET", "/outbound"), ("DELETE", LINE), ("POST", "/do-not-call"), ("GET", "/do-not-call")],
)
async def test_calling_needs_the_scope_calls(api: Api, method: str, path: str):
    body = {"json": {"to": CALLEE, "agent": "default"}} if method == "POST" else {}
    answer = await api.ask(method, path, key=await api.a_key("read", "write"), **body)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


@pytest.mark.parametrize("number", ["+10000000*", "15550100100", "+15550100100;ext=5", "+1-555-FLOWERS", "+1"])
async def test_a_number_that_is_none_is_not_put_on_the_list(api: Api, number: str):
    refused = await api.ask("POST", "/do-not-call", json={"number": number})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "number")
