"""The test of a Twilio account, with an API key beside its tokens."""

import httpx
import pytest
from pydantic import SecretStr

from app.conf.models import TwilioCoreConf
from app.twilio.rest import TwilioRest
from app.web.api.check_twilio import check_account
from tests.unit.twilio.accounts import OURS, TOKEN, account

KEYED = account().model_copy(update={"api_key_sid": "SK1", "api_key_secret": SecretStr("the-key-secret")})


async def found(conf: TwilioCoreConf, *refused: str, public_url: str | None = None) -> dict[str, bool]:
    """Which checks are good where Twilio refuses those who sign in under these names."""

    async def twilio(request: httpx.Request) -> httpx.Response:
        user = httpx.BasicAuth(OURS, TOKEN)
        as_token = next(user.auth_flow(httpx.Request("GET", request.url))).headers["authorization"]
        name = "token" if request.headers["authorization"] == as_token else "key"
        if name in refused:
            return httpx.Response(401, json={"code": 20003, "message": "Authenticate"})
        if request.url.path.endswith(f"{OURS}.json"):
            return httpx.Response(200, json={"status": "active", "type": "Trial"})
        return httpx.Response(200, json={"incoming_phone_numbers": [{"phone_number": "+15550100100"}]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(twilio)) as client:
        checks = await check_account(
            conf, lambda each: TwilioRest(client, each, base_url="https://api.example.com", carrier_s=1), public_url
        )
    assert "the-key-secret" not in str(checks)
    return {check.name: check.ok for check in checks}


async def test_tokens_are_tried_though_rest_uses_the_key():
    assert await found(KEYED) == {"auth_token": True, "account": True, "api_key": True, "numbers": True}


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        ("token", {"auth_token": False, "api_key": True, "numbers": True}),
        ("key", {"auth_token": True, "account": True, "api_key": False}),
    ],
)
async def test_each_of_the_two_is_found_wrong_by_its_name(refused, expected):
    assert await found(KEYED, refused) == expected


async def test_an_account_none_of_whose_numbers_ring_here_is_told():
    checks = await found(account(), public_url="https://calls.example.com")
    assert checks == {"auth_token": True, "account": True, "numbers": True, "webhooks": False}
