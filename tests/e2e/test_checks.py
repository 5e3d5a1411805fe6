"""What is configured is tried, and numbers are connected, over the API: between the sandbox's Twilio and OpenAI."""

from dataclasses import replace

import httpx
import pytest

from app.conf.models import new_webhook_secret
from app.db import api_keys
from app.db.audit import Actor
from app.db.engine import db_session
from app.sandbox.openai.brain import ScriptedBrain
from tests.e2e.rig import ACCOUNT_SID, AUTH_TOKEN, CALLED, Rig
from tests.receiver import receiver

OTHER = "+15550100200"


class Asked:
    """The API of a rig, asked over its socket."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._keys: dict[str, str] = {}

    async def __call__(self, method: str, path: str, *, scope: str = "admin", **more: object) -> httpx.Response:
        if scope not in self._keys:
            async with db_session(self.rig.engine) as db:
                self._keys[scope] = (await api_keys.add_key(db, scope, [scope], who=Actor("tester")))[1]
        headers = {"Authorization": f"Bearer {self._keys[scope]}"}
        async with httpx.AsyncClient(base_url=f"{self.rig.url}/api/v1", trust_env=False) as client:
            return await client.request(method, path, headers=headers, **more)  # type: ignore[arg-type]

    def change_outside(self, **changes: object) -> None:
        """Let the API find the services elsewhere, or wait less for them."""
        state = self.rig.app.state
        state.services = replace(state.services, outside=replace(state.services.outside, **changes))

    async def test(self, place: str) -> dict[str, tuple[bool, str]]:
        """What a test finds, by the names of its checks."""
        answer = await self("POST", f"/config/{place}/test")
        assert answer.status_code == 200, answer.text
        checks = {each["name"]: (each["ok"], each["detail"]) for each in answer.json()["checks"]}
        assert answer.json()["ok"] == all(ok for ok, _ in checks.values())
        return checks


@pytest.fixture
async def ask(rig) -> Asked:
    return Asked(await rig(ScriptedBrain([]), agent={}))


# -- OpenAI


async def test_a_good_key_sees_what_our_agents_need(ask: Asked):
    checks = await ask.test("openai/default")
    assert all(ok for ok, _ in checks.values()), checks
    assert "gpt-realtime-2.1" in checks["realtime_models"][1]
    assert "gpt-transcribe" in checks["transcription_models"][1]
    assert checks["agent/default"][0]


async def test_a_wrong_key_is_named_but_not_shown(ask: Asked):
    await ask.rig.put("openai", "default", {"openai_api_key": "sk-wrong-and-secret"})
    answer = await ask("POST", "/config/openai/default/test")
    assert (answer.status_code, answer.json()["ok"]) == (200, False)
    assert [check["name"] for check in answer.json()["checks"]] == ["key"]
    assert "sk-wrong" not in answer.text
    assert "secret" not in answer.text


async def test_an_agent_whose_model_the_key_does_not_see_is_named_and_so_is_a_model_that_ends(ask: Asked):
    ask.rig.openai.models["gpt-realtime-2.1"] = "2026-01-01"
    ask.rig.openai.models.pop("gpt-transcribe")
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
    ask.rig.twilio.own(CALLED)
    ask.rig.twilio.own(OTHER, voice_url="https://demo.example.org/")
    checks = await ask.test("twilio/default")
    assert checks == {
        "auth_token": (True, "Twilio accepts it"),
        "account": (True, "it is active (full)"),
        "numbers": (True, "the account has 2"),
        "webhooks": (True, "1 of 2 send their calls here"),
    }


async def test_each_wrong_token_is_found_and_a_suspended_account_too(ask: Asked):
    ask.rig.twilio.account["status"] = "suspended"
    wrong = "f" * 32
    await ask.rig.put("twilio", "default", {"account_sid": ACCOUNT_SID, "auth_tokens": [AUTH_TOKEN, wrong]})
    answer = await ask("POST", "/config/twilio/default/test")
    found = {each["name"]: each["ok"] for each in answer.json()["checks"]}
    assert found == {"auth_token": True, "account": False, "auth_token_2": False, "numbers": False}
    assert wrong not in answer.text


async def test_a_twilio_that_hangs_is_given_up_in_time(ask: Asked):
    ask.change_outside(within_s=0.2)
    ask.rig.twilio.fail_rest(None, times=2)
    checks = await ask.test("twilio/default")
    assert [ok for ok, _ in checks.values()] == [False, False]
    assert "cannot be reached" in checks["numbers"][1]


# -- webhooks


async def test_a_webhook_takes_a_signed_test_message_or_says_why_not(ask: Asked):
    secret = new_webhook_secret()
    async with receiver("204 No Content", "500 Broken") as server:
        await ask.rig.put("webhook", "crm", {"url": server.url, "secret": secret, "allow_private": ["127.0.0.1"]})
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
    url = ask.rig.url
    ask.rig.twilio.own(CALLED, voice_url="https://demo.example.org/", status_callback=None, voice_application_sid="AP1")
    expected = [
        {"field": "voice_url", "before": "https://demo.example.org/", "after": f"{url}/twilio/voice"},
        {"field": "status_callback", "before": None, "after": f"{url}/twilio/status"},
        {"field": "voice_application_sid", "before": "AP1", "after": None},
    ]
    looked = await ask("POST", f"/numbers/{CALLED}/connect?dry_run=true", scope="write")
    assert (looked.json()["changes"], looked.json()["dry_run"]) == (expected, True)
    assert ask.rig.twilio.numbers[0]["voice_url"] == "https://demo.example.org/"

    done = await ask("POST", f"/numbers/{CALLED}/connect", scope="write")
    assert (done.json()["changes"], done.json()["agent"], done.json()["account"]) == (expected, "default", "default")
    [number] = ask.rig.twilio.numbers
    assert (number["voice_url"], number["voice_application_sid"]) == (f"{url}/twilio/voice", None)

    again = await ask("POST", f"/numbers/{CALLED}/connect", scope="write")
    assert again.json()["changes"] == []
    audited = (await ask("GET", f"/audit?subject=number/{CALLED}".replace("+", "%2B"))).json()["data"]
    assert [entry["action"] for entry in audited] == ["connect"]


async def test_a_connected_numbers_calls_reach_us(ask: Asked):
    ask.rig.twilio.own(CALLED, voice_url=None, voice_fallback_url=None, status_callback=None)
    await ask("POST", f"/numbers/{CALLED}/connect", scope="write")
    voice_url = ask.rig.twilio.numbers[0]["voice_url"]
    call = ask.rig.twilio.ring(to=CALLED, from_="+15550100123")
    fields = {"CallSid": call.call_sid, "AccountSid": ACCOUNT_SID, "From": call.from_, "To": CALLED}
    answer = await ask.rig.twilio.webhook(fields | {"CallStatus": "ringing"}, url=voice_url)
    assert "<Connect" in answer.text


async def test_connecting_is_refused_with_a_reason(ask: Asked):
    reader = await ask("POST", f"/numbers/{CALLED}/connect", scope="read")
    assert reader.status_code == 403
    nobodys = await ask("POST", f"/numbers/{CALLED}/connect")
    assert (nobodys.status_code, nobodys.json()["code"]) == (404, "not_found")
    ask.rig.twilio.own(CALLED, voice_url=None)
    ask.rig.twilio.fail_rest(500)
    failed = await ask("POST", f"/numbers/{CALLED}/connect")
    assert (failed.status_code, failed.json()["code"]) == (502, "carrier_refused")
    assert (await ask("POST", "/numbers/default/connect")).status_code == 422


async def test_without_a_public_url_nothing_can_be_connected(rig):
    ask = Asked(await rig(ScriptedBrain([]), agent={}, public_url=None))
    refused = await ask("POST", f"/numbers/{CALLED}/connect")
    assert (refused.status_code, refused.json()["code"]) == (409, "public_url_missing")
    ask.rig.twilio.own(CALLED)
    [listed] = (await ask("GET", "/twilio/default/numbers")).json()["data"]
    assert (listed["connected"], listed["points_here"]) == (None, None)


async def test_the_accounts_numbers_are_listed_page_by_page_with_where_they_ring(ask: Asked):
    ask.rig.twilio.own(OTHER, voice_url="https://demo.example.org/", voice_fallback_url=None, status_callback=None)
    ask.rig.twilio.own(CALLED, friendly_name="Front desk")
    await ask.rig.put("number", CALLED, {"agent": "default"})
    first = (await ask("GET", "/twilio/default/numbers?limit=1", scope="read")).json()
    [front] = first["data"]
    assert front | {"number": CALLED, "friendly_name": "Front desk", "connected": True, "configured": True} == front
    second = (await ask("GET", f"/twilio/default/numbers?limit=1&cursor={first['next_cursor']}")).json()
    [other] = second["data"]
    assert other | {"number": OTHER, "points_here": False, "configured": False, "agent": "default"} == other
    assert not second["has_more"]
    assert (await ask("GET", "/twilio/nobody/numbers")).status_code == 404
