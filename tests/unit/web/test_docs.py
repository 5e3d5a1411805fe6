import re
import warnings

import httpx

from app.errors import DatabaseError
from app.web.bad_keys import BadKeys
from tests.unit.web.house import ADMIN_KEY, House


async def description(house: House, key: str | None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return await house.request("GET", "/openapi.json", headers=headers)


async def test_the_description_is_shown_to_holders_of_a_key(house: House):
    with warnings.catch_warnings(action="error"):
        response = await description(house, ADMIN_KEY)

    assert response.status_code == 200
    assert {"/twilio/voice", "/twilio/after", "/twilio/fallback", "/healthz"} <= response.json()["paths"].keys()
    assert response.json()["paths"]["/twilio/voice"]["post"]["description"]


async def test_everybody_else_gets_a_problem_that_says_no_more_than_needed(house: House):
    for key in (None, "wrong"):
        response = await description(house, key)
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json()["code"] == ("key_invalid" if key else "key_missing")


async def test_who_guesses_is_shut_out_for_a_minute(house: House):
    answers = [(await description(house, "wrong")).status_code for _ in range(11)]
    shut_out = await description(house, ADMIN_KEY)

    assert answers == [401] * 10 + [429]
    assert shut_out.status_code == 429
    assert 0 < int(shut_out.headers["retry-after"]) <= 60


async def test_asking_without_a_key_is_not_guessing(house: House):
    for _ in range(20):
        await description(house, None)

    assert (await description(house, ADMIN_KEY)).status_code == 200


async def test_a_database_that_is_away_is_told(house: House):
    async def away(_key: str) -> None:
        raise DatabaseError("connection refused")

    house.change(find_key=away)
    response = await description(house, ADMIN_KEY)

    assert response.status_code == 503
    assert "refused" not in response.text


async def test_the_page_runs_only_its_own_script_and_needs_no_key_itself(house: House):
    response = await house.request("GET", "/docs")

    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert re.search(r"default-src 'none'; script-src 'sha256-[^']{44}'; style-src 'sha256-[^']{44}'", policy)
    assert "http" not in re.sub(r"http-equiv", "", response.text)


def test_an_address_is_heard_again_after_its_minute_and_others_all_along():
    keys = BadKeys()
    for at_ms in range(10):
        keys.note("1.2.3.4", at_ms)

    assert keys.blocked_ms("1.2.3.4", 1000) == 59_000
    assert keys.blocked_ms("5.6.7.8", 1000) == 0
    assert keys.blocked_ms("1.2.3.4", 60_000) == 0
    keys.note("1.2.3.4", 60_000)
    assert keys.blocked_ms("1.2.3.4", 60_001) == 0
