"""A web tool is tried over the API, against a server of the operator's."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.models.webhooks import new_webhook_secret
from tests.db.api import Api, open_api
from tests.receiver import Receiver, receiver

JSON = "content-type: application/json\r\n"
PLACE = "/agents/sales/tools/find_order/test"


@pytest.fixture
async def api(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(engine, tmp_path) as opened:
        yield opened


async def save(api: Api, shop: Receiver, **fields: Any) -> None:
    order = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
    tool = {
        "type": "http",
        "name": "find_order",
        "description": "Finds an order.",
        "parameters": order,
        "url": shop.url + "/{{args.order}}",
        "allow_private": ["127.0.0.1"],
    }
    tools = [tool | fields, {"type": "end_call"}]
    await api.store.put("agent", "sales", {"tools": tools, "variables": {"shop": "7"}}, by="tester")


async def test_s12_a_tool_is_tried_as_in_a_call_and_no_secret_is_shown(api: Api) -> None:
    secret = new_webhook_secret()
    async with receiver("200 OK", headers=JSON, body='{{"state": "sent with 4111111111"}}') as shop:
        await save(
            api,
            shop,
            headers={"authorization": "Bearer of-the-shop-9876", "x-shop": "{{shop}}"},
            body={"card": "{{digits.card}}", "caller": "{{call.caller}}", "agent": "{{call.agent}}"},
            signing_secret=secret,
            output={"pointer": "/state"},
        )
        given = {"arguments": {"order": "A 1"}, "digits": {"card": "4111111111"}, "caller": "+15550100123"}
        answer = await api.ask("POST", PLACE, key=await api.a_key("write"), json=given)

    assert answer.status_code == 200, answer.text
    [asked] = shop.received
    assert asked.path.endswith("/hook/A%201")
    assert asked.verified(secret) == {"card": "4111111111", "caller": "+15550100123", "agent": "sales"}
    assert (asked.headers["authorization"], asked.headers["x-shop"]) == ("Bearer of-the-shop-9876", "7")
    told = answer.json()
    assert (told["ok"], told["output"], told["status"], told["tries"]) == (True, "sent with [hidden]", 200, 1)
    assert told["request"]["headers"]["authorization"] == "****9876"
    assert "4111111111" not in answer.text
    assert "of-the-shop" not in answer.text
    audit = (await api.ask("GET", "/audit")).json()["data"][0]
    assert (audit["action"], audit["subject"]) == ("try", "agent/sales/tools/find_order")


async def test_what_fails_is_told_to_the_operator_and_no_error_of_the_request(api: Api) -> None:
    async with receiver("500 Oh") as shop:
        await save(api, shop)
        failed = (await api.ask("POST", PLACE, json={"arguments": {"order": "1"}})).json()
        wrong = (await api.ask("POST", PLACE, json={"arguments": {"order": 1, "more": 2}})).json()
    assert (failed["ok"], failed["output"], failed["status"]) == (False, "The service failed (500).", 500)
    assert wrong["request"] is None
    assert "do not fit" in wrong["output"]
    away = (await api.ask("POST", PLACE, json={"arguments": {"order": "1"}})).json()
    assert away["output"] == "The service cannot be reached."
    assert "does not take connections" in away["detail"]


async def test_only_a_writer_tries_a_tool_and_only_one_that_is_there(api: Api) -> None:
    async with receiver() as shop:
        await save(api, shop)
        given = {"json": {"arguments": {"order": "1"}}}
        assert (await api.ask("POST", PLACE, key=await api.a_key("read"), **given)).status_code == 403
        assert (await api.ask("POST", "/agents/sales/tools/nobody/test", **given)).status_code == 404
        assert (await api.ask("POST", "/agents/nobody/tools/find_order/test", **given)).status_code == 404
        other = await api.ask("POST", "/agents/sales/tools/end_call/test", **given)
        assert (other.status_code, other.json()["code"]) == (409, "not_an_http_tool")
    assert shop.received == []
