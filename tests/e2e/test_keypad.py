"""What callers type, and what nobody gets to see of it."""

import asyncio
import json

import pytest
from sqlalchemy import text

from app.call.events import Kind
from app.call.status import EndReason
from app.db.engine import db_session
from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from app.sandbox.twilio.messages import Clear
from app.sandbox.twilio.timeline import Dialled
from app.sandbox.voices.clips import clip
from tests.e2e.calls_api import SHARED, client
from tests.e2e.rig import ACCOUNT_SID, AUTH_TOKEN, CALLED, CALLER
from tests.receiver import receiver

DESK = "+15550100777"
TRANSFER = {"type": "transfer_call", "destinations": {"desk": {"number": DESK}}, "ring_seconds": 5}
ACCOUNT = {"account_sid": ACCOUNT_SID, "auth_tokens": [AUTH_TOKEN], "allowed_dial_prefixes": ["+15550100"]}
CARD = "4929114411443322"
"""No card's number, so that nothing but its being hidden keeps it out."""
HELLO = Reply.of(Say.words("Hello.", 400))
LONG = Reply.of(Say.words("One two three four five six seven eight nine ten.", 10_000))
TABLES = ("calls", "call_events", "webhook_messages", "jobs", "recordings")
CUT = 1006


@pytest.fixture(autouse=True)
async def limit():
    """What never happens fails its test, and holds up no other."""
    async with asyncio.timeout(30):
        yield


def told(events, kind: Kind) -> list[dict]:
    return [event.data for event in events if event.kind == kind]


def texts(session) -> list[str]:
    items = [event["item"] for event in session.received if event["type"] == "conversation.item.create"]
    return [item["content"][0]["text"] for item in items if item["type"] == "message"]


async def test_what_is_typed_is_told_once_and_zero_leads_to_a_human_whatever_the_agent_says(rig):
    agent = {
        "tools": [TRANSFER],
        "keypad": {"keys": {"0": {"action": "transfer", "destination": "desk"}}, "pause_ms": 1000},
    }
    house = await rig(ScriptedBrain([HELLO, LONG]), agent=agent)
    await house.put("twilio", "default", ACCOUNT)
    call = await house.ring()
    await call.wait_heard(400)
    await call.press("1203")
    await call.wait_heard(800)
    await call.press("0")
    await call.wait_for(lambda call: any(isinstance(moment, Dialled) for moment in call.timeline))
    record, events = await house.settled(call)

    [session] = house.openai.sessions
    assert texts(session) == ["The caller typed 1203 on the phone."]
    assert [data["digit"] for data in told(events, Kind.CALLER_DTMF)] == ["1", "2", "0", "3", "0"]
    assert told(events, Kind.KEY_ACTION) == [{"key": "0", "action": "transfer", "destination": "desk"}]
    assert any(isinstance(each.message, Clear) for each in call.received)
    assert record.end_reason is EndReason.TRANSFERRED


async def test_collected_digits_reach_the_shop_and_nobody_else(rig, capfd):
    collect = {"type": "collect_digits", "store_as": "card", "max_digits": 16, "timeout_seconds": 20}
    async with receiver("200 OK", headers="content-type: text/plain\r\n", body=f"paid with {CARD}") as shop:
        pay = {
            "type": "http", "name": "pay", "description": "x", "url": shop.url, "allow_private": ["127.0.0.1"],
            "body": {"card": "{{digits.card}}"},
        }  # fmt: skip
        prompt = Reply.of(Say.words("Please type your card number.", 1000), CallTool("collect_digits"))
        brain = ScriptedBrain([prompt, Reply.of(CallTool("pay")), HELLO])
        agent = {"tools": [collect, pay], "recording": {"source": "both"}}
        house = await rig(brain, agent=agent, log_level="debug")
        call = await house.ring()
        await call.wait_heard(1000)
        await call.press(CARD[:7])
        house.openai.sessions[0].close(CUT)  # the model goes away meanwhile
        await call.say(clip("table_tonight"))  # tones, or digits that are spoken
        await call.press(CARD[7:] + "#")
        await call.wait_heard(1400)
        await call.say(clip("one_moment"))
        await call.hang_up()
        record, events = await house.settled(call)
        [asked] = shop.received

    assert json.loads(asked.body) == {"card": CARD}
    assert told(events, Kind.DIGITS_COLLECTED) == [{"store_as": "card", "count": 16, "complete": True}]
    assert told(events, Kind.CALLER_DTMF) == []
    outputs = [data["output"] for data in told(events, Kind.TOOL_ANSWERED)]
    assert outputs == ["The caller typed 16 digits; they are stored as card.", "paid with [hidden]"]
    first, second = house.openai.sessions
    heard = bytes(first.caller_audio) + bytes(second.caller_audio)
    assert clip("table_tonight")[800:1600] not in heard
    assert clip("one_moment") in heard
    caller, _ = await house.tracks(record)
    assert clip("table_tonight")[800:1600] not in caller
    assert clip("one_moment") in caller
    recording = [each.form for each in house.twilio.requests if "Recordings" in each.path]
    assert [form.get("Status") for form in recording if "Status" in form] == ["paused", "in-progress"]

    traces = [json.dumps(session.received) for session in house.openai.sessions]
    traces += [capfd.readouterr().err]
    async with db_session(house.engine) as db:
        for table in TABLES:
            traces += list(await db.scalars(text(f"select t::text from {table} t")))  # noqa: S608
    for file in (house.data_dir / "calls").rglob("*"):
        traces += [file.read_bytes().decode("latin-1")] if file.is_file() else []
    everything = "\n".join(traces)
    assert everything.count(record.id) > 10
    assert "call_ended" in traces[2]  # the log
    for part in (CARD, CARD[:7], CARD[7:]):
        assert part not in everything
    assert '"digit"' not in everything


async def test_a_call_sends_a_text_takes_a_message_and_tells_the_time(rig):
    asks = [
        CallTool("current_time"),
        CallTool("send_sms", '{"to": "caller", "text": "Table 4 at eight."}'),
        CallTool("send_sms", '{"to": "+15550100999", "text": "Hi"}'),
        CallTool("take_message", '{"message": "Please call back.", "name": "Ada"}'),
    ]
    tools = [
        {"type": "current_time", "timezone": "Europe/Berlin"}, {"type": "send_sms"}, {"type": "take_message"},
    ]  # fmt: skip
    house = await rig(ScriptedBrain([Reply.of(*asks), HELLO]), agent={"tools": tools}, **SHARED)
    call = await house.ring()
    await call.wait_heard(400)
    await call.hang_up()
    record, events = await house.settled(call)

    outputs = {data["name"]: data["output"] for data in told(events, Kind.TOOL_ANSWERED)}
    assert "(Europe/Berlin, UTC+" in outputs["current_time"]
    assert outputs["send_sms"] == "The message was sent."
    assert len(told(events, Kind.TOOL_FAILED)) == 1  # a number of the model's own
    [sms] = house.twilio.messages
    assert (sms["to"], sms["from"], sms["body"]) == (CALLER, CALLED, "Table 4 at eight.")
    async with client(house.url) as http:
        [message] = (await http.get(f"/api/v1/calls/{record.id}")).json()["messages"]
    assert (message["message"], message["name"], message["urgent"]) == ("Please call back.", "Ada", False)
    async with db_session(house.engine) as db:
        subjects = await db.scalars(text("select subject from webhook_messages where kind = 'message.taken'"))
        [subject] = subjects
    assert subject.split()[0] == record.id
