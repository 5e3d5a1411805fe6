"""Web tools in whole calls, asking real servers."""

import json
from typing import Any

from app.call.events import Kind
from app.conf.models import new_webhook_secret
from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.openai.session import SandboxSession
from tests.e2e.rig import CALLED, CALLER
from tests.receiver import receiver
from tests.unit.egress.test_client import canary

SORRY = Reply.of(Say.words("One two three.", 600))
SECRET = new_webhook_secret()
JSON = "content-type: application/json\r\n"
ORDER = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}


def tool(name: str, url: str, **fields: Any) -> dict[str, Any]:
    own = {"type": "http", "name": name, "description": "x", "parameters": ORDER, "url": url}
    return own | {"allow_private": ["127.0.0.1"]} | fields


def outputs(session: SandboxSession) -> list[str]:
    items = [event["item"] for event in session.received if event["type"] == "conversation.item.create"]
    return [item["output"] for item in items if item["type"] == "function_call_output"]


async def test_s10_s12_s20_f32_tools_of_a_call_ask_signed_again_where_safe_and_never_lead_to_the_canary(rig):
    async with (
        receiver("200 OK", headers=JSON, body='{{"order": {{"state": "sent", "echo": "key-of-the-shop"}}}}') as shop,
        receiver("500 Oh", "200 OK", headers=JSON, body='"booked"') as book,
        canary() as bird,
        receiver("307 There", headers=f"location: {bird.url}\r\n") as moved,
    ):
        asks = [CallTool(name, '{"order": "A 1"}') for name in ("find", "book", "moved")]
        wrong = CallTool("find", '{"order": "A 1", "admin": true}')
        tools = [
            tool(
                "find",
                f"{shop.url}/{{{{args.order}}}}",
                headers={"authorization": "Bearer key-of-the-shop", "x-tenant": "{{tenant}}"},
                body={"from": "{{call.caller}}", "to": "{{call.called}}", "id": "{{call.id}}", "say": "{{args.order}}"},
                signing_secret=SECRET,
                output={"template": "It is {{/order/state}}, says {{/order/echo}}."},
            ),
            tool("book", book.url, retries=1),
            tool("moved", moved.url, retries=1),
        ]
        house = await rig(
            ScriptedBrain([Reply.of(*asks, wrong), SORRY]), agent={"tools": tools, "variables": {"tenant": "n & s"}}
        )
        call = await house.ring()
        await call.wait_heard(500)
        await call.hang_up()
        record, events = await house.settled(call)

    [session] = house.openai.sessions
    assert len(outputs(session)) == 4
    answered = {event.data["name"]: event.data["output"] for event in events if event.kind == Kind.TOOL_ANSWERED}
    failed = {event.data["name"]: event.data["output"] for event in events if event.kind == Kind.TOOL_FAILED}
    assert answered == {"find": "It is sent, says ***.", "book": '"booked"'}
    assert {*answered.values()} < {*outputs(session)}
    assert "redirect" in failed["moved"]
    assert "'admin' was unexpected" in failed["find"]
    [asked] = shop.received
    assert asked.verified(SECRET) == {"from": CALLER, "to": CALLED, "id": record.id, "say": "A 1"}
    assert asked.path == "/hook/A%201"
    assert asked.headers["x-tenant"] == "n & s"
    first, again = book.received
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"] != asked.headers["idempotency-key"]
    assert first.body == again.body == '{"order":"A 1"}'
    assert len(moved.received) == 1
    assert bird.connections == 0
    assert "key-of-the-shop" not in str(events) + str(session.received)
    offered = {each["name"]: each["parameters"] for each in record.session["tools"]}
    assert offered["find"]["additionalProperties"] is False


async def test_s22_two_calls_at_once_share_an_agent_and_its_tool_and_nothing_else(rig):
    async with receiver("200 OK", headers=JSON, body='"booked"') as shop:
        body = {"from": "{{call.caller}}", "id": "{{call.id}}", "order": "{{args.order}}"}
        asks = [Reply.of(CallTool("find", json.dumps({"order": order}))) for order in ("A", "B")]
        house = await rig(ScriptedBrain([*asks, SORRY, SORRY]), agent={"tools": [tool("find", shop.url, body=body)]})
        calls = [await house.twilio.place_call(to=CALLED, from_=each) for each in (CALLER, "anonymous")]
        for call in calls:
            await call.wait_heard(500)
            await call.hang_up()
        settled = [await house.settled(call) for call in calls]

    told = {}
    for record, events in settled:
        [called] = [event for event in events if event.kind == Kind.TOOL_CALLED]
        told[record.id] = json.loads(called.data["arguments"])["order"]
        assert [event.data["output"] for event in events if event.kind == Kind.TOOL_ANSWERED] == ['"booked"']
    asked = [json.loads(each.body) for each in shop.received]
    assert {each["id"]: each["order"] for each in asked} == told
    assert {each["id"]: each["from"] for each in asked} == {settled[0][0].id: CALLER, settled[1][0].id: ""}
    assert sorted(told.values()) == ["A", "B"]
    assert [len(outputs(session)) for session in house.openai.sessions] == [1, 1]
