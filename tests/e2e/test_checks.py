"""Configuration that is tried, and a number that is connected, in a server as it runs."""

import httpx

from app.db import api_keys
from app.db.audit import Actor
from app.db.engine import db_session
from app.sandbox.openai.brain import ScriptedBrain
from tests.e2e.rig import ACCOUNT_SID, CALLED, CALLER


async def test_keys_are_tried_and_a_connected_numbers_calls_reach_us(rig):
    house = await rig(ScriptedBrain([]), agent={})
    house.twilio.own(CALLED, voice_url=None, voice_fallback_url=None, status_callback=None)
    async with db_session(house.engine) as db:
        _, key = await api_keys.add_key(db, "tester", ["admin"], who=Actor("tester"))
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=f"{house.url}/api/v1", headers=headers, trust_env=False) as client:
        for service in ("openai", "twilio"):
            tried = (await client.post(f"/config/{service}/default/test")).json()
            checks = {each["name"]: each["ok"] for each in tried["checks"]}
            assert checks.pop("webhooks", False) is False, "not connected yet"
            assert all(checks.values()), tried
        await client.post(f"/numbers/{CALLED}/connect")

    call = house.twilio.ring(to=CALLED, from_=CALLER)
    fields = {"CallSid": call.call_sid, "AccountSid": ACCOUNT_SID, "From": CALLER, "To": CALLED}
    answer = await house.twilio.webhook(fields | {"CallStatus": "ringing"}, url=house.twilio.numbers[0]["voice_url"])
    assert "<Connect" in answer.text
