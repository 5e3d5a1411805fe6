"""Callers who are put through and come back, and keys that an agent presses: one call, one session, all along."""

import json

from app.call.elsewhere.pressing import PRESSED
from app.call.elsewhere.transferring import FAILED
from app.call.events import Kind
from app.call.status import EndReason
from app.sandbox.openai.brain import CallTool, Heard, Reply, Say, ScriptedBrain
from app.sandbox.twilio import EndCause
from app.sandbox.twilio.network import Destination
from app.sandbox.twilio.timeline import Bridged, Dialled, StreamEnded, VerbStarted
from app.sandbox.voices.clips import clip
from tests.e2e.rig import ACCOUNT_SID, AUTH_TOKEN, CALLED, Rig

DESK, OFFICE = "+15550100777", "+15550100778"
TRANSFER = {
    "type": "transfer_call",
    "destinations": {"desk": {"number": DESK}, "office": {"number": OFFICE}},
    "ring_seconds": 5,
    "max_seconds": 60,
}
AGENT = {"tools": [TRANSFER, {"type": "send_dtmf"}]}
ACCOUNT = {"account_sid": ACCOUNT_SID, "auth_tokens": [AUTH_TOKEN], "allowed_dial_prefixes": ["+15550100"]}
GREETING = Say.words("Hello.", 400)
PUTTING_THROUGH = Say.words("I will put you through.", 800)
SORRY = Reply.of(Say.words("Nobody is there. How else may I help?", 600))


def to(name: str) -> CallTool:
    return CallTool("transfer_call", json.dumps({"destination": name}))


def verbs(call) -> list[str]:
    return [moment.verb.name for moment in call.timeline if isinstance(moment, VerbStarted)]


def kinds(events) -> list[Kind]:
    return [event.kind for event in events]


def told(events, kind: Kind) -> list[dict]:
    return [event.data for event in events if event.kind == kind]


async def test_a_caller_whom_nobody_answers_is_back_in_the_same_conversation(rig):
    brain = ScriptedBrain(
        [Reply.of(GREETING), Reply.of(PUTTING_THROUGH, to("desk")), SORRY, Reply.of(Say.words("Yes.", 400))]
    )
    house: Rig = await rig(brain, agent=AGENT)
    await house.put("twilio", "default", ACCOUNT)
    house.twilio.destinations[DESK] = Destination("no-answer", ring_ms=3000)
    call = await house.ring()
    await call.wait_heard(400)
    await call.say(clip("one_moment"))
    await call.wait_heard(400 + 800 + 600)
    await call.say(clip("table_tonight"))
    await call.wait_heard(400 + 800 + 600 + 400)
    await call.hang_up()
    record, events = await house.settled(call)

    assert len(house.openai.sessions) == 1
    assert brain.heard[2].outputs[0].output.startswith("Nobody answered.")
    assert len(brain.heard[2].outputs) == 1
    assert brain.heard[3].why == "speech"
    assert [moment.outcome for moment in call.timeline if isinstance(moment, Dialled)] == ["no-answer"]
    assert (verbs(call), len(call.streams), call.warnings) == (["Connect", "Dial", "Connect"], 2, [])
    [dial] = [moment.verb for moment in call.timeline if isinstance(moment, VerbStarted) and moment.verb.name == "Dial"]
    assert (dial.get("timeout"), dial.get("timeLimit"), dial.get("callerId")) == ("5", "60", CALLED)
    assert (record.end_reason, record.attempt) == (EndReason.CALLER_HANGUP, 0)
    about = [Kind.TRANSFER_STARTED, Kind.STREAM_LEFT, Kind.STREAM_RETURNED, Kind.TRANSFER_RETURNED]
    assert [kind for kind in kinds(events) if kind in about] == about
    assert told(events, Kind.TRANSFER_RETURNED) == [{"status": "no-answer"}]
    [away] = told(events, Kind.STREAM_RETURNED)
    assert away["away_ms"] >= 3000

    caller, _ = await house.tracks(record)
    spoke_at = caller.index(clip("table_tonight")[:1600]) // 8
    left_at = next(event.at_ms for event in events if event.kind == Kind.STREAM_LEFT)
    assert spoke_at > left_at + 3000
    assert clip("one_moment") in caller


class Willing:
    """Greets, puts through whoever speaks, and says something whenever it is asked to."""

    def answer(self, heard: Heard) -> Reply:
        match heard.why:
            case "start":
                return Reply.of(GREETING)
            case "speech":
                return Reply.of(PUTTING_THROUGH, to("desk"))
            case _:
                return SORRY


async def test_a_caller_who_has_talked_to_somebody_was_transferred_whoever_hangs_up(rig):
    house: Rig = await rig(Willing(), agent=AGENT)
    await house.put("twilio", "default", ACCOUNT)
    for talk_ms, hangs_up, ended in [
        (2000, None, EndReason.TRANSFERRED),
        (None, Bridged, EndReason.TRANSFERRED),
        (None, StreamEnded, EndReason.CALLER_HANGUP),  # while it still rings there
    ]:
        house.twilio.destinations[DESK] = Destination(ring_ms=1000, talk_ms=talk_ms)
        call = await house.ring()
        await call.wait_heard(400)
        await call.say(clip("one_moment"))
        if hangs_up:
            await call.wait_for(lambda call, what=hangs_up: any(isinstance(moment, what) for moment in call.timeline))
            await call.hang_up()
        record, events = await house.settled(call)

        assert record.end_reason is ended
        assert call.end_cause is (EndCause.CALLER if hangs_up else EndCause.HANGUP_VERB)
        assert call.heard_ms == 1200  # all that the agent said, before it was dialled
        assert not call.warnings
        assert Kind.STREAM_RETURNED not in kinds(events)
        assert not told(events, Kind.TOOL_ANSWERED)
    assert {request.form.get("Status") for request in house.twilio.requests} == {None}
    assert len(house.openai.sessions) == 3


async def test_pressed_keys_and_a_transfer_that_twilio_refuses_leave_the_conversation_as_it_was(rig):
    press = CallTool("send_dtmf", '{"digits": "1w2#"}')
    replies = [[GREETING], [Say.words("One moment.", 400), press], [GREETING], [to("office")], [GREETING]]
    brain = ScriptedBrain([Reply.of(*parts) for parts in replies])
    house: Rig = await rig(brain, agent=AGENT)
    await house.put("twilio", "default", ACCOUNT)
    call = await house.ring()
    await call.wait_heard(400)
    await call.say(clip("one_moment"))
    await call.wait_heard(400 + 400 + 400)
    house.twilio.fail_rest(400)
    await call.say(clip("table_tonight"))
    await call.wait_heard(400 + 400 + 400 + 400)
    await call.hang_up()
    record, events = await house.settled(call)

    assert len(house.openai.sessions) == 1
    assert brain.heard[2].outputs[0].output == PRESSED
    [refused] = told(events, Kind.TOOL_FAILED)
    assert FAILED in refused["output"]
    assert refused["output"] == brain.heard[4].outputs[0].output
    assert (verbs(call), len(call.streams)) == (["Connect", "Play", "Connect"], 2)
    [play] = [moment.verb for moment in call.timeline if isinstance(moment, VerbStarted) and moment.verb.name == "Play"]
    assert play.get("digits") == "1w2#"
    assert told(events, Kind.DTMF_SENT) == [{"digits": "1w2#"}]
    assert (record.end_reason, call.warnings) == (EndReason.CALLER_HANGUP, [])
