"""Variables in what Twilio speaks for us, and a world that goes on while an operator's server is asked."""

import asyncio

import pytest

from app.conf.models import AgentConf, NumberConf, PrecallConf, new_webhook_secret
from app.web.line import Line
from app.web.precall import Precalls, Told
from tests.unit.twilio.accounts import CALL
from tests.unit.web.house import CALLER, NUMBER, House, agent_with_fallback, webhook_fields

PRECALL = PrecallConf.model_validate({"url": "https://crm.example.com/", "secret": new_webhook_secret()})


class Asked(Precalls):
    """A server that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.answered = asyncio.Event()

    async def ask(self, conf: PrecallConf, line: Line, agent: str) -> Told:
        self.asked.set()
        await self.answered.wait()
        return Told({"name": "Ann"})

    def told(self, call_sid: str) -> Told:
        return Told({"name": "Ann"})


@pytest.fixture
def precalls(house: House) -> Asked:
    precalls = Asked()
    house.change(precalls=precalls)
    house.conf.agents = {"default": AgentConf(instructions="{{name}}", precall=PRECALL)}
    return precalls


async def test_a_closed_number_speaks_with_its_variables(house: House) -> None:
    house.conf.agents = {"default": AgentConf(variables={"company": "Acme"})}
    hours = {"zone": "Europe/Zurich", "closed_message": "{{company}} in {{city}} is closed, {{caller_number}}{{x}}."}
    number = {"agent": "default", "hours": hours, "variables": {"city": "Bern"}}
    house.conf.numbers = {NUMBER: NumberConf.model_validate(number)}

    assert f">Acme in Bern is closed, {CALLER}.</Say>" in (await house.post("/twilio/voice")).text


async def test_an_apology_has_its_variables_filled_with_what_is_known(house: House, precalls: Asked) -> None:
    agent = agent_with_fallback(variables={"company": "Acme"})
    message = {"fallback": agent.fallback.model_copy(update={"message": "{{company}}, {{name}}, {{gone}}"})}
    house.conf.agents = {"default": agent.model_copy(update=message)}
    assert ">Acme, Ann, </Say>" in (await house.post("/twilio/fallback")).text
    assert ">Acme, , </Say>" in (await house.post("/twilio/voice")).text  # for a process that dies

    house.conf.agents = {}
    house.conf.numbers = {NUMBER: NumberConf(agent="default", fallback_message="Sorry, {{name}}{{company}}.")}
    assert ">Sorry, Ann.</Say>" in (await house.post("/twilio/fallback")).text


async def test_a_call_that_cannot_be_taken_any_more_once_we_have_asked_is_turned_away(
    house: House, precalls: Asked
) -> None:
    answer = asyncio.ensure_future(house.post("/twilio/voice"))
    await precalls.asked.wait()
    house.calls.draining = True
    precalls.answered.set()

    assert '<Reject reason="busy"' in (await answer).text
    assert house.lobby.waiting == 0


async def test_a_webhook_that_comes_again_while_we_ask_dials_once(house: House, precalls: Asked) -> None:
    answers = [asyncio.ensure_future(house.post("/twilio/voice")) for _ in range(2)]
    await precalls.asked.wait()
    await asyncio.sleep(0)
    precalls.answered.set()
    first, second = [(await answer).text for answer in answers]

    assert first == second
    async with asyncio.timeout(1):
        await house.model.opened.wait()
    assert house.model.dials == 1
    assert house.lobby.answer(CALL) == first


async def test_a_call_that_is_over_is_forgotten(house: House) -> None:
    precalls = Precalls()
    precalls._told[CALL] = asyncio.get_running_loop().create_future()
    house.change(precalls=precalls)
    await house.post("/twilio/status", webhook_fields(CallStatus="completed"))

    assert CALL not in precalls._told
