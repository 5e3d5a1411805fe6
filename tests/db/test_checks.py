"""What is configured is tried, and numbers are connected, over the API: beside the sandbox's Twilio and OpenAI."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.models import new_webhook_secret
from app.db.api_keys import Scope
from app.sandbox.openai.brain import ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.twilio import SandboxTwilio
from tests.db.api import Api, open_api
from tests.receiver import receiver
from tests.unit.web.house import ORIGIN

ACCOUNT_SID, AUTH_TOKEN = "AC" + "5" * 32, "6" * 32
CALLED, OTHER = "+15550100100", "+15550100200"


@dataclass
class Asked:
    """The API between the two, and whoever asks it."""

    api: Api
    openai: SandboxOpenAI
    twilio: SandboxTwilio

    async def __call__(self, method: str, path: str, *, scope: Scope = "admin", **more: Any) -> httpx.Response:
        return await self.api.ask(method, path, key=await self.api.a_key(scope), **more)

    async def put(self, section: str, name: str, value: dict[str, Any]) -> None:
        await self.api.store.put(section, name, value, by="tester")

    def change_outside(self, **changes: Any) -> None:
        """Let the API find the services elsewhere, or wait less for them."""
        self.api.house.change(outside=replace(self.api.house.services.outside, **changes))

    async def test(self, place: str) -> dict[str, tuple[bool, str]]:
        """What a test finds, by the names of its checks."""
        answer = await self("POST", f"/config/{place}/test")
        assert answer.status_code == 200, answer.text
        checks = {each["name"]: (each["ok"], each["detail"]) for each in answer.json()["checks"]}
        assert answer.json()["ok"] == all(ok for ok, _ in checks.values())
        return checks


@pytest.fixture
async def ask(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Asked]:
    async with (
        SandboxOpenAI(ScriptedBrain([])) as openai,
        SandboxTwilio(
            account_sid=ACCOUNT_SID,
            auth_token=AUTH_TOKEN,
            voice_url=f"{ORIGIN}/twilio/voice",
            fallback_url=f"{ORIGIN}/twilio/fallback",
            status_url=f"{ORIGIN}/twilio/status",
        ) as twilio,
        open_api(engine, tmp_path) as api,
    ):
        asked = Asked(api, openai, twilio)
        asked.change_outside(twilio_api_base_url=twilio.api_base_url, openai_base_url=openai.base_url)
        await asked.put("openai", "default", {"openai_api_key": openai.api_key})
        await asked.put("twilio", "default", {"account_sid": ACCOUNT_SID, "auth_tokens": [AUTH_TOKEN]})
        await asked.put("agent", "default", {})
        await asked.put("number", "default", {"agent": "default"})
        yield asked


# -- OpenAI


async def test_a_good_key_sees_what_our_agents_need(ask: Asked):
    checks = await ask.test("openai/default")
    assert all(ok for ok, _ in checks.values()), checks
    assert "gpt-realtime-2.1" in checks["realtime_models"][1]
    assert "gpt-transcribe" in checks["transcription_models"][1]
    assert checks["agent/default"][0]


async def test_a_wrong_key_is_named_but_not_shown(ask: Asked):
    await ask.put("openai", "default", {"openai_api_key": "sk-wrong-and-secret"})
    answer = await ask("POST", "/config/openai/default/test")
    assert (answer.status_code, answer.json()["ok"]) == (200, False)
    assert [check["name"] for check in answer.json()["checks"]] == ["key"]
    assert "sk-wrong" not in answer.text
    assert "secret" not in answer.text


async def test_an_agent_whose_model_the_key_does_not_see_is_named_and_so_is_a_model_that_ends(ask: Asked):
    ask.openai.models["gpt-realtime-2.1"] = "2026-01-01"
    ask.openai.models.pop("gpt-transcribe")
    checks = await ask.test("openai/default")
    assert (checks["agent/default"][0], "gpt-transcribe" in checks["agent/default"][1]) == (False, True)
    assert checks["shutdown_dates"] == (False, "gpt-realtime-2.1 ends on 2026-01-01")


async def test_an_openai_that_is_away_is_a_finding(ask: Asked):
    ask.change_outside(openai_base_url="http://127.0.0.1:1/v1")
    assert (await ask.test("openai/default"))["key"] == (
        False,
        "nobody can tell: OpenAI cannot be reached: ConnectError",
    )


# -- Twilio


async def test_a_good_account_says_how_it_stands_and_where_its_numbers_ring(ask: Asked):
    ask.twilio.own(CALLED)
    ask.twilio.own(OTHER, voice_url="https://demo.example.org/")
    checks = await ask.test("twilio/default")
    assert checks == {
        "auth_token": (True, "Twilio accepts it"),
        "account": (True, "it is active (full)"),
        "numbers": (True, "the account has 2"),
        "webhooks": (True, "1 of 2 send their calls here"),
    }


async def test_each_wrong_token_is_found_and_a_suspended_account_too(ask: Asked):
    ask.twilio.account["status"] = "suspended"
    wrong = "f" * 32
    await ask.put("twilio", "default", {"account_sid": ACCOUNT_SID, "auth_tokens": [AUTH_TOKEN, wrong]})
    answer = await ask("POST", "/config/twilio/default/test")
    found = {each["name"]: each["ok"] for each in answer.json()["checks"]}
    assert found == {"auth_token": True, "account": False, "auth_token_2": False, "numbers": False}
    assert wrong not in answer.text


async def test_a_twilio_that_hangs_is_given_up_in_time(ask: Asked):
    ask.change_outside(within_s=0.2)
    ask.twilio.fail_rest(None, times=2)
    checks = await ask.test("twilio/default")
    assert [ok for ok, _ in checks.values()] == [False, False]
    assert "cannot be reached" in checks["numbers"][1]


# -- webhooks


async def test_a_webhook_takes_a_signed_test_message_or_says_why_not(ask: Asked):
    secret = new_webhook_secret()
    async with receiver("204 No Content", "500 Broken") as server:
        await ask.put("webhook", "crm", {"url": server.url, "secret": secret, "allow_private": ["127.0.0.1"]})
        ok, detail = (await ask.test("webhook/crm"))["delivery"]
        assert (ok, "HTTP 204" in detail) == (True, True)
        assert server.received[0].verified(secret)["type"] == "webhook.test"
        ok, detail = (await ask.test("webhook/crm"))["delivery"]
        assert (ok, "500" in detail) == (False, True)

    ok, detail = (await ask.test("webhook/crm"))["delivery"]
    assert (ok, "did not take" in detail) == (False, True)


async def test_only_an_admin_may_try_and_a_row_must_be_there(ask: Asked):
    assert (await ask("POST", "/config/openai/default/test", scope="write")).status_code == 403
    for place in ("openai/nobody", "twilio/nobody", "webhook/nobody"):
        answer = await ask("POST", f"/config/{place}/test")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# -- numbers


async def test_a_number_is_connected_and_every_change_is_shown(ask: Asked):
    ask.twilio.own(CALLED, voice_url="https://demo.example.org/", status_callback=None, voice_application_sid="AP1")
    expected = [
        {"field": "voice_url", "before": "https://demo.example.org/", "after": f"{ORIGIN}/twilio/voice"},
        {"field": "status_callback", "before": None, "after": f"{ORIGIN}/twilio/status"},
        {"field": "voice_application_sid", "before": "AP1", "after": None},
    ]
    looked = await ask("POST", f"/numbers/{CALLED}/connect?dry_run=true", scope="write")
    assert (looked.json()["changes"], looked.json()["dry_run"]) == (expected, True)
    assert ask.twilio.numbers[0]["voice_url"] == "https://demo.example.org/"

    done = await ask("POST", f"/numbers/{CALLED}/connect", scope="write")
    assert (done.json()["changes"], done.json()["agent"], done.json()["account"]) == (expected, "default", "default")
    [number] = ask.twilio.numbers
    assert (number["voice_url"], number["voice_application_sid"]) == (f"{ORIGIN}/twilio/voice", None)

    again = await ask("POST", f"/numbers/{CALLED}/connect", scope="write")
    assert again.json()["changes"] == []
    audited = (await ask("GET", f"/audit?subject=number/{CALLED}".replace("+", "%2B"))).json()["data"]
    assert [entry["action"] for entry in audited] == ["connect"]


async def test_connecting_is_refused_with_a_reason(ask: Asked):
    reader = await ask("POST", f"/numbers/{CALLED}/connect", scope="read")
    assert reader.status_code == 403
    nobodys = await ask("POST", f"/numbers/{CALLED}/connect")
    assert (nobodys.status_code, nobodys.json()["code"]) == (404, "not_found")
    ask.twilio.own(CALLED, voice_url=None)
    ask.twilio.fail_rest(500)
    failed = await ask("POST", f"/numbers/{CALLED}/connect")
    assert (failed.status_code, failed.json()["code"]) == (502, "carrier_refused")
    assert (await ask("POST", "/numbers/default/connect")).status_code == 422


async def test_without_a_public_url_nothing_can_be_connected(ask: Asked):
    ask.api.house.change(public_url=None)
    refused = await ask("POST", f"/numbers/{CALLED}/connect")
    assert (refused.status_code, refused.json()["code"]) == (409, "public_url_missing")
    ask.twilio.own(CALLED)
    [listed] = (await ask("GET", "/twilio/default/numbers")).json()["data"]
    assert (listed["connected"], listed["points_here"]) == (None, None)


async def test_the_accounts_numbers_are_listed_page_by_page_with_where_they_ring(ask: Asked):
    ask.twilio.own(OTHER, voice_url="https://demo.example.org/", voice_fallback_url=None, status_callback=None)
    ask.twilio.own(CALLED, friendly_name="Front desk")
    await ask.put("number", CALLED, {"agent": "default"})
    first = (await ask("GET", "/twilio/default/numbers?limit=1", scope="read")).json()
    [front] = first["data"]
    assert front | {"number": CALLED, "friendly_name": "Front desk", "connected": True, "configured": True} == front
    second = (await ask("GET", f"/twilio/default/numbers?limit=1&cursor={first['next_cursor']}")).json()
    [other] = second["data"]
    assert other | {"number": OTHER, "points_here": False, "configured": False, "agent": "default"} == other
    assert not second["has_more"]
    assert (await ask("GET", "/twilio/nobody/numbers")).status_code == 404
