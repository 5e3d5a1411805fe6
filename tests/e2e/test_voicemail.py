"""No model is there: what callers hear, and the message they leave, from the ring to its transcript."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.models import phrases
from app.sandbox.openai.brain import ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.sandbox.twilio import Destination, EndCause, SandboxCall
from app.sandbox.twilio.timeline import Dialled, VerbStarted
from app.sandbox.voices.clips import clip, text_of
from tests.e2e.calls_api import SHARED, client
from tests.e2e.rig import ACCOUNT_SID, CALLED, CALLER, QUICK, open_rig

SHORT = replace(QUICK, session_s=0.5, connect_s=0.3)
NOWHERE = "postgresql+asyncpg://parley:x@127.0.0.1:1/parley"
COLLEAGUE = "+15550100999"
QUESTION = "opening_hours"
GERMAN = {"language": "de-DE", "voicemail": {"max_seconds": 60}}


def spoken(call: SandboxCall) -> list[str]:
    started = [moment.verb for moment in call.timeline if isinstance(moment, VerbStarted)]
    assert {verb.get("language") for verb in started if verb.name == "Say"} == {"de-DE"}
    return [verb.text for verb in started if verb.name == "Say"]


async def leave_message(call: SandboxCall) -> None:
    """Say what is to be said, once the tone has come, and put the phone down."""
    await call.wait_for(
        lambda call: any(isinstance(each, VerbStarted) and each.verb.name == "Record" for each in call.timeline)
    )
    call.leave_message(clip(QUESTION), key="#")
    await call.wait_ended()


async def calls(http: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get("/api/v1/calls", params=query)).json()["data"]
    return found


async def left(http: httpx.AsyncClient) -> dict[str, Any]:
    """The one call in which a message was left, once that is written down."""
    async with asyncio.timeout(20):
        while True:
            for line in await calls(http, end_reason="voicemail"):
                call: dict[str, Any] = (await http.get(f"/api/v1/calls/{line['id']}")).json()
                if any((each["transcript"] or {}).get("state") == "done" for each in call["recordings"]):
                    return call
            await asyncio.sleep(0.02)


async def test_a_caller_without_an_agent_is_put_through_and_where_nobody_answers_leaves_a_message(
    database_url: str, engine: AsyncEngine, tmp_path: Path
):
    agent = GERMAN | {"fallback": {"number": COLLEAGUE}}
    async with (
        open_rig(database_url, tmp_path, ScriptedBrain([]), agent=agent, deadlines=SHORT, **SHARED) as rig,
        client(rig.url) as http,
    ):
        rig.openai.faults.extend([Faults(refuse_status=503)] * 4)
        rig.twilio.destinations[COLLEAGUE] = Destination("no-answer", ring_ms=500)
        call = await rig.ring()
        await leave_message(call)

        german = phrases("de")
        assert spoken(call) == [german.apology, german.leave_message, german.thanks]
        assert [(each.number, each.outcome) for each in call.timeline if isinstance(each, Dialled)] == [
            (COLLEAGUE, "no-answer")
        ]
        assert (call.end_cause, call.warnings) == (EndCause.HANGUP_VERB, [])

        message = await left(http)
        [recording] = [each for each in message["recordings"] if each["source"] == "voicemail"]
        assert (recording["state"], recording["channels"]) == ("stored", 1)
        assert abs(recording["duration_ms"] - len(clip(QUESTION)) // 8) < 50
        transcript = (await http.get(f"/api/v1/calls/{message['id']}/transcript")).json()
        assert (transcript["text"], {each["speaker"] for each in transcript["segments"]}) == (
            text_of(QUESTION),
            {"caller"},
        )
        assert (message["from_number"], message["call_sid"], message["attempt"]) == (CALLER, call.call_sid, 1)
        assert {line["end_reason"] for line in await calls(http)} == {"voicemail", "model_unavailable"}


async def test_with_the_database_away_callers_hear_the_same_and_their_messages_wait(
    database_url: str, engine: AsyncEngine, tmp_path: Path
):
    options = {"deadlines": SHORT, **SHARED}
    async with open_rig(database_url, tmp_path, ScriptedBrain([]), agent=GERMAN, **options):
        pass
    async with open_rig(NOWHERE, tmp_path, ScriptedBrain([]), **options) as rig:
        rig.openai.faults.extend([Faults(refuse_status=503)] * 4)
        form = {"CallSid": "CA" + "1" * 32, "AccountSid": ACCOUNT_SID, "From": CALLER, "To": CALLED}
        outage = await rig.twilio.webhook(form | {"ErrorCode": "11200"}, url=f"{rig.url}/twilio/fallback")
        assert phrases("de").apology in outage.body.decode()
        call = await rig.ring()
        await leave_message(call)
        assert spoken(call) == [phrases("de").apology, phrases("de").leave_message, phrases("de").thanks]
        assert len(list((tmp_path / "voicemails").glob("*.json"))) == 1  # and what waits there comes home: tests/db
