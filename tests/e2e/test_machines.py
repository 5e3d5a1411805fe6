"""Calls that we place, and machines that pick them up."""

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.events import Kind
from app.call.status import EndReason
from app.sandbox.openai.brain import ScriptedBrain
from app.sandbox.twilio import Destination, EndCause
from app.sandbox.twilio.timeline import VerbStarted
from tests.e2e.calls_api import SHARED, client
from tests.e2e.rig import CALLED, CALLER, open_rig
from tests.e2e.test_outbound import ANY_TIME, HELLO, Desk

LEAVES = {"action": "leave_message", "message": "{{name}}, please call us back."}
POLICIES: dict[str, dict[str, Any]] = {
    "leaver": {"language": "de-DE", "answering_machine": LEAVES},
    "quitter": {},
    "talker": {"answering_machine": {"action": "talk"}},
}


async def test_a_machine_gets_what_its_agents_policy_says_and_a_person_is_talked_to(
    database_url: str, engine: AsyncEngine, tmp_path: Path
):
    async with (
        open_rig(database_url, tmp_path, ScriptedBrain([HELLO] * 12), agent={}, **SHARED) as rig,
        client(rig.url) as http,
    ):
        desk = Desk(rig, http)
        await rig.put("number", CALLED, {"agent": "default"})
        await rig.put("outbound", "default", ANY_TIME)
        for name, agent in POLICIES.items():
            await rig.put("agent", name, agent)

        async def placed(agent: str, who: str) -> tuple[Any, Any]:
            rig.twilio.destinations[CALLER] = Destination(ring_ms=100, talk_ms=None, answered_by=who, listened_ms=800)  # type: ignore[arg-type]
            request = await desk.placed(agent=agent, variables={"name": "Ada"})
            return await desk.rings(), request

        left, request = await placed("leaver", "machine")
        await left.wait_ended()
        record, events = await rig.settled(left)
        assert (record.end_reason, left.end_cause) == (EndReason.VOICEMAIL, EndCause.HANGUP_VERB)
        said = [each.verb for each in left.timeline if isinstance(each, VerbStarted) and each.verb.name == "Say"]
        assert [(verb.text, verb.get("language")) for verb in said] == [("Ada, please call us back.", "de-DE")]
        [told] = [event.data for event in events if event.kind == Kind.ANSWERED_BY]
        assert told == {"answered_by": "machine_end_beep", "action": "leave_message"}
        shown = await desk.until(request, "ended")
        assert (shown["answered_by"], shown["reason"]) == ("machine", None)

        hung_up, _ = await placed("quitter", "machine")
        await hung_up.wait_ended()
        record, _ = await rig.settled(hung_up)
        assert (record.end_reason, hung_up.end_cause) == (EndReason.VOICEMAIL, EndCause.REST)

        talked, request = await placed("talker", "machine")
        async with asyncio.timeout(5):
            while not (await desk.shown(request))["answered_by"]:  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0.01)
            while "An answering machine" not in str(rig.openai.sessions[-1].received):  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0.01)
        await talked.hang_up()
        record, _ = await rig.settled(talked)
        assert record.end_reason is EndReason.CALLER_HANGUP

        person, request = await placed("quitter", "human")
        await person.wait_heard(300)
        async with asyncio.timeout(5):
            while (await desk.shown(request))["answered_by"] != "human":  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0.01)
        assert rig.registry.is_live(person.call_sid)
        await person.hang_up()
        await rig.settled(person)

        assert left.warnings == hung_up.warnings == talked.warnings == person.warnings == []
