"""Keys for browsers: what they open, and how long."""

import json

import httpx
import pytest
from openai import AsyncOpenAI

from app.sandbox.openai.brain import ScriptedBrain
from app.sandbox.openai.client_secrets import ClientSecrets
from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.server import SandboxOpenAI
from tests.unit.sandbox.openai.client import PHONE, dial

KEY = {"authorization": "Bearer sk-sandbox-parley"}


async def test_the_official_client_gets_a_key_that_opens_sessions_as_configured():
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox:
        async with AsyncOpenAI(api_key=sandbox.api_key, base_url=sandbox.base_url) as official:
            session = {"model": "gpt-realtime-2.1-mini", "instructions": "Be brief.", **PHONE}
            secret = await official.realtime.client_secrets.create(
                expires_after={"anchor": "created_at", "seconds": 60}, session=session
            )
        headers = {"Authorization": f"Bearer {secret.value}"}
        for _ in range(2):
            async with dial(sandbox, "", **headers) as client:
                created = await client.next("session.created")

    assert secret.value.startswith("ek_")
    assert (secret.session.model, secret.session.instructions) == ("gpt-realtime-2.1-mini", "Be brief.")
    assert created["session"]["audio"]["output"]["format"] == {"type": "audio/pcmu"}
    assert (created["session"]["model"], created["session"]["instructions"]) == ("gpt-realtime-2.1-mini", "Be brief.")


async def test_a_key_can_open_a_transcription_session():
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, httpx.AsyncClient(base_url=sandbox.base_url) as http:
        answer = await http.post("/realtime/client_secrets", json={"session": {"type": "transcription"}}, headers=KEY)
        async with dial(sandbox, "", Authorization=f"Bearer {answer.json()['value']}") as client:
            created = await client.next("session.created")

    assert answer.json()["session"]["object"] == "realtime.transcription_session"
    assert created["session"]["type"] == "transcription"


@pytest.mark.parametrize(
    ("headers", "body", "status", "code", "param"),
    [
        ({}, {}, 401, "invalid_api_key", None),
        (KEY, {"expires_after": {"anchor": "created_at", "seconds": 9}}, 400, "invalid_value", "expires_after.seconds"),
        (KEY, {"expires_after": {"seconds": 7201}}, 400, "invalid_value", "expires_after.seconds"),
        (KEY, {"expires_after": {"anchor": "now"}}, 400, "invalid_value", "expires_after.anchor"),
        (KEY, {"session": {}}, 400, "missing_required_parameter", "session.type"),
        (KEY, {"session": {"type": "realtime", "voice": "marin"}}, 400, "unknown_parameter", "session.voice"),
        (KEY, {"model": "gpt-realtime"}, 400, "unknown_parameter", "model"),
        (KEY, [], 400, "invalid_type", None),
    ],
)
async def test_a_wrong_request_for_a_key_is_refused(headers, body, status, code, param):
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, httpx.AsyncClient(base_url=sandbox.base_url) as http:
        answer = await http.post("/realtime/client_secrets", json=body, headers=headers)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)


@pytest.mark.parametrize(("wish", "lasts_s"), [({}, 600), ({"expires_after": {"seconds": 10}}, 10)])
def test_a_key_opens_nothing_once_it_has_expired(wish, lasts_s):
    now = 1_800_000_000.0
    secrets = ClientSecrets(now=lambda: now)
    secret = secrets.create(json.dumps(wish))
    assert secret["expires_at"] == now + lasts_s
    now += lasts_s - 1
    assert secrets.config(secret["value"]) is not None
    now += 1
    assert secrets.config(secret["value"]) is None


def test_a_key_is_not_given_for_a_session_that_the_api_would_not_have():
    with pytest.raises(Refusal) as refused:
        ClientSecrets().create(
            '{"session": {"type": "realtime", "model": "gpt-realtime-1.5", "reasoning": {"effort": "low"}}}'
        )

    assert refused.value.param == "session.reasoning"
