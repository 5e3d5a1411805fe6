"""What an agent's configuration removes is found nowhere afterwards."""

import json

from sqlalchemy import text

from app.call.events import Kind
from app.sandbox.openai.brain import CallTool, Reply, Say, ScriptedBrain
from tests.e2e.conftest import OpenRig

VISA = "4111 1111 1111 1111"
PAY = {"type": "lookup", "name": "pay", "description": "x", "entries": {VISA: f"{VISA} has code X77"}}


async def test_card_numbers_and_named_patterns_are_in_no_event_no_row_and_no_file(rig: OpenRig) -> None:
    asks = Reply.of(CallTool("pay", json.dumps({"key": VISA})))
    tells = Reply.of(Say.words(f"Your card {VISA} has the code X77.", 800))
    house = await rig(
        ScriptedBrain([asks, tells]), agent={"tools": [PAY], "redaction": {"patterns": {"code": "X[0-9]+"}}}
    )
    call = await house.ring()
    await call.wait_heard(700)
    await call.hang_up()
    _, events = await house.settled(call)

    [answered] = [event for event in events if event.kind == Kind.TOOL_ANSWERED]
    assert answered.data["output"] == "[card number] has code [code]"
    [spoken] = [event for event in events if event.kind == Kind.AGENT_TRANSCRIPT]
    assert spoken.data["text"] == "Your card [card number] has the code [code]."
    outputs = [
        e["item"]["output"] for e in house.openai.sessions[0].received if e["type"] == "conversation.item.create"
    ]
    assert outputs == [f"{VISA} has code X77"], "the model itself needs the words"
    async with house.engine.connect() as db:
        for table in ("call_events", "webhook_messages"):
            rows = await db.scalars(text(f"select row_to_json({table})::text from {table}"))  # noqa: S608
            assert not [row for row in rows if "1111 1111" in row or "X77" in row]
    assert "1111 1111" not in str([told.data for told in house.told])
    written = [file for name in ("events.jsonl", "transcript.json") for file in house.data_dir.rglob(name)]
    assert written
    assert not [file for file in written if "1111 1111" in file.read_text()]
