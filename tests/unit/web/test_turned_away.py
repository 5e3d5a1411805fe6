"""Calls for which there is no room."""

import asyncio
import time

from app.conf.models import AgentConf, LimitsConf, VoicemailConf
from tests.unit.web.house import CALLER, House, webhook_fields

SPOKEN = "Please call again in a while."


def calls(count: int, **fields: str) -> list[dict[str, str]]:
    return [webhook_fields(CallSid=f"CA{n:032}", **fields) for n in range(count)]


async def test_of_a_burst_as_many_as_there_is_room_for_are_answered_and_the_rest_hear_words_at_once(house: House):
    house.conf.most = house.conf.most.model_copy(update={"spoken": SPOKEN})
    began_s = time.monotonic()
    answers = await asyncio.gather(*(house.post("/twilio/voice", fields) for fields in calls(50)))
    took_s = time.monotonic() - began_s

    texts = [answer.text for answer in answers]
    assert sum("<Connect>" in text for text in texts) == 10
    assert sum(f">{SPOKEN}</Say><Hangup" in text for text in texts) == 40
    assert house.services.admission.refused == {"calls": 40}
    assert house.lobby.waiting == 10
    assert took_s < 50 * 0.3  # no single one took longer than that


async def test_one_caller_fills_only_their_own_places_and_gets_a_new_one_when_a_call_is_over(house: House):
    house.conf.most = LimitsConf(calls_per_caller=2)
    first, second, third = calls(3)
    for fields in (first, second):
        assert "<Connect>" in (await house.post("/twilio/voice", fields)).text
    assert '<Reject reason="busy"' in (await house.post("/twilio/voice", third)).text
    assert "<Connect>" in (await house.post("/twilio/voice", calls(4, From="+15550009999")[3])).text

    await house.post("/twilio/status", {**first, "CallStatus": "completed"})
    assert CALLER in third["From"]
    assert "<Connect>" in (await house.post("/twilio/voice", third)).text


async def test_nobody_is_asked_about_a_caller_who_is_turned_away(house: House):
    house.conf.most = LimitsConf(spend_usd_per_day=0)
    assert '<Reject reason="busy"' in (await house.post("/twilio/voice")).text
    assert house.model.dials == house.lobby.waiting == 0


async def test_who_is_turned_away_is_not_asked_for_a_message(house: House):
    house.conf.agents = {"default": AgentConf(voicemail=VoicemailConf())}
    house.conf.most = LimitsConf(spend_usd_per_day=0, spoken=SPOKEN)
    answer = await house.post("/twilio/voice")
    assert f">{SPOKEN}</Say><Hangup" in answer.text
    assert "voicemail" not in answer.text
