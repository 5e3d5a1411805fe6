"""How much is too much: callers over a limit or without a word, calls without an end, days that cost too much."""

import asyncio

from app.call.events import Kind
from app.call.status import EndReason
from app.call.turns.time_limits import ARE_YOU_THERE, SILENT_GOODBYE, TIME_IS_UP
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.twilio import EndCause
from app.sandbox.twilio.timeline import VerbStarted
from app.sandbox.voices.clips import clip
from tests.e2e.calls_api import SHARED, client
from tests.e2e.rig import CALLED

HELLO = Reply.of(Say.words("Hello.", 1000))
THERE = Reply.of(Say.words("Are you still there?", 1500))
BYE = Reply.of(Say.words("Goodbye.", 1200))
NEIGHBOUR = "+15550100124"


def verbs(call):
    return [moment.verb.name for moment in call.timeline if isinstance(moment, VerbStarted)]


def data(events, kind):
    return [event.data for event in events if event.kind == kind]


async def paid(house):
    """An answer is over, and has its price."""
    async with asyncio.timeout(10):
        while True:
            if any(event.kind is Kind.RESPONSE_DONE for event in house.told):
                return
            await asyncio.sleep(0.01)


async def test_callers_over_a_limit_hear_busy_or_words_and_are_counted_and_others_are_answered(rig):
    house = await rig(ScriptedBrain([HELLO, HELLO, HELLO]), agent={"language": "de-DE"}, **SHARED)
    await house.put("limits", "default", {"calls_per_caller": 1})
    first = await house.ring()
    await first.wait_heard(1000)
    busy = await house.ring()
    assert await busy.wait_ended() is EndCause.REJECTED
    assert busy.status == "busy"

    await house.put("limits", "default", {"calls_per_caller": 1, "calls": 2, "spoken": "Bitte später."})
    told = await house.ring()
    await told.wait_ended()
    assert verbs(told) == ["Say", "Hangup"]
    neighbour = await house.twilio.place_call(to=CALLED, from_=NEIGHBOUR)
    await neighbour.wait_heard(1000)
    third = await house.twilio.place_call(to=CALLED, from_="anonymous")
    await third.wait_ended()
    assert verbs(third) == ["Say", "Hangup"]

    async with client(house.url) as http:
        now = (await http.get("/api/v1/limits/now")).json()
    assert (now["calls"], now["calls_limit"], now["most_calls_of_one_caller"]) == (2, 2, 1)
    assert {limit: count for limit, count in now["refused"].items() if count} == {"calls": 1, "calls_per_caller": 2}
    assert len(house.openai.sessions) == 2  # nobody paid for those that were refused
    for call in (first, neighbour):
        await call.hang_up()
    await house.settled(first)
    again = await house.ring()
    await again.wait_heard(1000)
    await again.hang_up()
    await house.settled(again)


async def test_a_caller_who_says_nothing_is_asked_and_then_bidden_farewell(rig):
    brain = ScriptedBrain([HELLO, THERE, HELLO, THERE, BYE])
    house = await rig(brain, agent={"silence": {"reprompt_seconds": 4, "reprompts": 1}})
    call = await house.ring()
    await call.wait_heard(2500)
    await call.say(clip("table_tonight"))  # so there was somebody
    record, events = await house.settled(call)

    assert record.end_reason is EndReason.SILENCE
    assert call.end_cause is EndCause.REST
    assert call.heard_ms >= 1000 + 1500 + 1000 + 1500 + 1200  # the goodbye was heard to its end
    assert [heard.text for heard in brain.heard if heard.why == "text"] == [
        ARE_YOU_THERE,
        ARE_YOU_THERE,
        SILENT_GOODBYE,
    ]
    assert data(events, Kind.CALLER_SILENT) == [{"reprompt": 1}, {"reprompt": 1}]
    assert data(events, Kind.LIMIT_REACHED) == [{"limit": "silence"}]


async def test_a_call_that_lasts_too_long_is_wound_up_and_ends_with_a_goodbye(rig):
    brain = ScriptedBrain([HELLO, BYE])
    house = await rig(brain, agent={"max_call_seconds": 10})
    call = await house.ring()
    record, events = await house.settled(call)

    assert record.end_reason is EndReason.MAX_DURATION
    assert brain.heard[1].text.endswith(TIME_IS_UP)
    assert "about 2 seconds more" in brain.heard[1].text  # it was told before, and had nothing to say to that
    assert call.heard_ms >= 1000 + 1200
    assert data(events, Kind.LIMIT_REACHED) == [{"limit": "max_call_seconds"}]


async def test_when_the_day_has_cost_enough_the_next_caller_is_not_answered(rig):
    house = await rig(ScriptedBrain([HELLO]), agent={})
    await house.put("limits", "default", {"spend_usd_per_day": 0.000001})
    call = await house.ring()
    await paid(house)
    refused = await house.ring()
    assert await refused.wait_ended() is EndCause.REJECTED
    assert house.services.admission.refused == {"spend_usd_per_day": 1}
    await call.hang_up()
    record, _ = await house.settled(call)
    assert record.end_reason is EndReason.CALLER_HANGUP  # whoever talks goes on
