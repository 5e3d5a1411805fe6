"""Numbers outside of their opening hours, and with a fallback message of their own."""

import asyncio
from datetime import UTC, datetime

from app.conf.models import AgentConf, NumberConf, phrases
from app.web.answerer import Answerer, resumer
from tests.unit.web.house import NUMBER, House, agent_with_fallback

NEVER = {"zone": "Europe/Zurich"}
ALWAYS = NEVER | {day: ["00:00-24:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
ALWAYS |= {"saturday": ["00:00-24:00"], "sunday": ["00:00-24:00"]}


def answers(house: House, **number: object) -> None:
    house.conf.agents = {"default": agent_with_fallback(), "night": AgentConf(language="fr-FR")}
    house.conf.numbers = {NUMBER: NumberConf.model_validate({"agent": "default"} | number)}


async def test_a_closed_number_says_so_in_the_agents_language_and_hangs_up(house: House):
    answers(house, hours=NEVER | {"closed_message": "Geschlossen & dunkel."})
    twiml = (await house.post("/twilio/voice")).text

    assert '<Say language="de-DE">Geschlossen &amp; dunkel.</Say><Hangup' in twiml
    assert "Dial" not in twiml
    assert house.model.dials == 0


async def test_a_closed_number_without_words_of_its_own_has_ours_in_the_agents_language(house: House):
    for hours in (NEVER, NEVER | {"closed_message": "{{nothing}}"}):
        answers(house, hours=hours)
        assert f"{phrases('de').closed}</Say><Hangup" in (await house.post("/twilio/voice")).text


async def test_a_closed_number_with_an_agent_for_that_is_answered_by_it(house: House):
    answers(house, hours=NEVER | {"closed_agent": "night"})
    assert "<Stream" in (await house.post("/twilio/voice")).text
    async with asyncio.timeout(2):
        await house.model.opened.wait()
    assert house.model.languages == ["fr-FR"]


async def test_an_open_number_is_answered_by_its_agent(house: House):
    answers(house, hours=ALWAYS)
    assert "<Stream" in (await house.post("/twilio/voice")).text


async def test_a_call_that_lost_its_stream_goes_on_after_closing_time(house: House):
    answers(house, hours=NEVER)
    twiml = (await house.post("/twilio/after?attempt=1")).text
    assert "<Stream" in twiml


async def test_who_goes_on_is_the_numbers_agent_or_the_one_for_closed_hours(house: House):
    now = datetime.now(UTC)
    for hours, name in ((NEVER, "default"), (ALWAYS, "default"), (NEVER | {"closed_agent": "night"}, "night")):
        answers(house, hours=hours)
        found = resumer(house.conf, NUMBER, now)
        assert isinstance(found, Answerer)
        assert found.name == name
    house.conf.numbers = {}
    assert resumer(house.conf, NUMBER, now) is None


async def test_a_numbers_own_fallback_message_wins_before_and_within_the_call(house: House):
    answers(house, fallback_message="Bitte später.", fallback_number="+15550000009")
    assert "Bitte später." in (await house.post("/twilio/fallback")).text
    assert "Bitte später." in (await house.post("/twilio/voice")).text  # Twilio says it where we are dead
    house.conf.agents = {}
    assert "Bitte später." in (await house.post("/twilio/fallback")).text
