"""What keeps a number's calls from coming here, and how that is changed at Twilio."""

from collections.abc import AsyncIterator

import pytest
from msgspec import structs
from pydantic import SecretStr

from app.conf.models import TwilioCoreConf
from app.errors import CarrierApiError
from app.sandbox.twilio import SandboxTwilio
from app.twilio.numbers import PhoneNumber, changes_for, points_here
from app.twilio.rest import TwilioRest, new_client
from app.twilio.rest_numbers import change_number, find_number, list_numbers, read_account
from tests.unit.twilio.accounts import OURS, TOKEN

HERE = "https://calls.example.com"
NUMBER = "+15550100100"
RIGHT = PhoneNumber(NUMBER, f"{HERE}/twilio/voice#rc=2", f"{HERE}/twilio/fallback", f"{HERE}/twilio/status")


@pytest.fixture
async def twilio() -> AsyncIterator[SandboxTwilio]:
    async with SandboxTwilio(account_sid=OURS, auth_token=TOKEN, voice_url="https://demo.example.org/voice") as twilio:
        yield twilio


@pytest.fixture
async def rest(twilio: SandboxTwilio) -> AsyncIterator[TwilioRest]:
    account = TwilioCoreConf(account_sid=OURS, auth_tokens=[SecretStr(TOKEN)])
    async with new_client() as client:
        yield TwilioRest(client, account, base_url=twilio.api_base_url, carrier_s=3)


def told(number: PhoneNumber) -> list[tuple[str, str | None, str | None]]:
    return [(change.field, change.before, change.after) for change in changes_for(number, HERE)]


def test_a_number_whose_calls_come_here_needs_no_change():
    assert told(RIGHT) == []
    assert points_here(RIGHT, HERE)


def test_each_field_that_is_wrong_is_told_with_what_it_was():
    number = PhoneNumber(NUMBER, "https://demo.example.org/voice", voice_method="GET", voice_application_sid="AP1")
    assert told(number) == [
        ("voice_url", "https://demo.example.org/voice", f"{HERE}/twilio/voice"),
        ("voice_method", "GET", "POST"),
        ("voice_fallback_url", None, f"{HERE}/twilio/fallback"),
        ("status_callback", None, f"{HERE}/twilio/status"),
        ("voice_application_sid", "AP1", None),
    ]
    assert not points_here(number, HERE)


def test_a_trunk_is_in_the_way():
    assert told(structs.replace(RIGHT, trunk_sid="TK1")) == [("trunk_sid", "TK1", None)]


async def test_after_the_change_nothing_is_left_to_change(twilio: SandboxTwilio, rest: TwilioRest):
    twilio.own(NUMBER, voice_method="GET", trunk_sid="TK1")
    number = await find_number(rest, NUMBER)
    changed = await change_number(rest, number, changes_for(number, HERE))

    assert told(changed) == []
    [kept] = twilio.numbers
    assert (kept["voice_url"], kept["voice_method"], kept["trunk_sid"]) == (f"{HERE}/twilio/voice", "POST", None)
    assert twilio.requests[-1].form["VoiceFallbackUrl"] == f"{HERE}/twilio/fallback"


async def test_a_number_of_somebody_else_is_not_found(twilio: SandboxTwilio, rest: TwilioRest):
    twilio.own("+15550100999")
    assert await find_number(rest, NUMBER) is None


async def test_every_page_of_numbers_is_read(twilio: SandboxTwilio, rest: TwilioRest):
    wanted = [f"+1555{n:07}" for n in range(2001)]
    for number in wanted:
        twilio.own(number)
    assert [each.phone_number for each in await list_numbers(rest)] == wanted
    assert len(twilio.requests) == 3


async def test_the_account_says_how_it_stands(twilio: SandboxTwilio, rest: TwilioRest):
    assert (await read_account(rest)).status == "active"
    twilio.account["status"] = "suspended"
    assert (await read_account(rest)).status == "suspended"


async def test_a_refusal_is_an_error_without_the_token(twilio: SandboxTwilio, rest: TwilioRest):
    twilio.fail_rest(401, code=20003)
    with pytest.raises(CarrierApiError) as caught:
        await list_numbers(rest)
    assert (caught.value.status, TOKEN in str(caught.value)) == (401, False)
